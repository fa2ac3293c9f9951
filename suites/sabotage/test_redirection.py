"""Sidecars that take other traffic than claimed are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import pytest

from meshproof.errors import CommandError, EvidenceError, LabError
from meshproof.expect import Verdict, noticed
from meshproof.kube.workload import PodWorkload
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import SLEEP, Sample
from suites.redirection.claims import (
    local_service_past_the_proxy,
    remote_pod,
    remote_pod_past_the_proxy,
    remote_pod_through_the_proxy,
)
from suites.redirection.sleeps import calling_cluster
from suites.sabotage.beside import beside

Judge = Callable[[Verdict], None]

pytestmark = [pytest.mark.networks(1), pytest.mark.mtls("disabled")]

# Istio's own chain, by whichever of them istio-init wrote it.
_TOOLS = ("iptables-nft", "iptables-legacy")
_CHAIN = "ISTIO_OUTPUT"


@proves("redirection/unlisted-remote-pods-bypass", "redirection/unlisted-services-bypass")
@requires(Capability.ROUTER)
def test_a_sidecar_that_takes_everything_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a sidecar that takes everything, the claims that calls bypass the proxy fail."""
    cluster = calling_cluster(sample)
    verdicts = [
        remote_pod_past_the_proxy(sample, cluster, SLEEP),
        local_service_past_the_proxy(sample, cluster, SLEEP),
    ]
    judge(noticed(verdicts, "a log line to"))


@proves("redirection/star-takes-remote-pods", "redirection/listed-ranges-take-remote-pods")
@requires(Capability.ROUTER)
def test_a_hole_in_the_redirection_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a remote pod's address let past, the claim that calls to it take the proxy fails."""
    cluster = calling_cluster(sample)
    remote = remote_pod(sample, cluster)
    with _let_past(sample, sample.caller(cluster), remote.address):
        verdict = remote_pod_through_the_proxy(sample, cluster, SLEEP)
    judge(noticed([verdict], "bypassed the proxy"))


@contextmanager
def _let_past(sample: Sample, caller: PodWorkload, address: IPv4Address) -> Iterator[None]:
    """What a pod sends to an address is not redirected inside the block."""
    rule = ("-d", f"{address}/32", "-p", "tcp", "-j", "RETURN")
    with beside(caller) as helper:
        tool = _insert(helper, rule)
        try:
            yield
        finally:
            healed = helper.run(tool, "-t", "nat", "-D", _CHAIN, *rule, check=False)
            if healed.returncode != 0:
                sample.mesh.mark_dirty(f"{address} is still let past the proxy of {caller}")


def _insert(helper: PodWorkload, rule: tuple[str, ...]) -> str:
    """Put a rule first in Istio's chain; returns the program that could."""
    said = ""
    for tool in _TOOLS:
        try:
            helper.run(tool, "-t", "nat", "-I", _CHAIN, "1", *rule)
        except (CommandError, LabError) as error:  # it failed, or is not there
            said = error.cause
        else:
            return tool
    raise EvidenceError(f"no rule could be put into {_CHAIN} of {helper}: {said[-200:]}")
