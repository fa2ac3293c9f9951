"""Names that a host registers with its members' DNS, out of what tenants push: a Service without
pods, which stands for another name
(https://kubernetes.io/docs/concepts/services-networking/service/#externalname)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.host.usual import SHOP
from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.objects import Object
from meshproof.mesh.routes import host_of
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HOST, Sample

_NAME = "welcome"
RECORD = host_of(_NAME, SHOP)
"""The name that is registered."""
FIRST, SECOND = HOST, host_of("kubernetes", "default")
"""What it stands for, one after the other: names that every member has."""
FOLLOWS_WITHIN = 60.0
"""Seconds, ours: name servers keep an answer, or that there is none, for up to thirty."""
_NONE = "NXDOMAIN"
_NO_ANSWER = ("SILENCE", "UNREACHABLE")


def record(target: str) -> Object:
    """The Service by which the name stands for another."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _NAME, "namespace": SHOP},
        "spec": {"type": "ExternalName", "externalName": target},
    }


def stands_for(
    sample: Sample, members: Collection[str], target: str, within: float = FOLLOWS_WITHIN
) -> Verdict:
    """Workloads of each of these members come to be told, within so many seconds, that the name
    stands for this one, and where that is. INCONCLUSIVE: their DNS does not answer."""
    return all_of(_stands_for(sample, one, target, within) for one in members)


def unknown(sample: Sample, members: Collection[str], within: float = FOLLOWS_WITHIN) -> Verdict:
    """Workloads of each of these members come to be told that there is no such name. INCONCLUSIVE:
    they are not told of one that there is either, or their DNS does not answer."""
    return all_of(_unknown(sample, one, within) for one in members)


def _stands_for(sample: Sample, member: str, target: str, within: float) -> Verdict:
    expected = f"{RECORD} to stand for {target} in {member}"

    def right(answer: NameAnswer) -> bool:
        return answer.exists and target in answer.aliases

    return _judged(sample, member, expected, right, within)


def _unknown(sample: Sample, member: str, within: float) -> Verdict:
    control = _ask(sample, member, HOST)
    outcome = Outcome.PASS if control.exists else Outcome.FAIL
    known = as_control(Verdict(outcome, f"{HOST} to be known in {member}", f"{control}"))
    expected = f"{RECORD} to be unknown in {member}"
    found = _judged(sample, member, expected, lambda answer: answer.code == _NONE, within)
    return with_control(found, known)


def _judged(
    sample: Sample,
    member: str,
    expected: str,
    right: Callable[[NameAnswer], bool],
    within: float,
) -> Verdict:
    """What a member's DNS says of the name when it is right, or the time is over."""
    seen: list[NameAnswer] = []

    def look() -> bool:
        seen[:] = [_ask(sample, member, RECORD)]
        return right(seen[0])

    came = converge(look, what=expected, within=within)
    if not seen:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"nobody in {member} could ask")
    (answer,) = seen
    observed = f"in {member} {answer} {' '.join(answer.aliases)}".strip()
    if answer.code in _NO_ANSWER:
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS if came else Outcome.FAIL, expected, observed)


def _ask(sample: Sample, member: str, name: str) -> NameAnswer:
    return ask_name(sample.caller(member), name, dns_address(sample.mesh.cluster(member)))
