"""The one wait loop. Nothing else in meshproof sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import tenacity

from meshproof.errors import WaitFailedError, WaitTimeoutError
from meshproof.events import Recorder

Seen = TypeVar("Seen")


def eventually(
    probe: Callable[[], Seen],
    *,
    what: str,
    within: float,
    until: Callable[[Seen], bool] = bool,
    fail_if: Callable[[Seen], str | None] | None = None,
    stable_for: float = 0.0,
    every: float = 0.2,
    recorder: Recorder | None = None,
) -> Seen:
    """Call ``probe`` until ``until`` holds for what it returns, and return that.

    ``what`` names the thing awaited, for messages. ``within``, ``stable_for`` (how long
    ``until`` must hold without a break) and ``every`` (pause between probes) are seconds.
    ``fail_if`` returns a reason when the state seen cannot recover. Only changes of what was
    seen are recorded.

    Raises WaitFailedError on such a state, WaitTimeoutError (with what was last seen) when the
    time is up, and what was last seen was looked for in its second half: a look that takes long,
    as one that waits for silent servers, tells of the moment it began at. Errors that ``probe``
    raises are not caught: a probe that may fail says so by what it returns.
    """
    begin = time.monotonic()
    last: list[Seen] = []
    held_since: list[float] = []
    looked = begin

    def attempt() -> bool:
        nonlocal looked
        looked = time.monotonic()
        seen = probe()
        if recorder is not None and (not last or last[-1] != seen):
            recorder.emit("wait", what=what, seen=str(seen)[:500])
        last[:] = [seen]
        reason = fail_if(seen) if fail_if else None
        if reason:
            raise WaitFailedError(f"{what} cannot come about any more: {reason}")
        if not until(seen):
            held_since.clear()
            return False
        held_since[:] = held_since or [time.monotonic()]
        return time.monotonic() - held_since[0] >= stable_for

    def over(state: tenacity.RetryCallState) -> bool:
        return tenacity.stop_after_delay(within)(state) and looked - begin >= within / 2

    loop = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda held: not held),
        stop=over,
        wait=tenacity.wait_fixed(every),
        sleep=time.sleep,
    )
    try:
        loop(attempt)
    except tenacity.RetryError:
        waited = time.monotonic() - begin
        raise WaitTimeoutError(
            f"{what} did not come about within {waited:.0f} s; last seen: {str(last[-1])[:1500]}"
        ) from None
    finally:
        if recorder is not None:
            recorder.emit("waited", what=what, seconds=round(time.monotonic() - begin, 3))
    return last[-1]
