"""What is claimed of a mesh with a trust domain for each control plane, for sabotage as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
)
from meshproof.expect.control import as_control
from meshproof.expect.handshake import answered_as
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.handshake import Handshake, certificate_of_sleep, shake_hands
from meshproof.traffic.response import Response
from meshproof.workloads.sample import HOST, PORT, Sample


def all_domains_are_one(sample: Sample, caller: str) -> Verdict:
    """With aliases every version answers a cluster's sleep, each side is known by the identity of
    its own domain, and by TLS each pod takes sleep's certificate."""
    times = calls_to_meet(sample.smallest_share)
    responses = call(sample, sample.caller(caller), Plan(times=times))
    return all_of(
        [
            *(answered_as(one, sample.caller_identity(caller)) for one in _hands(sample, caller)),
            answered_from_home(responses, sample.reached_from(caller)),
            _known(sample, caller, responses),
        ]
    )


def each_domain_is_apart(sample: Sample, caller: str) -> Verdict:
    """Without aliases no call of a cluster's sleep is answered from another domain, although its
    proxy knows the way there, and by TLS pods of other domains refuse its certificate, which those
    of its own take."""
    times = calls_to_meet(sample.smallest_share)
    responses = call(sample, sample.caller(caller), Plan(times=times))
    return all_of(
        [
            _none_from_elsewhere(sample, caller, responses),
            _could_come_from_elsewhere(sample, caller, responses),
            *(_by_domain(sample, caller, one) for one in _hands(sample, caller)),
        ]
    )


def _hands(sample: Sample, caller: str) -> list[Handshake]:
    """Handshakes with a certificate of sleep's, with all helloworld pods that it may call."""
    shown = certificate_of_sleep(sample, caller)
    return [shake_hands(sample, caller, one, shown) for one in sample.behind(caller)]


def _domains(sample: Sample, clusters: Sequence[str]) -> set[str]:
    return {sample.topology[name].mesh.trust_domain for name in clusters}


def _by_domain(sample: Sample, caller: str, tried: Handshake) -> Verdict:
    """Whether a pod of the caller's own domain answers, and one of another refuses."""
    if _domains(sample, [caller]) == _domains(sample, tried.behind.clusters):
        return as_control(answered_as(tried, sample.caller_identity(caller)))
    answer = tried.answer
    expected = f"{tried.behind} to refuse {sample.caller_identity(caller)}"
    if answer.status is not None:
        return Verdict(Outcome.FAIL, expected, f"it was not refused: {answer}")
    if not answer.chain:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"nobody answered: {answer}")
    return Verdict(Outcome.PASS, expected, str(answer))


def _none_from_elsewhere(sample: Sample, caller: str, responses: Sequence[Response]) -> Verdict:
    own = _domains(sample, [caller])
    answered = [one for one in responses if one.succeeded]
    others = [one for one in answered if one.cluster and _domains(sample, [one.cluster]) != own]
    expected = f"no call of {caller}'s sleep to be answered from another domain"
    if others:
        observed = f"{len(others)} were answered from another domain, such as {others[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    endings = Counter(str(one.cluster or one.status) for one in responses)
    return Verdict(Outcome.PASS, expected, f"answers and endings: {dict(endings)}")


def _could_come_from_elsewhere(
    sample: Sample, caller: str, responses: Sequence[Response]
) -> Verdict:
    """The control: the caller's proxy has endpoints of each other domain, and is answered at all.
    What nobody sends anywhere is refused by nobody."""
    own = _domains(sample, [caller])
    others = [one for one in sample.behind(caller) if _domains(sample, one.clusters) != own]
    seen = endpoints(sample.caller(caller), outbound(HOST, PORT))
    known = {f"{one.address}:{one.port}" for one in seen}
    missing = [str(one) for one in others if str(one.way) not in known]
    answered = sum(one.succeeded for one in responses)
    expected = f"{caller}'s proxy to know instances of other domains, and some calls to be answered"
    observed = f"{len(others)} ways there, unknown: {', '.join(missing) or 'none'}"
    outcome = Outcome.PASS if others and not missing and answered else Outcome.FAIL
    told = f"{observed}; {answered} of {len(responses)} calls were answered"
    return as_control(Verdict(outcome, expected, told))


def _known(sample: Sample, caller: str, responses: Sequence[Response]) -> Verdict:
    client = sample.caller_identity(caller)
    expected = f"servers to know {client}, and it each of them by its own domain's name"
    wrong = [
        f"{one.identity} and {one.log.upstream_peer} of {one.cluster}"
        for one in responses
        if one.log and one.cluster
        if (one.identity, one.log.upstream_peer) != (client, sample.server_identity(one.cluster))
    ]
    if wrong:
        observed = f"{len(wrong)} of {len(responses)} otherwise, such as {wrong[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, "all of them")
