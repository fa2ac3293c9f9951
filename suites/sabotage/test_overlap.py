"""An address that leads to another instance than the caller chose is noticed."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.kube.workload import Workload
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import healed, require
from meshproof.workloads.sample import Sample
from suites.overlap.claims import pods_of_one_address, the_right_instance_answers
from suites.sabotage.leading import leading

_PROBES = 40


@proves("overlap/shared-address-leads-to-own-pod")
@requires(Capability.NODES)
@pytest.mark.ranges("same")
def test_an_address_that_leads_elsewhere_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a node that leads the shared address to another pod, the claim of the right instance
    fails and names that pod."""
    home = sample.homes[0]
    try:
        with pods_of_one_address(sample) as address:
            other = next(
                one
                for one in sample.servers().values()
                if one.cluster == home and one.address != address
            )
            with leading(sample.mesh.cluster(home), address, other.address):
                detour = f"calls to {address} that {other.name} answers"
                require(lambda: _gone_astray(sample, home, address, other), what=detour)
                verdict = the_right_instance_answers(sample, address)
    finally:
        healed(sample)
    judge(noticed([verdict], other.name))


def _gone_astray(sample: Sample, caller: str, address: IPv4Address, other: Workload) -> bool:
    """Whether calls to the address are answered by the other pod, and none fails any more."""
    responses = call(sample, sample.caller(caller), Plan(times=_PROBES))
    sent = [one for one in responses if one.log and one.log.upstream_address == str(address)]
    astray = bool(sent) and all(one.pod == other.name for one in sent)
    return astray and all(one.succeeded and one.log and one.log.attempts == 1 for one in responses)
