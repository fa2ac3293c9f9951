"""What a run came to: how many tests held, failed, could not tell, were not run; one line, and
the exit code that follows from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD
from meshproof.events import Event
from meshproof.model import Policy
from meshproof.report.known import mended_in
from meshproof.report.outcomes import KNOWN, WORST_FIRST, Judged, planned_in

_WORDS = {EXIT_HELD: "HELD", EXIT_DID_NOT_HOLD: "FAILED"}


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of tests. ``not_run``: those that were planned and have no verdict, for whatever
    reason; ``known``: those that failed just as known issues say; ``mended``: how many known
    issues did not show although they should."""

    held: int = 0
    failed: int = 0
    unclear: int = 0
    not_run: int = 0
    known: int = 0
    mended: int = 0

    @classmethod
    def of(cls, outcomes: Sequence[Judged], planned: Collection[str]) -> Tally:
        """The tally of a run's outcomes, where of several of one test the worst counts.

        ``planned``: the ids of the tests that were to be run.
        """
        worst: dict[str, str] = {}
        for one in outcomes:
            said = worst.get(one.test, one.outcome)
            worst[one.test] = min(said, one.outcome, key=WORST_FIRST.index)
        found = list(worst.values())
        return cls(
            held=found.count("PASS"),
            failed=found.count("FAIL"),
            unclear=found.count("INCONCLUSIVE"),
            not_run=found.count("skipped") + len(set(planned) - worst.keys()),
            known=found.count(KNOWN),
            mended=len(mended_in(outcomes)),
        )

    def exit_code(self, policy: Policy) -> int:
        """0 when all held, 1 when something did not, 2 when there is no telling.

        ``policy``: whether what failed just as known issues say has failed. It was judged.
        """
        if self.failed or (self.known and policy is Policy.FAIL):
            return EXIT_DID_NOT_HOLD
        if self.unclear or self.not_run or not (self.held or self.known):
            return EXIT_COULD_NOT_TELL
        return EXIT_HELD

    @staticmethod
    def word(exit_code: int) -> str:
        """What an exit code means: "HELD", "FAILED" or "COULD NOT TELL"."""
        return _WORDS.get(exit_code, "COULD NOT TELL")

    def line(self, exit_code: int) -> str:
        """The tally in one line, which begins with what ``exit_code`` means."""
        whole = self.held + self.failed + self.unclear + self.not_run + self.known
        word = self.word(exit_code)
        held = f"{self.held} of {whole}{'' if exit_code == EXIT_HELD else ' held'}"
        known = f", {self.known} failed as known" if self.known else ""
        rest = f"{self.failed} failed, {self.unclear} could not tell, {self.not_run} not run"
        issues = f"known issue{'s' if self.mended > 1 else ''}"
        mended = f"; {self.mended} {issues} did not show" if self.mended else ""
        return f"{word}: {held}{known}; {rest}{mended}"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a recorded run ended. ``exit_code``: the run's own, if it came to an end; else what
    its outcomes say. ``early``: why the record is not whole, if it is not."""

    tally: Tally
    exit_code: int
    early: str | None = None


def ending(events: Iterable[Event], outcomes: Sequence[Judged]) -> Ending:
    """How the run ended whose record these events are."""
    told = ("run-begin", "run-end", "not-applicable")
    marks = [event for event in events if event.kind in told]
    begins = [event for event in marks if event.kind == "run-begin"]
    ends = [event for event in marks if event.kind == "run-end"]
    tally, policy = Tally.of(outcomes, planned_in(marks)), _policy_in(begins)
    failed = tally.exit_code(policy) == EXIT_DID_NOT_HOLD
    if outcomes and (len(begins) != 1 or len(ends) > 1):
        lacks = "has no beginning" if not begins else "is of several runs"
        worse = EXIT_DID_NOT_HOLD if failed else EXIT_COULD_NOT_TELL
        return Ending(tally, worse, f"The record {lacks}: what was to be judged is not known.")
    if ends:
        code = ends[0].data["exit_code"]
        # A record that contradicts itself is believed where it says the worse.
        found = tally.exit_code(policy)
        is_worse = failed or (code == EXIT_HELD and found != EXIT_HELD)
        return Ending(tally, found if is_worse else code)
    when = "before its first verdict" if not outcomes else "before the run came to its end"
    # What was seen to fail has failed, whatever became of the rest.
    worse = EXIT_DID_NOT_HOLD if failed else EXIT_COULD_NOT_TELL
    return Ending(tally, worse, f"The record ends early, {when}.")


def _policy_in(begins: Iterable[Event]) -> Policy:
    """What known issues do to a recorded run: where it is several runs, the worst of them."""
    said = [event.data.get("request", {}).get("known_issues") for event in begins]
    return Policy.FAIL if Policy.FAIL.value in said else Policy.ALLOW
