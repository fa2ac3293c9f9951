"""What is claimed of calls that went on while a mesh was changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from meshproof.expect import Outcome, Verdict, all_of, refused_with, succeeded
from meshproof.expect.cut import lost_to_drains_alone
from meshproof.expect.loss import all_heard, kept_to_ways, nobody_missing, of_a_stream
from meshproof.model import Mtls
from meshproof.traffic.response import Refused, Response
from meshproof.traffic.stream_history import History, Mark, StreamCall, Stretch
from meshproof.traffic.stream_over import Found

AWAY, BACK = "the remote secret is removed", "it is given again"
"""What is done to a secret, as a stream's marks have it."""
LEFT, JOINED = "a cluster leaves the mesh", "it joins the mesh again"
"""The same of a cluster."""
EDITED, UNDONE = "meshNetworks say another address of the gateway", "they say its own again"
"""The same of ``meshNetworks``."""

_FEW = 10
_SLACK = 1.0
"""Seconds in which all workers of a proxy have learnt what one has."""
_AT_THE_END = 15.0
"""Seconds at a stream's end in which all that is there must be heard."""
_QUIET = 60
"""So many answered calls, none of which met a version: by chance once in 2^35 where it had a third
of them."""


@dataclass(frozen=True)
class Outside:
    """What callers without a sidecar got at a stage. ``mode``: what the mesh's mTLS mode was then;
    ``when``: for people."""

    mode: Mtls
    when: str
    responses: Sequence[Response]


def forgotten_and_read_again(
    history: History, callers: Collection[str], versions: Sequence[str]
) -> Verdict:
    """While a cluster's secret is away its versions do not answer these callers, whose calls
    others answer, so that none is lost; once it is there again they do. How long both took is
    told."""
    gone = dict.fromkeys(callers, versions)
    kept = lost_to_drains_alone(history, [_between(history, AWAY, BACK)])
    return of_a_stream(history, [kept, *_forgotten(history, gone, AWAY, BACK)])


def left_and_joined(found: Found, gone: Mapping[str, Collection[str]]) -> Verdict:
    """While a cluster is no part of the mesh, callers are not answered by those versions whose
    cluster their istiod has lost, and others answer, so that no call is lost; once it has joined
    again they answer all the time, and in the end every pod does.

    ``gone``: by caller the versions that it loses meanwhile.
    """
    history = found.history
    again = [
        one.at
        for caller, versions in gone.items()
        for version in versions
        for one in _heard(history, caller, version, _moment(history, JOINED))[:1]
    ]
    since = max(again, default=history.end)
    claims = [
        lost_to_drains_alone(history, [_between(history, LEFT, JOINED)]),
        *_forgotten(history, gone, LEFT, JOINED),
        kept_to_ways(history, found.ways),
        nobody_missing(history.part(since), found.shares, found.behind_one),
        all_heard(history, found.pods, history.end - _AT_THE_END, "at the end"),
    ]
    return of_a_stream(history, claims)


def was_taken(history: History, way: str) -> Verdict:
    """Requests were sent by a way that was there for a while. ``way``: its address and port."""
    expected = f"some requests to be sent to {way}"
    logged = [one.log for one in history.calls if one.answered and one.log is not None]
    if not logged:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no call was answered and logged")
    count = sum(one.upstream_host == way for one in logged)
    observed = f"{count} of {len(logged)} calls were sent there"
    return Verdict(Outcome.PASS if count else Outcome.FAIL, expected, observed)


def kept_encrypted(history: History) -> Verdict:
    """Whoever answered had shown a certificate to the caller's proxy, in every call."""
    expected = "every call to be answered by somebody who showed a certificate"
    logged = [one for one in history.calls if one.answered and one.log is not None]
    if not logged:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no call was answered and logged")
    plain = [one for one in logged if one.log is not None and not one.log.upstream_peer]
    if plain:
        observed = (
            f"{len(plain)} of {len(logged)} calls were in plain text, the first of them from "
            f"{plain[0].caller} {history.relative(plain[0].at)}"
        )
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all of {len(logged)} calls were")


def outsiders_met_the_mode(stages: Sequence[Outside]) -> Verdict:
    """At each stage callers without a sidecar got what the mode has for them: an answer, in plain
    text as it came, or a connection that is reset where the mesh is strict."""
    return all_of(verdict for one in stages for verdict in _met_the_mode(one))


