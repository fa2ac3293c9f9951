"""JUnit: read back by another program's reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Properties, Skipped, TestCase, TestSuite

from meshproof.report.formats import rendered
from meshproof.report.record import Record, merged
from tests.report import runs as made
from tests.report.runs import EVERY, FLAT, HEADER, LINK, LOST, SPLIT, a_test, known


def read(record: Record, folder: Path) -> JUnitXml:
    (path,) = rendered(record, "junit", folder / "made")
    return JUnitXml.fromfile(str(path))


def cases_in(found: JUnitXml) -> list[TestCase]:
    return [case for suite in found if isinstance(suite, TestSuite) for case in suite]


def properties(one: TestCase | TestSuite) -> dict[str, str]:
    found = one.child(Properties)  # type: ignore[no-untyped-call]
    return {each.name: each.value for each in found or ()}


def test_each_outcome_is_what_ci_systems_make_of_it(tmp_path: Path) -> None:
    record = made.record(
        tmp_path,
        a_test(),
        a_test(EVERY, outcome="FAIL"),
        a_test(EVERY, SPLIT, "INCONCLUSIVE"),
        known(on=SPLIT),
        a_test(HEADER, outcome="skipped", of="-2", why="no time"),
    )
    found = read(record, tmp_path)
    kinds = [[type(one) for one in case.result] for case in cases_in(found)]
    assert kinds == [[], [Failure], [Skipped], [Error], [Skipped]]
    assert (found.tests, found.failures, found.errors, found.skipped) == (5, 1, 1, 2)
    assert [suite.name for suite in found] == [FLAT, SPLIT]
    assert [suite.tests for suite in found] == [3, 2]
    issue = next(case for case in cases_in(found) if properties(case).get("known-issue"))
    assert issue.result[0].message.startswith("known issue istio/istio#32819: ")
    assert (issue.result[0].type, properties(issue)["known-issue"]) == ("known-issue", LINK)


def test_a_run_that_known_issues_fail_has_failed(tmp_path: Path) -> None:
    record = made.record(tmp_path, known(), request={"known_issues": "fail"})
    found = read(record, tmp_path)
    assert (found.failures, found.skipped) == (1, 0)


def test_versions_behaviours_and_deployments_are_properties(tmp_path: Path) -> None:
    found = read(made.record(tmp_path, a_test(seconds=2.5)), tmp_path)
    (suite,) = found
    assert properties(suite) == {
        "meshproof": "0.1.0",
        "topology": "primary-remote-flat",
        "istio": "1.31.1",
        "kubernetes": "1.36.3",
        "mtls": "strict",
        "proxies": "1.31.1 with plain Envoy 1.40.0",
        "engine": "podman 4.3.1",
    }
    (case,) = cases_in(found)
    assert properties(case) == {
        "behaviour": HEADER,
        "sentence": f"The sentence of {HEADER}.",
        "deployment": FLAT,
        "istio": "1.31.1",
        "level": "core",
        "feature": "routing",
        "clusters": "from east",
    }
    assert (case.classname, case.name) == ("routing.header-decides", f"{HEADER}[{FLAT}-from-east]")
    assert (case.time, found.time) == (2.5, 2.5)
    assert "observed v1\n  answers: v1 17 times" in (case.system_out or "")


def test_one_cause_is_told_once(tmp_path: Path) -> None:
    lost = [
        a_test(EVERY, SPLIT, "INCONCLUSIVE", of=f"-{n}", cause=LOST, why="refused")
        for n in range(60)
    ]
    found = read(made.record(tmp_path, *lost, a_test(), code=2), tmp_path)
    (path,) = (tmp_path / "made").glob("*")
    assert found.errors == 60
    errors = [case.result[0] for case in cases_in(found) if case.result]
    assert {one.message for one in errors} == {LOST}
    assert [LOST in (one.text or "") for one in errors] == [True] + [False] * 59
    assert path.read_text().count("refused") == 1
    assert (errors[1].text or "").startswith("as suites/distribution/test_it.py::test_")


def test_a_test_of_one_machine_names_it(tmp_path: Path) -> None:
    one = {**a_test(), "caller": None, "machine": "shop"}
    (case,) = cases_in(read(made.record(tmp_path, one), tmp_path))
    assert properties(case)["clusters"] == "on shop"


@pytest.mark.parametrize(("code", "why"), [(None, "ends early"), (2, "came to its end without it")])
def test_what_was_planned_and_not_run_is_an_error(
    tmp_path: Path, code: int | None, why: str
) -> None:
    record = made.record(tmp_path, a_test(), code=code, lacking=["s/t.py::a", "s/t.py::b[x]"])
    found = read(record, tmp_path)
    assert (found.tests, found.errors) == (3, 2)
    told = [case.result[0].text or "" for case in cases_in(found) if case.result]
    assert why in told[0] and told[1] == "as s/t.py::a"


def test_a_test_is_there_once_with_its_worst_outcome(tmp_path: Path) -> None:
    runs = [
        made.recorded(tmp_path / name, [a_test(outcome=outcome)])
        for name, outcome in (("a", "PASS"), ("b", "FAIL"), ("c", "PASS"))
    ]
    found = read(merged(runs), tmp_path)
    assert (found.tests, found.failures) == (1, 1)


@pytest.mark.parametrize("outcome", ["FAIL", "INCONCLUSIVE", "KNOWN", "skipped"])
def test_hostile_text_is_told_and_does_no_harm(tmp_path: Path, outcome: str) -> None:
    issue = [{"link": made.HOSTILE, "seen": made.HOSTILE, "shows": True}]
    hostile = a_test(outcome=outcome, why=made.HOSTILE, known_issues=issue, of=made.HOSTILE)
    hostile |= {"sentence": made.HOSTILE, "behaviour": f"a/b{made.HOSTILE}"}
    record = made.record(tmp_path, hostile, evidence=made.HOSTILE)
    found = read(record, tmp_path)
    (case,) = cases_in(found)
    assert "\\x00\\x1b[31m]]> </script>" in (case.result[0].text or "")
    assert (tmp_path / "made" / "junit.xml").stat().st_size < 100_000


def test_a_record_of_nothing_is_a_document(tmp_path: Path) -> None:
    found = read(made.record(tmp_path, code=None), tmp_path)
    assert (found.tests, len(list(found))) == (0, 0)
