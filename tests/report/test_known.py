"""Known issues in a run's table and count: shown with their links, loud where they do not show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console

from meshproof.errors import EXIT_DID_NOT_HOLD, EXIT_HELD
from meshproof.events import Event
from meshproof.model import Policy
from meshproof.report import Issue, Judged, Tally, ending, summary
from meshproof.report.known import mended_in

LINK = "https://github.com/istio/istio/issues/32819"
WHY = "FAIL: expected v2; observed v1\n  answers: 12 x v1\n  known issue: and so on"


def held(test: str, applies: bool = True, deployment: str = "flat") -> Judged:
    issues = (Issue(LINK, "One of them answers for both.", False),) if applies else ()
    sentence = "Each is answered."
    return Judged(test, "lake/apart", sentence, deployment, "PASS", "", 1.0, known_issues=issues)


def known(test: str, deployment: str = "flat") -> Judged:
    issues = (Issue(LINK, "One of them answers for both.", True),)
    return replace(held(test, deployment=deployment), outcome="KNOWN", why=WHY, known_issues=issues)


def text(*outcomes: Judged) -> str:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(summary(outcomes))
    return capture.get()


def test_a_known_issue_is_told_once_with_its_link_and_what_was_seen() -> None:
    told = text(known("a"), known("b"), held("c", applies=False))
    assert "KNOWN (3)" in told
    assert (
        "KNOWN, 2 tests: istio/istio#32819: One of them answers for both.\n"
        f"  {LINK}\n  the first: a\nFAIL: expected v2; observed v1\n"
    ) in told
    assert told.count(LINK) == 1
    assert "DID NOT SHOW" not in told


def test_one_that_does_not_show_is_told_loudly() -> None:
    told = text(held("a"), held("b"), known("c", deployment="split"))
    assert "KNOWN ISSUE DID NOT SHOW: istio/istio#32819 seems to be mended on flat, where" in told
    assert "2 tests of lake/apart held" in told
    assert told.index("KNOWN, 1 test") < told.index("DID NOT SHOW")


@pytest.mark.parametrize(
    "other",
    [
        known("b"),
        replace(held("b"), outcome="FAIL"),
        replace(held("b"), outcome="INCONCLUSIVE"),
        replace(held("b"), outcome="skipped"),
    ],
    ids=lambda one: one.outcome,
)
def test_what_one_test_did_not_show_another_may(other: Judged) -> None:
    assert mended_in([held("a"), other]) == []


def test_nothing_is_mended_where_no_issue_applies() -> None:
    assert mended_in([held("a", applies=False)]) == []


@pytest.mark.parametrize(
    ("outcomes", "policy", "code", "line"),
    [
        (
            [known("a"), held("b", applies=False)],
            Policy.ALLOW,
            0,
            "HELD: 1 of 2, 1 failed as known; 0 failed, 0 could not tell, 0 not run",
        ),
        (
            [known("a"), held("b", applies=False)],
            Policy.FAIL,
            1,
            "FAILED: 1 of 2 held, 1 failed as known; 0 failed, 0 could not tell, 0 not run",
        ),
        # A run in which everything is known did judge something.
        (
            [known("a")],
            Policy.ALLOW,
            0,
            "HELD: 0 of 1, 1 failed as known; 0 failed, 0 could not tell, 0 not run",
        ),
        (
            [held("a"), held("b")],
            Policy.FAIL,
            0,
            "HELD: 2 of 2; 0 failed, 0 could not tell, 0 not run; 1 known issue did not show",
        ),
        (
            [known("a"), replace(held("b"), outcome="INCONCLUSIVE")],
            Policy.ALLOW,
            2,
            "COULD NOT TELL: 0 of 2 held, 1 failed as known; 0 failed, 1 could not tell, 0 not run",
        ),
        (
            [known("a"), replace(held("a"), outcome="INCONCLUSIVE"), held("b", applies=False)],
            Policy.ALLOW,
            2,
            "COULD NOT TELL: 1 of 2 held; 0 failed, 1 could not tell, 0 not run",
        ),
    ],
)
def test_the_line_and_the_exit_code(
    outcomes: list[Judged], policy: Policy, code: int, line: str
) -> None:
    tally = Tally.of(outcomes, [one.test for one in outcomes])
    assert tally.exit_code(policy) == code
    assert tally.line(code) == line


def begin(policy: object) -> Event:
    return Event(1.0, "run-begin", {"tests": ["a"], "request": {"known_issues": policy}})


@pytest.mark.parametrize(
    ("policy", "ended", "code"),
    [
        ("allow", EXIT_HELD, 0),
        ("fail", EXIT_DID_NOT_HOLD, 1),
        # A record that contradicts itself is believed where it says the worse.
        ("fail", EXIT_HELD, 1),
        (["fail"], EXIT_HELD, 0),
        ("fail", None, 1),
        ("allow", None, 2),
    ],
)
def test_a_record_is_reckoned_by_its_own_policy(
    policy: object, ended: int | None, code: int
) -> None:
    end = [Event(9.0, "run-end", {"exit_code": ended})] if ended is not None else []
    assert ending([begin(policy), *end], [known("a")]).exit_code == code
