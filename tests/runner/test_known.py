"""Known issues in a run: what is KNOWN, what it does to the run, and that it hides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from meshproof.events import read

CONFTEST = """
from packaging.specifiers import SpecifierSet
from meshproof.model import KnownIssue
from meshproof.runner.known import CATALOGUE

def pytest_configure(config):
    config.stash[CATALOGUE] = (
        KnownIssue(
            "https://github.com/istio/istio/issues/1",
            "lake/fish-swim",
            SpecifierSet(">=1.31"),
            "Fish sink.",
            (r"\\\\d+ sank",),
        ),
    )
"""
HEAD = """
import pytest
from meshproof.expect import Outcome, Verdict, all_of, noticed
from meshproof.runner.behaviours import behaviour, proves

@pytest.fixture
def sample(request):
    return request.param

def seen(outcome, observed):
    return Verdict(outcome, "fish that swim", observed)

SANK, BURNT = (seen(Outcome.FAIL, observed) for observed in ("3 sank", "burnt"))
GOOD, FOG = seen(Outcome.PASS, "fish"), seen(Outcome.INCONCLUSIVE, "fog")
FISH = behaviour("lake/fish-swim", feature="names")
"""
FLAT = ("--meshproof-topology=primary-remote-flat", "--meshproof-mtls=strict")
LINK = "https://github.com/istio/istio/issues/1"


def fish(judged: str) -> str:
    return f"@FISH\ndef test_fish(sample, judge):\n    '''Fish swim.'''\n    judge({judged})\n"


BIRDS = """
@behaviour("lake/birds-fly", feature="names")
def test_birds(sample, judge):
    '''Birds fly.'''
    judge(GOOD)
"""


def run(
    pytester: pytest.Pytester, body: str, *options: str, policy: str = "allow"
) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST.replace("\\\\", "\\"))
    pytester.makepyfile(test_it=HEAD + body)
    return pytester.runpytest_inprocess(*FLAT, f"--meshproof-known-issues={policy}", *options)


def conformance(
    pytester: pytest.Pytester, body: str, *options: str, policy: str = "allow"
) -> pytest.RunResult:
    return run(pytester, body, "--meshproof-conformance", *options, policy=policy)


def ended(pytester: pytest.Pytester) -> list[dict[str, Any]]:
    (path,) = pytester.path.glob("reports/*/events.jsonl")
    return [event.data for event in read(path) if event.kind == "test"]


def test_what_is_known_is_told_with_its_link_and_fails_no_run(pytester: pytest.Pytester) -> None:
    result = conformance(pytester, fish("SANK") + BIRDS, "--meshproof-enforce")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*KNOWN*Fish swim.*: istio/istio#1",
            "KNOWN, 1 test: istio/istio#1: Fish sink.",
            f"  {LINK}",
            "HELD: 1 of 2, 1 failed as known; 0 failed, 0 could not tell, 0 not run",
        ]
    )
    result.stdout.no_fnmatch_line("*To repeat the first failure*")
    assert {one["behaviour"]: (one["outcome"], one["known_issues"]) for one in ended(pytester)} == {
        "lake/fish-swim": ("KNOWN", [{"link": LINK, "seen": "Fish sink.", "shows": True}]),
        "lake/birds-fly": ("PASS", []),
    }


def test_it_fails_the_run_where_that_is_asked_for(pytester: pytest.Pytester) -> None:
    result = conformance(pytester, fish("SANK") + BIRDS, policy="fail")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["KNOWN, 1 test: *", "To repeat*", "FAILED: 1 of 2 held, 1 fail*"])
    assert [one["outcome"] for one in ended(pytester)] == ["KNOWN", "PASS"]


def test_a_run_in_which_everything_is_known_has_judged_something(
    pytester: pytest.Pytester,
) -> None:
    assert conformance(pytester, fish("SANK")).ret == 0


def test_pytests_own_summary_takes_it_for_what_fails_as_it_should(
    pytester: pytest.Pytester,
) -> None:
    result = conformance(pytester, fish("SANK") + BIRDS, "-ra")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*HELD: 1 of 2, 1 failed as known*"])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("judged", "code", "outcome"),
    [
        ("BURNT", 1, "FAIL"),
        ("all_of([SANK, BURNT])", 1, "FAIL"),
        ("all_of([SANK, FOG])", 2, "INCONCLUSIVE"),
        ("FOG", 2, "INCONCLUSIVE"),
        ("all_of([SANK, SANK, GOOD])", 0, "KNOWN"),
    ],
)
def test_nothing_else_is_hidden(
    pytester: pytest.Pytester, judged: str, code: int, outcome: str
) -> None:
    assert conformance(pytester, fish(judged)).ret == code
    assert [one["outcome"] for one in ended(pytester)] == [outcome]


def test_what_breaks_after_it_is_not_hidden(pytester: pytest.Pytester) -> None:
    body = """
@pytest.fixture
def torn():
    yield
    1 / 0

@FISH
def test_fish(sample, torn, judge):
    judge(SANK)
"""
    assert conformance(pytester, body).ret == 2
    assert [one["outcome"] for one in ended(pytester)] == ["KNOWN", "INCONCLUSIVE"]


def test_where_it_does_not_show_that_is_said_loudly(pytester: pytest.Pytester) -> None:
    result = conformance(pytester, fish("GOOD"))
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "KNOWN ISSUE DID NOT SHOW: istio/istio#1 seems to be mended on*",
            "HELD: 1 of 1; *; 1 known issue did not show",
        ]
    )


@pytest.mark.parametrize(
    ("judged", "outcome"),
    [
        ("noticed([SANK], 'sank')", "KNOWN"),
        ("noticed([SANK], 'burnt')", "KNOWN"),
        ("noticed([BURNT], 'burnt')", "PASS"),
        ("noticed([BURNT], 'sank')", "FAIL"),
        ("noticed([GOOD], 'sank')", "FAIL"),
    ],
)
def test_a_sabotage_is_not_noticed_by_what_is_known(
    pytester: pytest.Pytester, judged: str, outcome: str
) -> None:
    body = f"@proves('lake/fish-swim')\ndef test_acid(sample, judge):\n    judge({judged})\n"
    result = conformance(pytester, body)
    assert result.ret == (1 if outcome == "FAIL" else 0)
    result.stdout.fnmatch_lines([f"*{outcome}*"])
    if outcome == "KNOWN":
        result.stdout.fnmatch_lines(["*failed just as istio/istio#1 says, with or without what*"])


def test_pytest_alone_says_it_in_its_own_words(pytester: pytest.Pytester) -> None:
    result = run(pytester, fish("SANK") + BIRDS, "--meshproof-enforce", "-rx")
    assert result.ret == 0
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["XFAIL *test_fish* - known issue istio/istio#1*"])
    assert run(pytester, fish("SANK"), policy="fail").ret == 1


def test_workers_report_it_as_well(pytester: pytest.Pytester) -> None:
    result = conformance(pytester, fish("SANK") + BIRDS, "-n2")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["HELD: 1 of 2, 1 failed as known; *"])
