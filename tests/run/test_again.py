"""What failed in an earlier run, asked for again; and one test of it, to be repeated."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.model import RunRequest
from meshproof.report.conformance import render
from meshproof.report.record import Record
from meshproof.run.again import SAME, as_asked_before, requested, troubled
from meshproof.run.repro import find
from tests.report.recorded import TOPOLOGIES, large_run, small_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_run(tmp_path_factory.mktemp("again") / "run").folder


def test_what_did_not_hold_is_asked_for_with_what_that_run_was_asked_for(folder: Path) -> None:
    again = as_asked_before(RunRequest(rerun_failed=folder, mtls=("strict",)))
    assert (again.topology, again.mtls) == (TOPOLOGIES, ("strict",))
    assert as_asked_before(again) == again
    own = RunRequest(rerun_failed=folder, topology=("zones",))
    assert as_asked_before(own).topology == ("zones",)
    assert as_asked_before(RunRequest()) == RunRequest()


def test_each_thing_that_can_be_asked_for_is_kept_or_is_a_runs_own() -> None:
    upgrade = {"upgrade_to", "strategy", "first", "rollback", "rollback_after"}  # 'upgrade' asks it
    choice = {"deployment", "suite", "behaviour", "keyword", "rerun_failed"}
    own = {"fail_fast", "repeat", "keep", "reuse", "repair", "workers", "reports", "yes"}
    every = {one.name for one in fields(RunRequest)}
    assert every == {*SAME, *upgrade, *choice, *own}


def test_only_what_failed_or_could_not_be_told_is_in_trouble(folder: Path) -> None:
    found = troubled(folder)
    assert found and len(set(found)) == len(found)
    # Of the outcomes that the record has, known issues and skipped tests are none.
    assert len(found) == 6


def test_a_run_without_trouble_has_nothing_to_be_judged_again(tmp_path: Path) -> None:
    lines = (small_run(tmp_path / "run").folder / "events.jsonl").read_text().splitlines()
    kept = [line for line in lines if '"FAIL"' not in line and '"INCONCLUSIVE"' not in line]
    (tmp_path / "run" / "events.jsonl").write_text("\n".join(kept) + "\n")
    with pytest.raises(UsageError, match="nothing failed in"):
        troubled(tmp_path / "run")
    with pytest.raises(UsageError, match="name one of its tests"):
        find(str(tmp_path / "run"), None)


def test_the_first_failure_is_repeated_on_its_own_deployment(folder: Path) -> None:
    found = find(str(folder), None)
    assert found.outcome == "FAIL"
    asked = found.request
    assert (asked.only, asked.deployment, asked.keep) == (found.test, (found.deployment,), True)
    assert asked.topology == (found.deployment.partition("+")[0],)
    assert (asked.artifacts, found.made_of) == ("built", {"kind": "abcd", "etcd": "ef01"})
    (istio,) = asked.istio
    assert istio.startswith("east=") and asked.kubernetes is not None
    assert find(str(folder / "events.jsonl"), None) == found


def test_a_report_in_the_runs_folder_stands_for_the_run(folder: Path) -> None:
    (folder / "report.html").write_text("a page")
    assert find(str(folder / "report.html"), None) == find(str(folder), None)


def test_a_conformance_report_by_itself_is_enough(folder: Path, tmp_path: Path) -> None:
    record = Record((small_run(tmp_path / "run"),))
    (path,) = render(record, tmp_path)
    found = find(str(path), None)
    assert found.outcome == "FAIL"
    assert found.request.only == found.test and "/" in found.test
    assert found.request.deployment == (found.deployment,)
    assert found.request.artifacts == "built"


def test_a_test_is_named_by_its_id_or_its_behaviours(folder: Path) -> None:
    found = find(str(folder), "routing/header-decides")
    assert found == find(str(folder), found.test)
    assert found.outcome in ("FAIL", "INCONCLUSIVE", "KNOWN", "skipped", "PASS")
    with pytest.raises(UsageError, match="did you mean routing/header-decides"):
        find(str(folder), "routing/header-decide")


def test_where_there_is_nothing_to_be_found(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("a: b\n")
    for word in ("nowhere", str(tmp_path), str(tmp_path / "notes.yaml")):
        with pytest.raises(UsageError):
            find(word, None)


def test_what_a_run_was_asked_for_is_in_its_record(tmp_path: Path) -> None:
    run = large_run(tmp_path / "run", 10)
    assert requested(run).topology == TOPOLOGIES
    with pytest.raises(UsageError, match="does not say what was asked for"):
        requested(replace(run, events=[]))
