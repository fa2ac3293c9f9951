"""`compare` and `trend`: exit codes, and files where they are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.harness import Case, case, check, refused, unable
from tests.cli.laid import Lay, all_of
from tests.cli.records import lay, whole
from tests.cli.world import World

COMPARE = "compare a b"


def _both(before: str, after: str) -> Lay:
    return all_of(lay(whole([before], 0), "a"), lay(whole([after], 0), "b"))


def both(before: str, after: str) -> dict[str, Any]:
    return {"lay": _both(before, after)}


FOLDER = "work/made/here"
MADE = ("work/made", FOLDER, f"{FOLDER}/compare.html", f"{FOLDER}/compare.md")
CASES = [
    case("the same", COMPARE, 0, "NOTHING BROKE: 1 behaviours", **both("PASS", "PASS")),
    case("broke", COMPARE, 1, "broke: distribution/every", "BROKE: 1", **both("PASS", "FAIL")),
    case("unclear", COMPARE, 2, "COULD NOT TELL: 1", **both("PASS", "INCONCLUSIVE")),
    case("mended", COMPARE, 0, "mended: distribution/every", **both("FAIL", "PASS")),
    case(
        "files",
        f"{COMPARE} --format html,markdown --out made/here",
        1,
        "made/here/compare.html",
        makes=MADE,
        **both("PASS", "FAIL"),
    ),
    case("for programs", f"{COMPARE} --json", 1, '"result": "broke"', **both("PASS", "FAIL")),
    case("a trend for programs", "trend a b --json", 0, '"kind": "Trend"', **both("PASS", "PASS")),
    refused(
        "a trend in two forms",
        "trend a b --json --markdown",
        "ask for two forms",
        **both("PASS", "PASS"),
    ),
    refused("one run", "compare a", "Missing argument", lay=lay(whole(["PASS"], 0), "a")),
    refused("no run", COMPARE, "a is no run's folder"),
    refused(
        "no form", f"{COMPARE} --format htlm", "there is no format", "html", **both("PASS", "PASS")
    ),
    case("a trend", "trend a b", 0, "2 runs, 1 behaviour on", "1 flaky", **both("PASS", "FAIL")),
    case(
        "a trend of all that is in a folder, which has more than runs",
        "trend a b empty",
        0,
        "2 runs",
        "Left out: empty is no run's folder: it has no events.jsonl",
        lay=all_of(_both("PASS", "FAIL"), lambda world: (world.work / "empty").mkdir()),
    ),
    case(
        "a trend with a record that cannot be read",
        "trend a b c",
        2,
        "2 runs",
        "Left out: line 1 of the run's record",
        lay=all_of(_both("PASS", "FAIL"), lay("{\n", "c")),
    ),
    unable("a trend of what cannot be read", "trend c", "line 1 of", lay=lay("{\n", "c")),
    refused(
        "a trend with a word misspelled",
        "trend a bb",
        "bb is no run's folder",
        **both("PASS", "PASS"),
    ),
    refused(
        "a trend of empty folders",
        "trend a b",
        "a is no run's folder",
        lay=all_of(*(lambda world, name=name: (world.work / name).mkdir() for name in "ab")),
    ),
    refused(
        "a place for no files", f"{COMPARE} --out x", "add '--format html'", **both("PASS", "PASS")
    ),
    case("as Markdown", "trend a b --markdown", 0, "### Flaky", **both("PASS", "FAIL")),
    refused(
        "a trend of no times", "trend a b --most 0", "give a number from 1", **both("PASS", "PASS")
    ),
    refused("a trend of nothing", "trend", "Missing argument"),
    refused("a trend of no run", "trend x", "x is no run's folder"),
]


@pytest.mark.parametrize("one", CASES)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
