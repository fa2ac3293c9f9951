"""What changed from one run to another, whatever the versions; and trends over many."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshproof.report.compare import Comparison, Kind, compare
from meshproof.report.compare.data import as_json
from meshproof.report.compare.views import lines, markdown, page
from meshproof.report.record import Record
from meshproof.report.trend import as_json as trend_json
from meshproof.report.trend import grids, trend
from meshproof.report.trend import markdown as trend_markdown
from tests.cli.records import not_told
from tests.report import runs as made
from tests.report.runs import EVERY, FLAT, HEADER, HOSTILE, SPLIT, a_test, known

OLD, NEW = "primary-remote-flat+1.31.0+strict", FLAT
SHAPE = "primary-remote-flat+strict"
Tests = list[dict[str, Any]]


def compared(folder: Path, before: Tests, after: Tests, **of_after: Any) -> Comparison:
    one = Record((made.recorded(folder / "a", before, 1),))
    return compare(one, Record((made.recorded(folder / "b", after, 1, **of_after),)))


@pytest.mark.parametrize(
    ("before", "after", "kind", "code"),
    [
        ("PASS", "PASS", Kind.SAME, 0),
        ("PASS", "FAIL", Kind.BROKE, 1),
        ("PASS", "KNOWN", Kind.BROKE, 1),
        ("KNOWN", "FAIL", Kind.BROKE, 1),
        ("FAIL", "PASS", Kind.MENDED, 0),
        ("KNOWN", "PASS", Kind.MENDED, 0),
        ("FAIL", "FAIL", Kind.STILL, 0),
        ("KNOWN", "KNOWN", Kind.STILL, 0),
        ("FAIL", "KNOWN", Kind.STILL, 0),
        ("PASS", "INCONCLUSIVE", Kind.UNCLEAR, 2),
        ("PASS", "skipped", Kind.UNCLEAR, 2),
        ("INCONCLUSIVE", "FAIL", Kind.UNCLEAR, 2),
        ("INCONCLUSIVE", "INCONCLUSIVE", Kind.UNCLEAR, 2),
        ("INCONCLUSIVE", "PASS", Kind.TOLD, 0),
    ],
)
def test_what_became_of_a_behaviour(
    tmp_path: Path, before: str, after: str, kind: Kind, code: int
) -> None:
    found = compared(tmp_path, [a_test(outcome=before)], [a_test(outcome=after)])
    assert [(one.kind, one.behaviour, one.place) for one in found.changes] == [(kind, HEADER, FLAT)]
    assert found.exit_code == code


def test_versions_do_not_keep_deployments_apart(tmp_path: Path) -> None:
    found = compared(tmp_path, [a_test(on=OLD)], [a_test(on=NEW, outcome="FAIL")])
    (change,) = found.changes
    assert (change.kind, change.place) == (Kind.BROKE, SHAPE)


def test_of_several_of_one_shape_those_with_one_id_belong_together(tmp_path: Path) -> None:
    both = [a_test(on=OLD), a_test(on=NEW)]
    found = compared(tmp_path, both, [a_test(on=OLD), a_test(on=NEW, outcome="FAIL")])
    assert [(one.kind, one.place) for one in found.changes] == [
        (Kind.BROKE, NEW),
        (Kind.SAME, OLD),
    ]
    newest = "primary-remote-flat+1.32.0+strict"
    found = compared(tmp_path / "x", both, [a_test(on=newest), a_test(on="x+1.0.0+strict")])
    assert {one.kind for one in found.changes} == {Kind.NEW, Kind.GONE}
    assert found.exit_code == 2


def test_the_worst_test_of_a_cell_counts(tmp_path: Path) -> None:
    after = [a_test(), a_test(of="-2", outcome="FAIL"), a_test(of="-3")]
    (change,) = compared(tmp_path, [a_test(), a_test(of="-2")], after).changes
    assert change.kind is Kind.BROKE


def test_what_is_gone_leaves_open_what_became_of_it_unless_it_does_not_apply(
    tmp_path: Path,
) -> None:
    before = [a_test(on=OLD), a_test(EVERY, OLD)]
    found = compared(tmp_path, before, [a_test(on=NEW)])
    assert [one.behaviour for one in found.of(Kind.GONE)] == [EVERY]
    assert found.exit_code == 2
    run = made.recorded(tmp_path / "c", [a_test(on=NEW)])
    from meshproof.events import Recorder, read

    line = not_told(behaviour=EVERY, deployment=NEW, reason="needs two networks")
    made.emit(Recorder(run.folder / "events.jsonl"), line)
    declared = Record((type(run)(run.folder, read(run.folder / "events.jsonl")),))
    found = compare(Record((made.recorded(tmp_path / "d", before),)), declared)
    assert found.exit_code == 0
    assert "does not apply" in lines(found)[2]


def test_what_was_planned_and_not_run_cannot_be_told(tmp_path: Path) -> None:
    lacking = [a_test(of="-2")["test"]]
    found = compared(tmp_path, [a_test(), a_test(of="-2")], [a_test()], lacking=lacking)
    assert [one.kind for one in found.changes] == [Kind.UNCLEAR]


@pytest.mark.parametrize(("outcome", "code"), [("PASS", 0), ("FAIL", 2), ("KNOWN", 2)])
def test_something_new_that_does_not_hold_leaves_it_open(
    tmp_path: Path, outcome: str, code: int
) -> None:
    found = compared(tmp_path, [a_test()], [a_test(), a_test(EVERY, outcome=outcome)])
    assert found.exit_code == code


def test_nothing_in_common_is_no_comparison(tmp_path: Path) -> None:
    assert compared(tmp_path, [], []).exit_code == 2


@pytest.mark.parametrize(
    ("before", "after", "is_slower"),
    [(10.0, 20.0, True), (10.0, 14.9, False), (1.0, 5.0, False), (100.0, 120.0, False)],
)
def test_slower_is_half_as_long_again_and_five_seconds(
    tmp_path: Path, before: float, after: float, is_slower: bool
) -> None:
    found = compared(tmp_path, [a_test(seconds=before)], [a_test(seconds=after)])
    assert [one.slower for one in found.changes] == [is_slower]
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("before", "after", "is_lossier"),
    [
        ({"200": 200}, {"200": 180, "503": 20}, True),
        ({"200": 200}, {"200": 199, "reset": 1}, False),
        ({"200": 180, "503": 20}, {"200": 200}, False),
        ({"403": 200}, {"403": 200}, False),
    ],
)
def test_lossier_is_more_than_chance_explains(
    tmp_path: Path, before: dict[str, int], after: dict[str, int], is_lossier: bool
) -> None:
    tests = [a_test() | {"answers": one} for one in (before, after)]
    for one in tests:
        one["made"] = sum(one["answers"].values())
    found = compared(tmp_path, tests[:1], tests[1:])
    assert [one.lossier for one in found.changes] == [is_lossier]


def test_every_view_tells_what_broke_first_and_hostile_text_as_text(tmp_path: Path) -> None:
    hostile = a_test(outcome="FAIL", why=HOSTILE) | {"sentence": HOSTILE}
    before = [a_test(), a_test(EVERY, outcome="FAIL"), known("names/resolve", SPLIT)]
    after = [hostile, a_test(EVERY), known("names/resolve", SPLIT), a_test("paths/new")]
    found = compared(tmp_path, before, after)
    told = lines(found)
    assert told[2].startswith(f"broke: {HEADER} on {FLAT}: PASS → FAIL")
    assert told[-1].startswith("BROKE: 3 behaviours on deployments compared; 1 broke, 1 still")
    html = page(found)
    assert "<script" not in html and "&lt;/script&gt;" in html and len(html) < 100_000
    assert html.index('id="broke"') < html.index('id="mended"') < html.index('id="new"')
    text = markdown(found)
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "<script" not in outside and outside != text
    assert "istio/istio&#35;32819" in text
    assert len(markdown(found, 3000).encode()) <= 3000


SIDE = {"runs", "began", "istio", "kubernetes", "bench", "proxies", "endedEarly"}


def test_a_comparison_for_programs_has_both_sides_of_every_change(tmp_path: Path) -> None:
    before = [a_test(seconds=1.0), a_test(EVERY, outcome="FAIL"), a_test("paths/old")]
    after = [known(seconds=2.0), a_test(EVERY), a_test("paths/new")]
    found = compared(tmp_path, before, after, lacking=[])
    data = json.loads(as_json(found))
    assert {name: data.pop(name) for name in ("apiVersion", "kind", "result", "exitCode")} == {
        "apiVersion": "meshproof/v1",
        "kind": "Comparison",
        "result": "broke",
        "exitCode": 1,
    }
    assert set(data) == {
        *("summary", "before", "after", "compared", "counts", "changes", "slowerPhases")
    }
    assert set(data["before"]) == set(data["after"]) == SIDE
    assert (data["before"]["runs"], data["after"]["runs"]) == (["a"], ["b"])
    assert data["summary"] == found.line and data["compared"] == 2
    assert {name: count for name, count in data["counts"].items() if count} == {
        "broke": 1,
        "mended": 1,
        "new": 1,
        "gone": 1,
    }
    assert len(data["counts"]) == len(Kind) + 2
    changes = {one["change"]: one for one in data["changes"]}
    assert list(changes) == ["broke", "mended", "new", "gone"]
    assert changes["new"]["before"] is None and changes["gone"]["after"] is None
    assert changes["gone"]["leavesOpen"] and not changes["gone"]["notApplicable"]
    broke = changes["broke"]
    links = [one.link for one in found.changes[0].after.worst.judged.known_issues]  # type: ignore[union-attr]
    assert {name: broke[name] for name in ("behaviour", "deployment", "slower", "lossier")} == {
        "behaviour": HEADER,
        "deployment": FLAT,
        "slower": False,
        "lossier": False,
    }
    assert broke["before"]["outcome"] == "PASS" and broke["before"]["knownIssues"] == []
    assert broke["after"]["outcome"] == "KNOWN" and broke["after"]["knownIssues"] == links
    assert (broke["before"]["seconds"], broke["after"]["seconds"]) == (1.0, 2.0)
    assert set(broke["after"]) == {
        *("outcome", "tests", "notRun", "why", "knownIssues", "seconds", "calls", "unanswered")
    }


@pytest.mark.parametrize(
    ("outcome", "result"), [("PASS", "nothing-broke"), ("INCONCLUSIVE", "could-not-tell")]
)
def test_a_comparison_for_programs_says_what_it_comes_to(
    tmp_path: Path, outcome: str, result: str
) -> None:
    found = compared(tmp_path, [a_test()], [a_test(outcome=outcome)])
    assert json.loads(as_json(found))["result"] == result


def test_a_trend_for_programs_has_a_place_for_each_run(tmp_path: Path) -> None:
    runs = [
        made.recorded(tmp_path / "0", [a_test(seconds=1.0)]),
        made.recorded(tmp_path / "1", [a_test(outcome="FAIL"), a_test(EVERY, seconds=20.0)], 1),
    ]
    data = json.loads(trend_json(trend(runs)))
    assert (data["apiVersion"], data["kind"]) == ("meshproof/v1", "Trend")
    assert [(one["run"], one["exitCode"]) for one in data["runs"]] == [("0", 0), ("1", 1)]
    assert data["runs"][1]["counts"] == {
        "held": 1,
        "failed": 1,
        "couldNotTell": 0,
        "knownIssues": 0,
        "notRun": 0,
    }
    flaky, new = data["behaviours"]
    assert (flaky["behaviour"], flaky["flaky"], new["flaky"]) == (HEADER, True, False)
    assert [one["outcome"] for one in flaky["runs"]] == ["PASS", "FAIL"]
    assert new["runs"] == [None, {"outcome": "PASS", "seconds": 20.0}]


def test_trend_finds_what_is_flaky_with_the_same_versions(tmp_path: Path) -> None:
    outcomes = ["PASS", "FAIL", "PASS", "INCONCLUSIVE"]
    runs = []
    for number, outcome in enumerate(outcomes):
        tests = [
            a_test(outcome=outcome, seconds=float(number + 1)),
            a_test(EVERY, seconds=20.0),
            a_test("names/resolve", f"flat+1.31.{number}+strict", outcome),
        ]
        runs.append(made.recorded(tmp_path / str(number), tests))
    found = trend([runs[2], runs[0], runs[3], runs[1], runs[0]])
    assert [run.folder.name for run in found.runs] == ["0", "1", "2", "3"]
    (flaky,) = found.flaky
    assert (flaky.behaviour, flaky.letters, flaky.seconds) == (HEADER, "✓F✓?", [1.0, 3.0])
    assert [one.behaviour for one in found.slowest][:1] == [EVERY]
    named = [replace(one, folder=Path("20261128-164040-e6dc")) for one in found.runs]
    assert [one.tables(80) for one in grids(replace(found, runs=named), 1)] == [1, 1, 1]
    text = trend_markdown(found, 1)
    assert "✓F✓?" in text and "| 4 | 20.0 | 20.0 | 20.0 | 20.0 |" in text
    assert found.line == "4 runs, 6 behaviours on deployments, 1 flaky"
