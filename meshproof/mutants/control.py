"""The control run: which tests hold with the mutants' program and every mutant off.

Without it "noticed" means nothing: a test that fails anyway would notice every mutant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.report import Judged
from meshproof.report.outcomes import KNOWN

PASS, FAIL = "PASS", "FAIL"
_FAILED = (FAIL, KNOWN)


@dataclass(frozen=True)
class Control:
    """``tests``: how the tests ended with no mutant on; ``of_all``: whether those of all behaviours
    are among them."""

    tests: tuple[Judged, ...] = ()
    of_all: bool = False

    @property
    def behaviours(self) -> tuple[str, ...]:
        """Those of which tests were judged."""
        return tuple(dict.fromkeys(one.behaviour for one in self.tests))

    def why_not(self, behaviour: str) -> str:
        """Why a behaviour's failure would tell nothing of a mutant; "" when it would. It must
        have held, but for tests whose failure is a known issue of Istio."""
        theirs = [one for one in self.tests if one.behaviour == behaviour]
        wrong = next((one for one in theirs if one.outcome not in (PASS, KNOWN)), None)
        if wrong is not None:
            return f"{behaviour} was {wrong.outcome} with no mutant on: {wrong.why}"
        if not any(one.outcome == PASS for one in theirs):
            return f"{behaviour} was not judged with no mutant on"
        return ""

    def failures(self, tests: Iterable[Judged]) -> list[Judged]:
        """Those that failed, and held in the control. What looks like a known issue now, and was
        none then, is the mutant's doing."""
        held = self._held()
        return [one for one in tests if one.outcome in _FAILED and one.test in held]

    def tells(self, one: Judged) -> bool:
        """Whether a test that did not fail tells that nothing is wrong: it holds, or did not in
        the control either."""
        return one.outcome == PASS or one.test not in self._held()

    def _held(self) -> set[str]:
        return {one.test for one in self.tests if one.outcome == PASS}


def not_judged(wanted: Sequence[str], judged: Control) -> list[str]:
    """The behaviours that are still to be judged: also those that a run of all, if there was one,
    left out, such as extended ones."""
    return [one for one in wanted if one not in judged.behaviours]
