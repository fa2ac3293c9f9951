"""What is claimed of a machine without a proxy: that it is called, and calls, in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    refused_with,
    succeeded,
    went_through,
)
from meshproof.kube.workload import PodWorkload, Workload
from meshproof.mesh.mesh import Way
from meshproof.traffic.access_log import UNMATCHED, TurnedAway, log_from_now, turned_away_by
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Refused, Response
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import PORT, Sample
from suites.machines.bare import near, servers_near

_TIMES = 12
_TRIED = 3


def called_in_plain_text(sample: Sample, machine: str) -> Verdict:
    """With all calls led to its version, a machine without a proxy answers the pods on its network
    at its own address, in plain text by the wire, and nobody is told who anybody is.

    INCONCLUSIVE: there is no pod on its network, or its calls are not logged.
    """
    one = sample.machines[machine]
    verdicts = []
    for caller in near(sample, machine):
        watched = watch(sample, caller, Plan(times=_TIMES))
        verdicts += [
            answered_from_home(watched.responses, {one.version: one.cluster}),
            went_through(watched.responses, {str(Way(one.address, PORT))}, f"{machine} itself"),
            _plain_on_the_wire(watched, machine, one),
            _anonymous(watched.responses, machine),
        ]
    if not verdicts:
        expected = f"a caller on the network of {machine}"
        return Verdict(Outcome.INCONCLUSIVE, expected, "there is none")
    return all_of(verdicts)


def answered_in_plain_text(sample: Sample, machine: str, caller: Workload) -> Verdict:
    """A machine without a proxy, ``caller``, is answered by helloworld's pods on its network, which
    know nothing of who it is. INCONCLUSIVE: there is no such pod."""
    tried = [_tried(sample, caller, one) for one in servers_near(sample, machine)]
    made = [response for responses in tried for response in responses]
    answered = succeeded(made)
    told = replace(answered, observed=f"{machine}: {answered.observed}")
    return all_of([told, _anonymous(made, machine)])


def turned_away(sample: Sample, machine: str, caller: Workload) -> Verdict:
    """Each pod of helloworld on its network ends the connections of a machine without a proxy,
    ``caller``, and its proxy says so with the machine's address. INCONCLUSIVE: it does not."""
    tried = (_refused(sample, machine, caller, one) for one in servers_near(sample, machine))
    return all_of(verdict for verdicts in tried for verdict in verdicts)


def _refused(sample: Sample, machine: str, caller: Workload, server: PodWorkload) -> list[Verdict]:
    logs = [log_from_now(server)]
    responses = _tried(sample, caller, server)
    sources, due = {one.source for one in responses}, len(responses)

    def ours(lines: Sequence[TurnedAway]) -> list[TurnedAway]:
        return [one for one in lines if UNMATCHED in one.why and one.source in sources]

    lines = ours(turned_away_by(logs, lambda seen: len(ours(seen)) >= due))
    owned = Outcome.PASS if len(lines) >= due else Outcome.INCONCLUSIVE
    expected = f"{server.name} to say that it turned {due} connections of {machine} away"
    return [
        _none_answered(responses, machine),
        refused_with(responses, refusal=Refused.RESET),
        Verdict(owned, expected, f"{len(lines)} lines in its log"),
    ]


def _tried(sample: Sample, caller: Workload, server: PodWorkload) -> list[Response]:
    """Calls to a pod's own address: nobody tells the machine the mesh's names."""
    url = f"http://{server.address}:{PORT}/hello"
    return call(sample, caller, Plan(url, times=_TRIED, patience=5, fresh=True))


def _none_answered(responses: Sequence[Response], machine: str) -> Verdict:
    expected = f"none of {len(responses)} calls of {machine} in plain text to be answered"
    answered = [one for one in responses if one.status is not None]
    if answered:
        observed = f"{machine} was answered in {len(answered)}, such as {answered[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, "none was")


def _plain_on_the_wire(watched: Watched, machine: str, server: Workload) -> Verdict:
    seen = {kind: watched.towards(server.address, PORT, kind) for kind in ("http", "tls")}
    due = len(watched.responses)
    expected = f"{due} requests to {machine} to pass in plain text, and no TLS"
    told = ", ".join(f"{kind}: {count}" for kind, count in seen.items())
    right = seen["http"] >= due and not seen["tls"]
    return Verdict(Outcome.PASS if right else Outcome.FAIL, expected, f"to {machine}: {told}")


def _anonymous(responses: Sequence[Response], machine: str) -> Verdict:
    expected = f"nobody to be told who calls, or is called, where {machine} has a part"
    known = [one for one in responses if one.identity or (one.log and one.log.upstream_peer)]
    if known:
        who = known[0].identity or (known[0].log.upstream_peer if known[0].log else "")
        return Verdict(Outcome.FAIL, expected, f"with {machine}, {who} in call {known[0].id}")
    outcome = Outcome.PASS if responses else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, "nobody was" if responses else "no calls")
