"""Global names at loopback addresses, as Istio 1.1 had them, and who is answered there now.

What an application sends to its own pod's loopback interface passes a sidecar by, unless the ranges
that this is to take begin with a loopback address themselves: "If loopback explicitly set via
OutboundIPRangesInclude, then don't return" (tools/istio-iptables/pkg/capture/run.go, read in
1.31.1). The annotation: https://istio.io/latest/docs/reference/config/annotations/.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Address, IPv4Network

from meshproof.expect import Outcome, Verdict, all_of, refused_with
from meshproof.expect.control import with_control
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.exposure import address_of
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, answers, call
from meshproof.traffic.response import Refused
from meshproof.traffic.settle import arrive
from meshproof.workloads.dns_sleeps import ANSWERING
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import NAMESPACE, Sample, sleep_objects
from suites.federation.claims import answered_by_the_provider
from suites.federation.entries import entry_changed
from suites.federation.setting import asker, told

LOOPBACK = IPv4Network("127.2.0.0/24")
"""Where such addresses are from: nobody else's, and not 127.0.0.6, which Istio's own calls bear."""
TAKING = "sleep-loopback"
"""A sleep whose sidecar takes calls to them, and answers names."""
_RANGES = "traffic.sidecar.istio.io/includeOutboundIPRanges"
_CALLS = 20


def loopback_of(sample: Sample, imported: Exposure) -> IPv4Address:
    """The address of an exposed service, as an administrator may have chosen it."""
    return LOOPBACK[int(address_of(sample.topology, imported)) % LOOPBACK.num_addresses]


@contextmanager
def at_loopback(
    sample: Sample, importer: str, imported: Exposure, taken: str = f"{LOOPBACK},0.0.0.0/0"
) -> Iterator[None]:
    """The consumer's entry has a loopback address, and its cluster has the sleep, which is told so,
    inside the block, as far as it is within half a minute; afterwards the entry is as it was, or
    the mesh is marked dirty. ``taken``: the ranges that its sidecar takes. Raises LabError when it
    will not run."""
    cluster = sample.mesh.cluster(importer)
    address = loopback_of(sample, imported)
    objects = sleep_objects(name=TAKING, annotations={**ANSWERING, _RANGES: taken})

    def moved(entry: Object) -> None:
        entry["spec"]["addresses"] = [str(address)]

    with applied(cluster, objects):
        await_rollout(cluster, NAMESPACE, {TAKING}, sample.mesh.shell)
        try:
            with entry_changed(sample, importer, imported, moved):
                for who in (sample.caller(importer, TAKING), asker(sample, importer)):
                    arrive(
                        sample.mesh,
                        partial(_addresses, sample, who, imported),
                        until=lambda found: found == (address,),
                        what=f"{imported.host} at {address} for {who.name}",
                    )
                yield
        finally:
            sample.callers.pop((importer, f"{NAMESPACE}/{TAKING}"), None)


def loopback_leads_who_takes_it(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """By the same name and address calls are answered by the other mesh where the sidecar takes
    loopback addresses, and where it does not they stay in the caller's own pod, in which nobody
    listens: the first are the control of the second."""
    plan = Plan(url_of(imported), times=_CALLS)
    taking, other = sample.caller(importer, TAKING), asker(sample, importer)
    due = (loopback_of(sample, imported),)
    found = {one.name: _addresses(sample, one, imported) for one in (taking, other)}
    expected = f"{imported.host} to be {due[0]} for {taking.name} and {other.name}"
    outcome = Outcome.PASS if set(found.values()) == {due} else Outcome.INCONCLUSIVE
    answers_told = [
        f"{name} is told {', '.join(map(str, listed)) or 'nothing'}"
        for name, listed in found.items()
    ]
    resolved = Verdict(outcome, expected, "; ".join(answers_told))
    through = answered_by_the_provider(sample, imported, call(sample, taking, plan))
    stayed = refused_with(answers(sample, other, plan), refusal=Refused.CONNECTION)
    return all_of([resolved, through, with_control(stayed, through)])


def _addresses(sample: Sample, who: PodWorkload, imported: Exposure) -> tuple[IPv4Address, ...]:
    return told(sample, who, imported.host).addresses
