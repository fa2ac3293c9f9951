"""The frame for views: which formats there are, and what of several runs is one record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.errors import MeshproofError, UsageError
from meshproof.events import Event
from meshproof.report.conformance.check import faults, read
from meshproof.report.formats import FORMATS, chosen, rendered, written
from meshproof.report.record import Record, Run, merged
from tests.cli.records import begin, judged


def run(name: str, outcome: str, exit_code: int | None, test: str = "t") -> Run:
    data = json.loads(judged(test, outcome))
    begun = json.loads(begin(test))
    events = [Event(1, "run-begin", begun), Event(2, "test", data)]
    if exit_code is not None:
        events.append(Event(3, "run-end", {"exit_code": exit_code}))
    return Run(Path(name), events)


def test_formats_are_named_with_commas_or_one_by_one() -> None:
    every = list(FORMATS)
    assert chosen([",".join(every)]) == chosen(every) == chosen([*every, every[0]]) == every
    assert chosen([]) == []


@pytest.mark.parametrize("word", ["htlm", "", "html,", "HTML"])
def test_what_is_no_format_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="there is no format"):
        chosen([word])


def test_shards_are_one_record() -> None:
    record = merged([run("one", "PASS", 0, "t"), run("two", "FAIL", 1, "u")])
    assert record.planned == ["t", "u"]
    assert [one.outcome for one in record.outcomes] == ["PASS", "FAIL"]
    assert record.ending.tally.held == record.ending.tally.failed == 1
    assert (record.ending.exit_code, record.ending.early) == (1, None)


def test_a_shard_without_a_record_cannot_be_told_whatever_the_others_say(tmp_path: Path) -> None:
    for runs in (
        [run("one", "PASS", 0, "t")],
        [run("a", "PASS", 0, "t"), run("b", "PASS", 0, "u")],
    ):
        assert merged(runs, len(runs)).ending.exit_code == merged(runs).ending.exit_code == 0
        record = merged(runs, len(runs) + 1)
        assert (record.ending.exit_code, record.ending.tally.not_run) == (2, 1)
        assert record.ending.early == f"Of {len(runs) + 1} shards 1 left no record."
        files = {name: rendered(record, name, tmp_path)[0] for name in FORMATS}
        report = read(files["yaml"])
        assert faults(report) == [] and report.content["result"] != "success"
        assert 'errors="1"' in files["junit"].read_text()
        for name in ("html", "junit", "markdown", "annotations"):
            assert "left no record" in files[name].read_text(), name
    failed = merged([run("c", "FAIL", 1, "u")], 3)
    assert (failed.ending.exit_code, failed.ending.tally.not_run) == (1, 2)


@pytest.mark.parametrize("outcomes", [("FAIL", "PASS"), ("PASS", "FAIL")])
def test_the_worst_of_several_outcomes_of_a_test_counts(outcomes: tuple[str, str]) -> None:
    record = merged(run(one, one, 1 if one == "FAIL" else 0) for one in outcomes)
    assert record.ending.exit_code == record.ending.tally.failed == 1
    assert record.ending.tally.held == 0


def test_a_run_that_is_named_twice_is_one() -> None:
    assert len(merged([run("a", "PASS", 0)] * 2).runs) == 1


def test_a_run_that_was_killed_is_told_of_whichever_it_is() -> None:
    record = merged([run("a", "PASS", 0, "t"), run("b", "PASS", None, "u")])
    assert record.ending.exit_code == 2
    assert record.ending.early is not None and record.ending.early.startswith("b: ")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_the_files_that_it_names(name: str, tmp_path: Path) -> None:
    record: Record = merged([run("a", "PASS", 0, "t"), run("b", "FAIL", None, "u")])
    files = rendered(record, name, tmp_path / "made")
    assert files and all(path.stat().st_size for path in files)
    assert not list(tmp_path.rglob("*.new"))


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path / "x", "old")
    (tmp_path / ".x.new").mkdir()
    with pytest.raises(MeshproofError, match="cannot write the report"):
        written(path, "new")
    assert path.read_text() == "old"
