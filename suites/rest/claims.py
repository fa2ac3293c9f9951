"""What is claimed of calls that went on while nothing was done."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict
from meshproof.traffic.stream_history import History

NOTHING = "nothing is done"
"""What is done, as a stream's mark has it."""


def went_on(history: History, seconds: float) -> Verdict:
    """The control: calls were made for so long while nothing was done."""
    expected = f"calls for {seconds:.0f} s while {NOTHING}"
    made = history.end - history.changed
    outcome = Outcome.PASS if made >= seconds else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"calls were made for {made:.0f} s")
