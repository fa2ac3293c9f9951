"""Known issues hide nothing: neither another failure, nor what is unclear, nor a sabotage."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet

from meshproof.expect import Outcome, Verdict, all_of, noticed
from meshproof.expect.known import explained, undone
from meshproof.model import KnownIssue

ISSUE = KnownIssue(
    "https://github.com/istio/istio/issues/1", "a/b", SpecifierSet(), "it sinks", (r"\d sank",)
)
OTHER = KnownIssue(
    "https://github.com/istio/istio/issues/2", "a/b", SpecifierSet(), "it dries", ("dry",)
)


def seen(outcome: Outcome, observed: str) -> Verdict:
    return Verdict(outcome, "water", observed)


SANK, DRY = seen(Outcome.FAIL, "3 sank"), seen(Outcome.FAIL, "dry")
BURNT, UNCLEAR = seen(Outcome.FAIL, "burnt"), seen(Outcome.INCONCLUSIVE, "fog")
GOOD = seen(Outcome.PASS, "water")


def left(*verdicts: Verdict, issues: tuple[KnownIssue, ...] = (ISSUE,)) -> tuple[str, str, int]:
    verdict, known = explained(all_of(verdicts), issues)
    return verdict.outcome.value, verdict.observed, len(known)


def test_a_failure_that_is_seen_just_so_is_explained() -> None:
    assert left(SANK) == ("FAIL", "3 sank", 1)
    assert left(GOOD, SANK, SANK) == ("FAIL", "3 sank", 1)
    assert left(SANK, DRY, issues=(ISSUE, OTHER)) == ("FAIL", "3 sank", 2)


def test_any_other_failure_is_a_failure() -> None:
    assert left(BURNT) == ("FAIL", "burnt", 0)
    assert left(seen(Outcome.FAIL, "3 sank, 1 burnt")) == ("FAIL", "3 sank, 1 burnt", 0)
    assert left(SANK, issues=()) == ("FAIL", "3 sank", 0)


def test_what_failed_otherwise_beside_it_is_what_counts() -> None:
    assert left(SANK, BURNT) == ("FAIL", "burnt", 0)
    assert left(BURNT, SANK) == ("FAIL", "burnt", 0)
    assert left(SANK, DRY) == ("FAIL", "dry", 0)
    assert left(all_of([GOOD, all_of([SANK, UNCLEAR])]), all_of([SANK, BURNT])) == (
        "FAIL",
        "burnt",
        0,
    )


def test_what_is_unclear_beside_it_stays_unclear() -> None:
    assert left(SANK, UNCLEAR) == ("INCONCLUSIVE", "fog", 0)
    assert left(UNCLEAR, all_of([SANK, SANK])) == ("INCONCLUSIVE", "fog", 0)


def test_what_is_no_failure_is_left_as_it_is() -> None:
    assert left(GOOD)[0] == "PASS"
    assert left(seen(Outcome.INCONCLUSIVE, "3 sank")) == ("INCONCLUSIVE", "3 sank", 0)


def test_a_sabotage_that_saw_a_known_failure_has_shown_nothing() -> None:
    claimed = all_of([GOOD, noticed([BURNT], "burnt"), noticed([SANK], "sank")])
    assert claimed.outcome is Outcome.PASS
    found, shown = undone(claimed, (ISSUE,))
    assert (found.outcome, shown) == (Outcome.FAIL, (ISSUE,))
    assert "just as istio/istio#1 says" in found.observed
    assert undone(claimed, (OTHER,)) == (claimed, ())


def test_a_sabotage_that_a_known_failure_kept_from_being_seen_has_shown_nothing() -> None:
    missed = noticed([SANK], "burnt")
    assert missed.outcome is Outcome.FAIL
    assert undone(missed, (ISSUE,))[1] == (ISSUE,)
    assert undone(noticed([SANK, GOOD], "burnt"), (ISSUE,))[1] == ()


def test_a_sabotage_that_saw_something_else_has_shown_it() -> None:
    claimed = noticed([BURNT], "burnt")
    assert undone(claimed, (ISSUE,)) == (claimed, ())
    missed = noticed([GOOD], "burnt")
    assert undone(missed, (ISSUE,)) == (missed, ())
