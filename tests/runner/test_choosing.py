"""Tests that are asked for by suite, behaviour, deployment, words, or since they failed before; and
tests that are judged several times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

HEAD = """
import itertools
import pytest
from meshproof.expect import Outcome, Verdict
from meshproof.runner.behaviours import behaviour

@pytest.fixture
def lab(request):
    return request.param

PASS, FAIL = Verdict(Outcome.PASS, "this", "that"), Verdict(Outcome.FAIL, "this", "that")
ON = pytest.mark.bare_lab("east,west", "isolated", "flat")
TURNS = itertools.count()
"""
LAKE = """
@ON
@behaviour("lake/holds", feature="isolation")
def test_holds(lab, judge):
    judge(PASS)

@ON
@behaviour("lake/extended", feature="isolation", level="extended")
def test_extended(lab, judge):
    judge(PASS)
"""
SEA = """
@ON
@behaviour("sea/fails-when-flat", feature="isolation")
def test_fails_when_flat(lab, judge):
    judge(FAIL if lab.wiring == "flat" else PASS)

@ON
@behaviour("sea/by-turns", feature="isolation")
def test_by_turns(lab, judge):
    judge(FAIL if next(TURNS) % 2 else PASS)
"""


def lay(pytester: pytest.Pytester, **request: object) -> Path:
    for name, body in (("lake", LAKE), ("sea", SEA)):
        folder = pytester.path / "suites" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"test_{name}.py").write_text(HEAD + body)
    path = pytester.path / "request.json"
    said = {"suites": ["suites"], "topology": ["bare"], "workers": "1", **request}
    path.write_text(json.dumps(said))
    return path


def listed(pytester: pytest.Pytester, *words: str, **request: object) -> list[str]:
    file = lay(pytester, **request)
    done = pytester.runpytest_inprocess("--meshproof-request", file, "--collect-only", "-q", *words)
    assert done.ret == 0, done.outlines
    found = [line.rpartition("::")[2] for line in done.outlines if "::" in line]
    return [one.replace("disjoint-cidrs+", "") for one in found]


def refused(pytester: pytest.Pytester, said: str, **request: object) -> None:
    file = lay(pytester, **request)
    done = pytester.runpytest_inprocess("--meshproof-request", file, "--collect-only", "-q")
    assert done.ret == 64
    done.stderr.fnmatch_lines([said])
    assert not [line for line in done.outlines if "::" in line]


def test_a_suite_is_that_of_its_profile(pytester: pytest.Pytester) -> None:
    assert listed(pytester, suite=["lake"]) == ["test_holds[isolated]", "test_holds[flat]"]
    assert len(listed(pytester, suite=["lake"], profile="all")) == 4
    refused(pytester, "there is no suite 'laek': did you mean lake.", suite=["laek"])


def test_a_behaviour_is_named_whatever_its_level(pytester: pytest.Pytester) -> None:
    assert listed(pytester, behaviour=["lake/ext*"]) == [
        "test_extended[isolated]",
        "test_extended[flat]",
    ]
    assert len(listed(pytester, behaviour=["*/*"])) == 8
    refused(
        pytester,
        "there is no behaviour 'lake/hold': did you mean lake/holds*",
        behaviour=["lake/hold"],
    )


def test_a_deployment_and_words_narrow_it(pytester: pytest.Pytester) -> None:
    flat = "disjoint-cidrs+flat"
    assert listed(pytester, deployment=[flat], suite=["lake"]) == ["test_holds[flat]"]
    assert listed(pytester, keyword="turns and isolated") == ["test_by_turns[isolated]"]
    assert listed(pytester, "-k", "turns and isolated") == ["test_by_turns[isolated]"]
    refused(pytester, "there is no deployment 'nowhere'*", deployment=["nowhere"])
    refused(pytester, "no test that is asked for has names*'nothing'*", keyword="nothing")
    refused(pytester, "Wrong expression passed to '-k': *", keyword="((")


def test_what_is_said_by_both_is_refused(pytester: pytest.Pytester) -> None:
    file = lay(pytester, keyword="turns")
    done = pytester.runpytest_inprocess("--meshproof-request", file, "-k", "holds")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*and -k would change it*"])


def record(pytester: pytest.Pytester) -> list[dict[str, object]]:
    path = max(pytester.path.glob("reports/*/events.jsonl"), key=lambda one: one.stat().st_mtime_ns)
    return [json.loads(line) for line in path.read_text().splitlines()]


def run(pytester: pytest.Pytester, *words: str, **request: object) -> pytest.RunResult:
    file = lay(pytester, **request)
    return pytester.runpytest_subprocess("--meshproof-request", file, *words, timeout=120)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_each_test_is_judged_several_times_and_flaky_ones_are_told(
    pytester: pytest.Pytester, workers: str
) -> None:
    asked = {"behaviour": ["sea/by-turns"], "deployment": ["disjoint-cidrs+flat"], "repeat": "4"}
    done = run(pytester, workers=workers, **asked)
    assert done.ret == 1
    done.stdout.fnmatch_lines(
        [
            "FLAKY: held 2 of 4 times, failed 2:",
            "suites/sea/test_sea.py::test_by_turns?disjoint-cidrs+flat]",
            "FAILED: 2 of 4 held; 2 failed, 0 could not tell, 0 not run",
        ]
    )
    tests = [one for one in record(pytester) if one["kind"] == "test"]
    assert [str(one["test"])[-4:] for one in tests] == ["-#1]", "-#2]", "-#3]", "-#4]"]
    assert len([one for one in record(pytester) if one["kind"] == "verdict"]) == 4
    assert "-#" not in "".join(line for line in done.outlines if line.startswith("To repeat"))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_first_failure_ends_it(pytester: pytest.Pytester, workers: str) -> None:
    asked = {"behaviour": ["sea/fails-when-flat"], "repeat": "9", "fail_fast": True}
    done = run(pytester, workers=workers, deployment=["disjoint-cidrs+flat"], **asked)
    assert done.ret == 1
    done.stdout.fnmatch_lines(["FAILED: 0 of 9 held; * failed, 0 could not tell, * not run"])
    assert "0 not run" not in done.outlines[-1]


def test_what_failed_is_judged_again_as_it_was_asked_for(pytester: pytest.Pytester) -> None:
    assert run(pytester, behaviour=["sea/fails*"], repeat="2").ret == 1
    (folder,) = pytester.path.glob("reports/*")
    file = pytester.path / "again.json"
    file.write_text(json.dumps({"rerun_failed": str(folder), "workers": "1"}))
    done = pytester.runpytest_subprocess(
        "--meshproof-request", file, "--collect-only", "-q", timeout=120
    )
    assert [line for line in done.outlines if "::" in line] == [
        "suites/sea/test_sea.py::test_fails_when_flat[disjoint-cidrs+flat]"
    ]


def test_the_end_as_json_leaves_standard_output_to_itself(pytester: pytest.Pytester) -> None:
    done = run(
        pytester, "-qq", "--no-header", "--no-summary", "--meshproof-tell=json", suite=["sea"]
    )
    data = json.loads("\n".join(done.outlines))
    assert (data["result"], data["exitCode"], done.ret) == ("FAILED", 1, 1)
    assert {one["outcome"] for one in data["tests"]} == {"FAIL"}
    assert data["record"] and data["again"].startswith("pytest")


def test_quiet_on_success(pytester: pytest.Pytester) -> None:
    quiet = ("-qq", "--no-header", "--no-summary", "--capture=no", "--meshproof-tell=quiet")
    done = run(pytester, *quiet, suite=["lake"])
    assert [line for line in done.outlines if line] == [
        "HELD: 2 of 2; 0 failed, 0 could not tell, 0 not run"
    ]


def test_the_order_is_shown_instead_of_running(pytester: pytest.Pytester) -> None:
    file = lay(pytester)
    asked = ("--meshproof-request", file, "--collect-only", "-p", "no:terminal")
    done = pytester.runpytest_inprocess(*asked, "--meshproof-plan=json")
    data = json.loads("\n".join(done.outlines))
    assert [one["tests"] for one in data["deployments"]] == [3, 3] and data["seconds"] is None
    table = pytester.runpytest_inprocess(*asked, "--meshproof-plan=table")
    assert any("disjoint-cidrs+flat" in line for line in table.outlines)
    quiet = ("--meshproof-plan=table", "--meshproof-tell=quiet")
    (line,) = filter(None, pytester.runpytest_inprocess(*asked, *quiet).outlines)
    assert line.startswith("Would judge 6 tests on 2 deployments")
    shards = pytester.runpytest_inprocess(
        *asked, "--meshproof-plan=shards-json", "--meshproof-shards=2"
    )
    include = json.loads("\n".join(shards.outlines))["include"]
    assert [one["deployments"] for one in include] == [
        ["disjoint-cidrs+isolated"],
        ["disjoint-cidrs+flat"],
    ]
    assert not list(pytester.path.glob("reports/*"))