def followed(history: History, other: str, own: str) -> Verdict:
    """Requests that went through a gateway went in at the address that ``meshNetworks`` said: at
    the other one once they had been edited, and at its own before, and once that was undone.

    ``other``, ``own``: addresses and ports.
    """
    expected = f"requests to go in at {other} once {EDITED}, and at {own} once {UNDONE}"
    edited, undone = _mark(history, EDITED), _mark(history, UNDONE)
    stages = (
        ("before", own, 0.0, edited.begin),
        ("once they had been edited", other, edited.end + _SLACK, undone.begin),
        ("once that was undone", own, undone.end + _SLACK, history.end),
    )
    counts = []
    for when, due, begin, end in stages:
        calls = [one for one in history.between(begin, end) if one.kind.chooses]
        hosts = [one.log.upstream_host for one in calls if one.log is not None]
        through = [one for one in hosts if one in (other, own)]
        wrong = [one for one in through if one != due]
        if wrong:
            observed = f"{when} {len(wrong)} of {len(through)} requests went in at {wrong[0]}"
            return Verdict(Outcome.FAIL, expected, observed)
        if len(through) < _FEW:
            observed = f"{when} {len(through)} requests went through the gateway"
            return Verdict(Outcome.INCONCLUSIVE, expected, observed)
        counts.append(f"{when} {len(through)} went in at {due}")
    return Verdict(Outcome.PASS, expected, "; ".join(counts))


def went_over(history: History, version: str, home: str, to: str) -> Verdict:
    """A version answered from one cluster alone until anything was done, and from another alone
    when everything had been."""
    expected = f"{version} to answer from {home} before, and from {to} alone afterwards"
    calls = [one for one in history.calls if one.answered and one.version == version]
    before = [one for one in calls if one.at < history.changed]
    after = [one for one in calls if one.at >= history.done]
    if len(before) < _FEW or len(after) < _FEW:
        observed = f"it answered {len(before)} calls before, and {len(after)} afterwards"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    for listed, due, when in ((before, home, "before"), (after, to, "afterwards")):
        if others := sorted({one.cluster or "nobody knows where" for one in listed} - {due}):
            observed = f"it answered from {', '.join(others)} {when}"
            return Verdict(Outcome.FAIL, expected, observed)
    observed = f"{len(before)} answers came from {home}, and {len(after)} from {to} afterwards"
    return Verdict(Outcome.PASS, expected, observed)


def _met_the_mode(stage: Outside) -> list[Verdict]:
    if stage.mode is Mtls.STRICT:
        found = [refused_with(stage.responses, refusal=Refused.RESET)]
    else:
        named = sorted({one.identity for one in stage.responses if one.identity})
        nobody = Verdict(
            Outcome.FAIL if named else Outcome.PASS,
            "the server to know nothing of who calls in plain text",
            f"it took a caller without a sidecar for {named[0]}" if named else "it knew nobody",
        )
        found = [succeeded(stage.responses), nobody]
    when = stage.when
    return [
        replace(one, expected=f"{when} {one.expected}", observed=f"{when}: {one.observed}")
        for one in found
    ]


def _forgotten(
    history: History, gone: Mapping[str, Collection[str]], away: str, back: str
) -> list[Verdict]:
    """By caller and version whether it did not answer once one thing was done, and did again once
    another was."""
    return [
        _was_quiet(history, caller, version, away, back)
        for caller, versions in gone.items()
        for version in versions
    ]


def _was_quiet(history: History, caller: str, version: str, away: str, back: str) -> Verdict:
    expected = f"{version} to answer {caller} no more once {away}, and again once {back}"
    begin, until = _moment(history, away), _moment(history, back)
    between = [one.at for one in _heard(history, caller, version, begin) if one.at < until]
    again = _heard(history, caller, version, until)
    # What was answered just before it was put back shows that it was not forgotten at all.
    last = max(between, default=begin)
    quiet = [one for one in _chosen(history, caller) if last < one.at < until]
    if len(quiet) < _QUIET:
        observed = f"{until - last:.1f} s before {back} it still answered {caller}"
        return Verdict(Outcome.FAIL, expected, observed)
    if not again:
        observed = f"it did not answer {caller} in {history.end - until:.0f} s after {back}"
        return Verdict(Outcome.FAIL, expected, observed)
    observed = (
        f"it was forgotten after {last - begin:.1f} s, and answered {caller} again "
        f"{again[0].at - until:.1f} s after {back}"
    )
    return Verdict(Outcome.PASS, expected, observed)


def _chosen(history: History, caller: str) -> list[StreamCall]:
    """The answered calls of a caller for which its proxy chose an endpoint."""
    return [one for one in history.of(caller) if one.kind.chooses and one.answered]


def _heard(history: History, caller: str, version: str, since: float) -> list[StreamCall]:
    """Those of them that a version answered since a moment."""
    calls = _chosen(history, caller)
    return [one for one in calls if one.version == version and one.at >= since]


def _between(history: History, away: str, back: str) -> Stretch:
    """From when an istiod may have told servers to take listeners away until it no longer does: one
    that does not read a cluster knows none of its services (``plan_without`` in secrets.py)."""
    return Stretch(_mark(history, away).begin, _mark(history, back).end)


def _moment(history: History, what: str) -> float:
    return _mark(history, what).begin


def _mark(history: History, what: str) -> Mark:
    return next(one for one in history.marks if one.what == what)
