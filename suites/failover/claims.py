"""What is claimed of calls that go elsewhere while what they prefer is away."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from meshproof.expect import Outcome, Verdict
from meshproof.expect.loss import of_a_stream, told_of
from meshproof.traffic.stream_history import History, StreamCall, kinds_of_loss

GONE, BACK = "the near instances end", "they are there again"
"""What is done, as a stream's marks have it."""
WITHIN = 20.0
"""Seconds until callers have followed, on a busy machine as well: nobody promises a time, this is
ours."""
_FEW = 40


def goes_over_and_back(
    history: History, caller: str, near: Collection[str], far: Collection[str]
) -> Verdict:
    """A caller is answered by near versions alone; by far ones alone once those are gone; and by
    near ones alone when they are back. Once it has followed no call is lost; how many are until
    then is told."""
    gone, back = (next(one for one in history.marks if one.what == what) for what in (GONE, BACK))
    claims = [
        _answered_by(history, caller, near, 0, gone.begin, "before anything was done"),
        _answered_by(history, caller, far, gone.end + WITHIN, back.begin, f"once {GONE}"),
        _answered_by(history, caller, near, back.end + WITHIN, history.end, f"once {BACK}"),
    ]
    told = told_of(history)
    return of_a_stream(history, [*claims, Verdict(Outcome.PASS, "loss to be told", told)])


def _answered_by(
    history: History,
    caller: str,
    versions: Collection[str],
    begin: float,
    end: float,
    when: str,
) -> Verdict:
    expected = f"{caller} to be answered by {' and '.join(sorted(versions))} alone {when}"
    calls: Sequence[StreamCall] = [
        one for one in history.between(begin, end) if one.caller == caller
    ]
    if lost := [one for one in calls if one.lost]:
        observed = f"{len(lost)} of {len(calls)} calls were lost {when}: {kinds_of_loss(lost)}"
        return Verdict(Outcome.FAIL, expected, observed)
    chosen = [one for one in calls if one.answered and one.kind.chooses]
    if len(chosen) < _FEW:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"there were {len(chosen)} calls {when}")
    others = sorted({one.version for one in chosen} - set(versions))
    if others:
        observed = f"{', '.join(others)} answered {caller} as well {when}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{len(chosen)} calls were {when}")
