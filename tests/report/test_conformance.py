"""conformance.yaml: what was not judged is no success, and each fault of a file is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshproof.report.conformance.build import PROFILES
from meshproof.report.conformance.check import faults, read
from meshproof.report.formats import rendered
from meshproof.report.record import Record
from tests.report import runs as made
from tests.report.runs import EVERY, FLAT, HEADER, LINK, LOST, SPLIT, a_test, known

Report = dict[str, Any]


def report_of(record: Record, folder: Path) -> Report:
    """The report of a record, which is sound."""
    (path,) = rendered(record, "yaml", folder / "made")
    assert faults(read(path)) == []
    return dict(yaml.safe_load(path.read_text()))


def level(report: Report, profile: str = "core", which: str = "core") -> Report:
    (found,) = [one for one in report["profiles"] if one["name"] == profile]
    return dict(found[which])


def test_all_held(tmp_path: Path) -> None:
    tests = [a_test(), a_test(EVERY, SPLIT), a_test("paths/by-gateway", SPLIT)]
    tests[2] |= {"feature": "multi-network", "level": "extended"}
    request = {"profile": "all", "only": None}
    report = report_of(made.record(tmp_path, *tests, code=0, request=request), tmp_path)
    assert report["result"] == "success"
    core = level(report)
    assert (core["result"], core["statistics"]["held"]) == ("success", 2)
    assert core["held"] == [HEADER, EVERY]
    assert level(report, "multi-network", "extended")["held"] == ["paths/by-gateway"]
    assert [one["name"] for one in report["profiles"]] == list(PROFILES)
    assert level(report, "federation")["result"] == "not-judged"
    assert report["implementation"]["versions"] == ["1.31.1"]
    assert report["implementation"]["proxies"][0]["proxy"] == "plain Envoy 1.40.0"
    assert report["scope"] == {
        "runs": 1,
        "levels": ["all"],
        "only": [],
        "inShort": False,
        "complete": True,
    }
    assert [one["name"] for one in report["deployments"]] == [FLAT, SPLIT]


@pytest.mark.parametrize(
    ("tests", "result", "listed"),
    [
        ([a_test(EVERY, outcome="FAIL")], "failure", "failed"),
        ([a_test(EVERY, outcome="INCONCLUSIVE", cause=LOST)], "partial", "couldNotTell"),
        ([a_test(EVERY, outcome="skipped", why="no time")], "partial", "skipped"),
        ([known(EVERY)], "known-issues", "knownIssues"),
        ([known(EVERY), a_test(EVERY, outcome="skipped")], "partial", "skipped"),
        ([known(EVERY), a_test(EVERY, SPLIT, "FAIL")], "failure", "failed"),
    ],
)
def test_whatever_did_not_hold_is_no_success(
    tmp_path: Path, tests: list[Report], result: str, listed: str
) -> None:
    report = report_of(made.record(tmp_path, a_test(), *tests), tmp_path)
    core = level(report)
    assert core["result"] == report["result"] == result
    assert core[listed][0]["behaviour"] == EVERY
    assert core["held"] == [HEADER]


def test_a_known_issue_is_told_with_its_link_and_where_it_showed(tmp_path: Path) -> None:
    report = report_of(made.record(tmp_path, known(), known(on=SPLIT)), tmp_path)
    (issue,) = level(report)["knownIssues"]
    assert (issue["issue"], issue["link"], issue["tests"]) == ("istio/istio#32819", LINK, 2)
    assert issue["deployments"] == [FLAT, SPLIT]


def test_a_known_issue_that_should_have_shown_is_mended(tmp_path: Path) -> None:
    report = report_of(made.record(tmp_path, known() | {"outcome": "PASS"}), tmp_path)
    assert report["mended"][0]["issue"] == "istio/istio#32819"


def test_one_behaviour_on_one_deployment_is_one_entry_with_a_count(tmp_path: Path) -> None:
    lost = [a_test(EVERY, SPLIT, "INCONCLUSIVE", of=f"-{n}", cause=LOST) for n in range(9)]
    core = level(report_of(made.record(tmp_path, *lost), tmp_path))
    assert core["couldNotTell"] == [
        {"behaviour": EVERY, "deployment": SPLIT, "tests": 9, "reason": LOST}
    ]


@pytest.mark.parametrize("code", [0, None])
def test_what_was_planned_and_not_run_keeps_everything_from_being_a_success(
    tmp_path: Path, code: int | None
) -> None:
    record = made.record(tmp_path, a_test(), code=code, lacking=["suites/x/test_x.py::test_y[z]"])
    report = report_of(record, tmp_path)
    assert (report["result"], level(report)["result"]) == ("partial", "partial")
    assert report["notRun"][0]["test"] == "suites/x/test_x.py::test_y[z]"
    assert report["scope"]["complete"] is (code == 0)


def test_what_was_not_run_of_a_test_that_is_known_belongs_to_its_behaviour(tmp_path: Path) -> None:
    lacking = [a_test(of="-later")["test"]]
    held = a_test("names/resolve") | {"feature": "multi-network"}
    report = report_of(made.record(tmp_path, a_test(), held, code=2, lacking=lacking), tmp_path)
    assert level(report)["notRun"] == [{"behaviour": HEADER, "test": lacking[0]}]
    assert level(report)["result"] == report["result"] == "partial"
    assert level(report, "multi-network")["result"] == "success"


def test_a_run_that_was_killed_when_nothing_was_judged(tmp_path: Path) -> None:
    report = report_of(made.record(tmp_path, code=None, lacking=["a"]), tmp_path)
    assert report["result"] == "partial"


@pytest.mark.parametrize(("outcome", "result"), [("PASS", "success"), ("FAIL", "partial")])
def test_sabotage_that_goes_unnoticed_leaves_success_in_doubt(
    tmp_path: Path, outcome: str, result: str
) -> None:
    sabotage = a_test("sabotage/a-header-lost", outcome=outcome, proves=[HEADER])
    report = report_of(made.record(tmp_path, a_test(), sabotage), tmp_path)
    assert report["result"] == result
    assert level(report)["statistics"]["held"] == 1
    assert report["sabotage"]["statistics"]["held"] == (outcome == "PASS")


def test_what_is_of_no_feature_is_in_no_profile_of_istio(tmp_path: Path) -> None:
    report = report_of(made.record(tmp_path, a_test() | {"feature": ""}), tmp_path)
    assert level(report, "other")["held"] == [HEADER]
    assert level(report)["result"] == "not-judged"


@pytest.mark.parametrize(
    ("asked", "in_short"),
    [
        ({"profile": "core", "topology": [], "only": None}, True),
        ({"profile": "core", "topology": ["zones"], "only": None}, False),
        ({"profile": "core", "topology": [], "only": HEADER}, False),
        ({"profile": "all", "topology": []}, False),
    ],
)
def test_it_says_whether_one_topology_stood_for_others(
    tmp_path: Path, asked: dict[str, Any], in_short: bool
) -> None:
    report = report_of(made.record(tmp_path, a_test(), request=asked), tmp_path)
    assert report["scope"]["inShort"] is in_short


def test_a_record_that_says_what_no_run_says_makes_a_sound_report(tmp_path: Path) -> None:
    record = made.record(tmp_path, a_test(), request={"profile": ["x"], "only": {"a": 1}})
    for event in record.events:
        object.__setattr__(event, "at", 1e14)
    assert report_of(record, tmp_path)["date"].startswith("9999-12-31T")


def test_hostile_text_is_told_in_one_line(tmp_path: Path) -> None:
    hostile = a_test(outcome="FAIL", why=made.HOSTILE) | {"behaviour": made.HOSTILE}
    record = made.record(tmp_path, hostile, known(why=made.HOSTILE), evidence=made.HOSTILE)
    report = report_of(record, tmp_path)
    assert level(report)["failed"][0]["reason"].startswith("\\x00\\x1b[31m]]> </script>")
    assert (tmp_path / "made" / "conformance.yaml").stat().st_size < 20_000


def _set(*at: Any, to: Any) -> Callable[[Report], None]:
    def change(report: Report) -> None:
        found: Any = report
        for word in at[:-1]:
            found = found[word]
        found[at[-1]] = to

    return change


def _without(*at: Any) -> Callable[[Report], None]:
    def change(report: Report) -> None:
        found: Any = report
        for word in at[:-1]:
            found = found[word]
        del found[at[-1]]

    return change


CORE = ("profiles", 0, "core")
FAULTS = {
    "lacks": (_without("mode"), "the report lacks mode: add it."),
    "deep": (_without(*CORE, "held"), "profiles[0].core lacks held: add it."),
    "unknown": (
        _set(*CORE, "faild", to=[]),
        "profiles[0].core has 'faild', which there is not: did you mean failed.",
    ),
    "word": (
        _set(*CORE, "result", to="succes"),
        "profiles[0].core.result is 'succes': did you mean success.",
    ),
    "version": (
        _set("apiVersion", to="meshproof/v2"),
        "apiVersion is 'meshproof/v2': it must be 'meshproof/v1'.",
    ),
    "type": (
        _set(*CORE, "statistics", "held", to="two"),
        "profiles[0].core.statistics.held is 'two', which is not a whole number: "
        "write a whole number.",
    ),
    "negative": (
        _set(*CORE, "statistics", "skipped", to=-1),
        "profiles[0].core.statistics.skipped is -1: it must be 0 at least.",
    ),
    "nothing": (_set("kubernetes", to=None), "kubernetes is empty, which is not a list"),
    "date": (_set("date", to="yesterday"), "date is 'yesterday': write a time in UTC as in 2026"),
    "twice": (_set("kubernetes", to=["1.36.3"] * 2), "kubernetes has something twice"),
    "success with failures": (
        _set(*CORE, "result", to="success"),
        "profiles[0].core.statistics.failed is 1: it must be 0 where the result is 'success'.",
    ),
    "counts": (
        _set(*CORE, "statistics", "failed", to=2),
        "profiles[0].core.statistics.failed is 2, and 1 tests are listed: say the same",
    ),
    "better in all": (
        _set("result", to="success"),
        "result is 'success', which the rest contradicts: it comes to 'failure'.",
    ),
    "better in part": (
        _set("profiles", 0, "extended", "result", to="known-issues"),
        "profiles[0].extended.statistics.knownIssues is 0: it must be 1 at least where the "
        "result is 'known-issues'.",
    ),
    "a profile twice": (_set("profiles", 1, "name", to="core"), "there are two profiles 'core'"),
    "no profiles": (_set("profiles", to=[]), "profiles is empty"),
}


@pytest.mark.parametrize(("change", "sentence"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_one_sentence_with_its_line(
    tmp_path: Path, change: Callable[[Report], None], sentence: str
) -> None:
    report = report_of(made.record(tmp_path, a_test(outcome="FAIL"), a_test(EVERY)), tmp_path)
    change(report)
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(report, sort_keys=False))
    found = faults(read(path))
    assert any(sentence in one for one in found), found
    for one in found:
        line = one.removeprefix(f"{path}:").partition(":")[0]
        assert line.isdecimal() and "\n" not in one


def test_several_faults_are_told_all_at_once(tmp_path: Path) -> None:
    path = tmp_path / "changed.yaml"
    path.write_text("apiVersion: meshproof/v1\nkind: Report\nmode: ambient\n")
    found = faults(read(path))
    assert [one.removeprefix(f"{path}:").partition(":")[0] for one in found] == ["1", "2", "3"]
    assert "the report lacks date and result and summary" in found[0]
