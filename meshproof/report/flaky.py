"""Tests of a run that were judged several times, and held some of these alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.model.request import of_all_rounds
from meshproof.report.outcomes import WORST_FIRST, Judged

_WORDS = {"FAIL": "failed", "INCONCLUSIVE": "could not be told", "KNOWN": "failed as known"}


@dataclass(frozen=True)
class Flaky:
    """``test``: its id without rounds; ``outcomes``: that of each round, in order."""

    test: str
    outcomes: Sequence[str]

    def __str__(self) -> str:
        counts = Counter(self.outcomes)
        other = [
            f"{_WORDS.get(one, one)} {counts[one]}"
            for one in WORST_FIRST
            if one in counts.keys() - {"PASS"}
        ]
        rounds = len(self.outcomes)
        return f"FLAKY: held {counts['PASS']} of {rounds} times, {', '.join(other)}: {self.test}"


def flaky_in(outcomes: Iterable[Judged]) -> list[Flaky]:
    """The tests that held in one round and not in another; a round that was judged and then could
    not be torn down counts with the worse."""
    rounds: dict[str, dict[str, str]] = {}
    for one in outcomes:
        own = rounds.setdefault(of_all_rounds(one.test), {})
        own[one.test] = min(own.get(one.test, one.outcome), one.outcome, key=WORST_FIRST.index)
    found = [Flaky(test, tuple(own.values())) for test, own in rounds.items()]
    return [one for one in found if "PASS" in one.outcomes and len(set(one.outcomes)) > 1]
