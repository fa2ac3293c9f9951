"""Tests of a run that were judged several times: how often they did not hold, and which held some
of these times alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.model.request import of_all_rounds
from meshproof.report.outcomes import KNOWN, WORST_FIRST, Judged

_WORDS = {"FAIL": "failed", "INCONCLUSIVE": "could not be told", KNOWN: "failed as known"}


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
    found = [Flaky(test, tuple(own)) for test, own in _rounds(outcomes).items()]
    return [one for one in found if "PASS" in one.outcomes and len(set(one.outcomes)) > 1]


def repeated(outcomes: Iterable[Judged]) -> str:
    """How often tests that were judged several times did not hold, in a sentence; "" where none
    was. On a mesh with which nothing is wrong, that is how many false alarms there were."""
    judged = [[one for one in own if one != "skipped"] for own in _rounds(outcomes).values()]
    rounds = [own for own in judged if len(own) > 1]
    if not rounds:
        return ""
    counts = Counter(outcome for own in rounds for outcome in own)
    bad = [one for one in ("FAIL", "INCONCLUSIVE") if counts[one]]
    named = ", ".join(f"{_WORDS[one]} {counts[one]}" for one in bad)
    return (
        f"Judged several times each: tests {len(rounds)}, verdicts {sum(counts.values())}; "
        f"did not hold {sum(counts[one] for one in bad)}{f' ({named})' if bad else ''}; "
        f"failed as known {counts[KNOWN]}."
    )


def _rounds(outcomes: Iterable[Judged]) -> dict[str, list[str]]:
    """The outcomes of each test, by its id without rounds."""
    rounds: dict[str, dict[str, str]] = {}
    for one in outcomes:
        own = rounds.setdefault(of_all_rounds(one.test), {})
        own[one.test] = min(own.get(one.test, one.outcome), one.outcome, key=WORST_FIRST.index)
    return {test: list(own.values()) for test, own in rounds.items()}
