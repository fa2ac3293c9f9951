"""How the tests of a recorded run ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.events import Event

KNOWN = "KNOWN"
"""What a record calls a failure that known issues explain."""
SIGNS = {"FAIL": "✗", "INCONCLUSIVE": "?", KNOWN: "!", "skipped": "-", "PASS": "✓"}
"""What stands for each outcome where there is room for one character."""
WORST_FIRST = ("FAIL", "INCONCLUSIVE", "skipped", KNOWN, "PASS")


@dataclass(frozen=True, slots=True)
class Issue:
    """A known issue that applies to a test. ``link``: where it is public; ``seen``: what is seen
    of it; ``shows``: whether the test failed, and just so."""

    link: str
    seen: str
    shows: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """One test's outcome: "PASS", "FAIL", "INCONCLUSIVE", "skipped", or "KNOWN" where it failed
    just as known issues say; and why.

    ``behaviour``: its id; ``deployment``: the name of what the test ran on; ``evidence``: pages
    in the run's folder that explain why it did not hold; ``cause``: what kept it from being
    judged, in words that all tests have in common that it did so to; "" for one that was judged;
    ``known_issues``: those that apply to it, whatever its outcome.
    """

    test: str
    behaviour: str
    sentence: str
    deployment: str
    outcome: str
    why: str
    seconds: float
    evidence: tuple[str, ...] = ()
    cause: str = ""
    known_issues: tuple[Issue, ...] = ()


def judged(events: Sequence[Event]) -> list[Judged]:
    """The outcomes of a record's tests, in the order in which they were planned: of several
    workers they come in as it happens, and a table is to be compared with another."""
    place = {test: number for number, test in enumerate(planned_in(events))}
    found = [outcome_of(event) for event in events if event.kind == "test"]
    return sorted(found, key=lambda one: place.get(one.test, 0))


def planned_in(events: Iterable[Event]) -> list[str]:
    """The ids of the tests that a record's run was to judge, in order; not of those that turned out
    not to apply."""
    told = list(events)
    apart = {str(one.data["test"]) for one in told if one.kind == "not-applicable"}
    planned = (str(test) for one in told if one.kind == "run-begin" for test in one.data["tests"])
    return [test for test in planned if test not in apart]


def outcome_of(event: Event) -> Judged:
    """The outcome that an event of the kind "test" tells."""
    data = event.data
    return Judged(
        data["test"],
        data["behaviour"],
        data["sentence"],
        data["deployment"]["id"],
        data["outcome"],
        data["why"],
        data["seconds"],
        tuple(data["evidence"]),
        data.get("cause", ""),
        tuple(
            Issue(one["link"], one["seen"], one["shows"]) for one in data.get("known_issues", [])
        ),
    )
