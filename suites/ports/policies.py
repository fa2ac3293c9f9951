"""What is claimed of policies for one port, so that sabotage can claim the same.

Each is claimed of both ports, the plain one and that for HTTP: where the rule is for the one, the
other is the control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet, refused_with, succeeded
from meshproof.expect.control import as_control
from meshproof.traffic.access_log import (
    UNMATCHED,
    WITHIN,
    LogLine,
    ProxyLog,
    TurnedAway,
    log_from_now,
    turned_away_by,
)
from meshproof.traffic.calls import Plan, answers, call_from_each
from meshproof.traffic.policies import name_of_denying
from meshproof.traffic.settle import converge
from meshproof.traffic.tcp import connect
from meshproof.workloads.sample import PORT, TCP_PORT, Sample

_FEW = 3
_FORBIDDEN = 403
_INBOUND = f"inbound|{TCP_PORT}|"
_POLICY = f"policy[{name_of_denying(TCP_PORT)}]"


def denied_at(sample: Sample, port: int) -> Verdict:
    """Sleep of every cluster is refused at one port of helloworld by each version it reaches, for
    the policy's sake, and let in at the other."""
    return _denied_by_lines(sample) if port == TCP_PORT else _denied_by_http(sample)


def plain_text_at(sample: Sample, port: int) -> Verdict:
    """In each cluster a caller without a sidecar is let in at one port of helloworld, and turned
    away at the other by helloworld's proxy."""
    return all_of(_plain_text_in(sample, name, port) for name in sample.homes)


def _denied_by_lines(sample: Sample) -> Verdict:
    verdicts = [_in_the_servers_logs(sample, name, denied=True) for name in sample.clusters]
    answered = [succeeded(one) for one in call_from_each(sample, Plan(times=_times(sample)))]
    return all_of([*verdicts, *map(as_control, answered)])


def _denied_by_http(sample: Sample) -> Verdict:
    refused = [
        refused_with(one, status=_FORBIDDEN, detail="RBAC: access denied")
        for one in call_from_each(sample, Plan(times=_times(sample)))
    ]
    let_in = [_in_the_servers_logs(sample, name, denied=False) for name in sample.clusters]
    return all_of([*refused, *map(as_control, let_in)])


def _in_the_servers_logs(sample: Sample, caller: str, *, denied: bool) -> Verdict:
    """Of connections from a cluster's sleep to the plain port each is in a server's log, by sleep's
    identity: denied by the policy, or let in; each version has some.

    What the caller sees tells less: helloworld greets whoever connects, and Envoy judges a caller
    by its first byte, so that who is denied may have been greeted.
    """
    logs = [log_from_now(one) for one in sample.every_server()]
    made = connect(sample, sample.caller(caller), _times(sample))
    identity, reached = sample.caller_identity(caller), sample.reached_from(caller)
    seen: list[dict[str, list[LogLine]]] = []

    def all_there() -> bool:
        seen[:] = [{log.workload.name: _of_the_plain_port(log, identity) for log in logs}]
        return sum(map(len, seen[0].values())) >= len(made)

    converge(all_there, what="lines of connections", within=WITHIN)
    known = {log.workload.name: log.workload.version for log in logs}
    counts = {version: Counter[bool]() for version in reached}
    for name, lines in (seen[0] if seen else {}).items():
        if known[name] in counts:
            counts[known[name]].update(_POLICY in one.termination for one in lines)
    told = ", ".join(
        f"{one[True]} denied and {one[False]} let in at port {TCP_PORT} by {version}"
        for version, one in counts.items()
    )
    word = "denied" if denied else "let in"
    expected = f"{len(made)} connections of {identity} to be {word} at port {TCP_PORT}"
    if any(one[not denied] for one in counts.values()):
        return Verdict(Outcome.FAIL, expected, told)
    enough = sum(one[denied] for one in counts.values()) >= len(made)
    silent = not all(one[denied] for one in counts.values())
    outcome = Outcome.PASS if enough and not silent else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, told)


def _of_the_plain_port(log: ProxyLog, identity: str) -> list[LogLine]:
    """The lines of a client's connections to the plain port. One that was denied early need not
    have been given a cluster."""
    return [
        one
        for one in log.connections("", bool, within=0)
        if one.peer == identity
        and (one.upstream_cluster.startswith(_INBOUND) or _POLICY in one.termination)
    ]


def _plain_text_in(sample: Sample, name: str, port: int) -> Verdict:
    outsider = sample.outsider(name)
    servers = [one for one in sample.every_server() if one.cluster == name]
    logs = [log_from_now(one) for one in servers]
    lines = connect(sample, outsider, _FEW)
    calls = answers(sample, outsider, Plan(times=_FEW))
    greeted = [one for one in lines if one.heard]
    answered = [one for one in calls if one.succeeded]
    by_port = {TCP_PORT: len(greeted), PORT: len(answered)}
    closed = PORT if port == TCP_PORT else TCP_PORT
    expected = f"{outsider} to be let in at port {port}, and not at {closed}"
    observed = ", ".join(
        f"{count} of {_FEW} let in at port {one}" for one, count in by_port.items()
    )
    if by_port[closed] or by_port[port] < _FEW:
        such = [one for one in (*lines, *calls) if one not in (*greeted, *answered)]
        example = f", such as {such[0]}" if such and by_port[port] < _FEW else ""
        return Verdict(Outcome.FAIL, expected, f"{observed}{example}")
    # Not by its port: the kernel gives a connection another one where its own is taken there.
    own = str(outsider.address)

    def ours(seen: Sequence[TurnedAway]) -> list[TurnedAway]:
        return [one for one in seen if UNMATCHED in one.why and one.address == own]

    away = ours(turned_away_by(logs, lambda seen: len(ours(seen)) >= _FEW))
    outcome = Outcome.PASS if len(away) >= _FEW else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{observed}; {len(away)} turned away by its proxy's log")


def _times(sample: Sample) -> int:
    return calls_to_meet(sample.smallest_share)
