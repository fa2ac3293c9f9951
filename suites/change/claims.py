"""What is claimed of calls that went on while a mesh was changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from meshproof.expect import Outcome, Verdict, all_of, refused_with, succeeded
from meshproof.expect.loss import nothing_lost, of_a_stream
from meshproof.model import Mtls
from meshproof.traffic.response import Refused, Response
from meshproof.traffic.stream_history import History

AWAY, BACK = "the remote secret is removed", "it is given again"
"""What is done to a secret, as a stream's marks have it."""

_FEW = 10
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
    claims = [nothing_lost(history)]
    claims += [_forgotten(history, caller, one) for caller in callers for one in versions]
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


def _forgotten(history: History, caller: str, version: str) -> Verdict:
    begin, until = _moment(history, AWAY), _moment(history, BACK)
    expected = f"{version} to answer {caller} no more once {AWAY}, and again once {BACK}"
    calls = [one for one in history.of(caller) if one.kind.chooses and one.answered]
    heard = [one.at for one in calls if one.version == version]
    between = [moment for moment in heard if begin <= moment < until]
    again = [moment for moment in heard if moment >= until]
    # What was answered just before it was put back shows that it was not forgotten at all.
    last = max(between, default=begin)
    quiet = [one for one in calls if last < one.at < until]
    if len(quiet) < _QUIET:
        observed = f"{until - last:.1f} s before {BACK} it still answered {caller}"
        return Verdict(Outcome.FAIL, expected, observed)
    if not again:
        observed = f"it did not answer {caller} in {history.end - until:.0f} s after {BACK}"
        return Verdict(Outcome.FAIL, expected, observed)
    observed = (
        f"it was forgotten after {last - begin:.1f} s, and answered {caller} again "
        f"{again[0] - until:.1f} s after {BACK}"
    )
    return Verdict(Outcome.PASS, expected, observed)


def _moment(history: History, what: str) -> float:
    return next(one.begin for one in history.marks if one.what == what)
