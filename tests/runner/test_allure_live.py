"""Results for Allure while a run goes on: the same as are rendered of its record afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshproof.events import read
from meshproof.report.formats import rendered
from meshproof.report.record import Record, Run
from tests.runner.test_recording import BODY, FLAT, run

ASKED = ("--meshproof-topology=bare", "--meshproof-topology", FLAT, "--meshproof-mtls=strict")
SAME = ("name", "status", "statusDetails", "historyId", "testCaseId", "parameters", "labels")
MORE = """
import allure

@ON
def test_d(lab, judge):
    '''What a suite says to Allure itself is added.'''
    with allure.step("of its own"):
        judge(FAIL)

def test_plain():
    pass
"""


def results(folder: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in folder.glob("*-result.json")]
    return {one["fullName"]: one for one in found}


def told(steps: list[dict[str, Any]]) -> list[Any]:
    """Steps with what matters of them."""
    return [
        (one["name"], one["status"], told(one.get("steps", [])), len(one.get("attachments", [])))
        for one in steps
    ]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_what_is_told_live_is_what_is_rendered_later(
    pytester: pytest.Pytester, workers: str
) -> None:
    live = pytester.path / "live"
    run(pytester, BODY + MORE, *ASKED, workers, f"--alluredir={live}")
    (record,) = pytester.path.glob("reports/*/events.jsonl")
    rendered(Record((Run(record.parent, read(record)),)), "allure", pytester.path / "later")
    now, later = results(live), results(pytester.path / "later" / "allure-results")
    plain = now.pop("test_it#test_plain")
    assert plain["status"] == "passed"  # of others' tests nothing is changed
    assert now.keys() == later.keys() and len(now) == 6
    own = 0
    for name, one in now.items():
        other = later[name]
        for field in SAME:
            assert one.get(field) == other.get(field), field
        steps, after = told(one["steps"]), told(other["steps"])
        if "test_d" in name:
            assert steps[: len(after)] == after and steps[-1][0] == "of its own"
            own += 1
        else:
            assert steps == after
        sources = [each["source"] for step in one["steps"] for each in step.get("attachments", [])]
        assert all((live / source).exists() for source in sources)
    assert own == 1
    for beside in ("categories.json", "environment.properties"):
        text = (live / beside).read_text()
        assert text == (pytester.path / "later/allure-results" / beside).read_text()


def test_it_needs_no_plugin_that_pytest_finds_by_itself(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    named = ("xdist.plugin", "meshproof.runner.plugin", "allure_pytest.plugin")
    plugins = [word for name in named for word in ("-p", name)]
    run(pytester, BODY, *plugins, *ASKED, "-n2", "--alluredir=live")
    assert len(results(pytester.path / "live")) == 5


def test_tests_of_others_leave_no_record_and_their_results(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_plain(): pass\n")
    assert pytester.runpytest_subprocess("--alluredir=live", timeout=60).ret == 0
    assert not (pytester.path / "reports").exists()
    assert len(results(pytester.path / "live")) == 1


def test_nothing_is_written_without_it(pytester: pytest.Pytester) -> None:
    run(pytester, BODY, *ASKED)
    assert not list(pytester.path.rglob("*-result.json"))
