"""What is claimed of policies for one port, so that sabotage can claim the same.

Each is claimed of both ports, the plain one and that for HTTP: where the rule is for the one, the
other is the control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet, refused_with, succeeded
from meshproof.expect.control import as_control
from meshproof.process import side_by_side
from meshproof.traffic.access_log import (
    UNMATCHED,
    WITHIN,
    ProxyLog,
    TurnedAway,
    log_from_now,
    turned_away_by,
)
from meshproof.traffic.calls import Plan, answers, call_from_each
from meshproof.traffic.response import Refused
from meshproof.traffic.settle import converge
from meshproof.traffic.tcp import Connection, connect, hold
from meshproof.workloads.sample import PORT, TCP_PORT, Sample

_ODDS = 2**-12
_FEW = 3
_FORBIDDEN = 403


def denied_at(sample: Sample, port: int) -> Verdict:
    """Sleep of every cluster is refused at one port of helloworld by each version it reaches, for
    the policy's sake, and let in at the other."""
    return _denied_by_lines(sample) if port == TCP_PORT else _denied_by_http(sample)


def plain_text_at(sample: Sample, port: int) -> Verdict:
    """In each cluster a caller without a sidecar is let in at one port of helloworld, and turned
    away at the other by helloworld's proxy."""
    return all_of(_plain_text_in(sample, name, port) for name in sample.homes)


def _denied_by_lines(sample: Sample) -> Verdict:
    verdicts = []
    for name in sample.clusters:
        logs = [log_from_now(one) for one in sample.every_server()]
        held = hold(sample, sample.caller(name), _times(sample))
        verdicts += [_cut(held), _cut_by_the_policy(sample, name, held, logs)]
    answered = [succeeded(one) for one in call_from_each(sample, Plan(times=_times(sample)))]
    return all_of([*verdicts, *map(as_control, answered)])


def _denied_by_http(sample: Sample) -> Verdict:
    refused = [
        refused_with(one, status=_FORBIDDEN, detail="RBAC: access denied")
        for one in call_from_each(sample, Plan(times=_times(sample)))
    ]
    callers = [sample.caller(name) for name in sample.clusters]
    shell, times = sample.mesh.shell, _times(sample)
    held = side_by_side(shell, lambda one: hold(sample, one, times), callers)
    return all_of([*refused, *(as_control(_kept(one)) for one in held)])


def _cut(held: Sequence[Connection]) -> Verdict:
    """Each connection was ended by the other side, before a line of it was answered."""
    expected = f"{len(held)} connections to be ended before a line is answered"
    through = [one for one in held if one.refusal is None or one.heard > 1]
    if through:
        observed = f"{len(through)} were let in at port {TCP_PORT}, such as {through[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    astray = [one for one in held if one.refusal is not Refused.RESET]
    if astray or not held:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{astray[0] if astray else 'no calls'}")
    return Verdict(Outcome.PASS, expected, "all of them were")


def _cut_by_the_policy(
    sample: Sample, caller: str, held: Sequence[Connection], logs: Sequence[ProxyLog]
) -> Verdict:
    """The servers' proxies log each connection as denied by the policy, to sleep's identity; each
    version has some."""
    policy, identity = f"policy[deny-port-{TCP_PORT}]", sample.caller_identity(caller)
    reached = sample.reached_from(caller)
    expected = f"{len(held)} connections of {identity} to be denied by {policy}"

    def look() -> Counter[str]:
        found = Counter[str]()
        for log in logs:
            lines = log.connections("", bool, within=0)
            theirs = [one for one in lines if one.peer == identity and policy in one.termination]
            found[log.workload.version] += len(theirs)
        return found

    seen: list[Counter[str]] = []

    def all_there() -> bool:
        seen[:] = [look()]
        return sum(seen[0].values()) >= len(held)

    converge(all_there, what=f"lines of {policy}", within=WITHIN)
    found = seen[0] if seen else look()
    told = ", ".join(f"{count} by {version}" for version, count in found.items())
    silent = [version for version in reached if not found[version]]
    enough = sum(found.values()) >= len(held) and not silent
    return Verdict(Outcome.PASS if enough else Outcome.INCONCLUSIVE, expected, told)


def _kept(held: Sequence[Connection]) -> Verdict:
    expected = f"{len(held)} connections to be kept, and their lines answered"
    lost = [one for one in held if one.refusal is not None or one.heard < 2]
    if lost:
        return Verdict(Outcome.FAIL, expected, f"{len(lost)} were not, such as {lost[0]}")
    return Verdict(Outcome.PASS, expected, "all of them were")


def _plain_text_in(sample: Sample, name: str, port: int) -> Verdict:
    outsider = sample.outsider(name)
    servers = [one for one in sample.every_server() if one.cluster == name]
    logs = [log_from_now(one) for one in servers]
    lines = connect(sample, outsider, _FEW, patience=5)
    calls = answers(sample, outsider, Plan(times=_FEW, patience=5))
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
    sources = {one.source for one in (calls if closed == PORT else lines)}

    def ours(seen: Sequence[TurnedAway]) -> list[TurnedAway]:
        return [one for one in seen if UNMATCHED in one.why and one.source in sources]

    away = ours(turned_away_by(logs, lambda seen: len(ours(seen)) >= _FEW))
    outcome = Outcome.PASS if len(away) >= _FEW else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{observed}; {len(away)} turned away by its proxy's log")


def _times(sample: Sample) -> int:
    return calls_to_meet(sample.smallest_share, _ODDS)
