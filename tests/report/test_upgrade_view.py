"""The release engineer's page: made of a record alone, whatever that says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meshproof.events import Recorder, RecordError, read
from meshproof.report.record import Record, Run, merged
from meshproof.report.upgrade import render
from meshproof.report.upgrade.views import lines, markdown, page
from meshproof.report.upgrade.ways import ways
from tests.cli.records import begin, end
from tests.report.recorded import STREAM
from tests.report.runs import HOSTILE, a_test, emit

ON = "primary-remote-flat+1.31.0-to-1.31.1+strict+in-place"
DUE, LOSS, LEFT = "upgrade/runs-what-is-due", "upgrade/loss", "upgrade/nothing-is-left"


def stage(number: int, name: str, **more: Any) -> dict[str, Any]:
    sure = {"begin": 4.0 * number, "seconds": 2.5, "settled": 1.5, "trouble": ""}
    calls = {"calls": 800, "lost": 0, "how": "", "outage": 0.0}
    return {"number": number, "name": name, **sure, **calls, **more}


def transition(*stages: dict[str, Any], planned: int = 3) -> dict[str, Any]:
    way = {"from": "1.31.0", "to": "1.31.1", "strategy": "in-place", "planned": planned}
    return {"deployment": ON, **way, "stages": list(stages)}


def judged(behaviour: str, step: int | None, outcome: str = "PASS", **more: Any) -> dict[str, Any]:
    return a_test(behaviour, ON, outcome, of=f"-step-{step}", step=step, **more)


STAGES = (
    stage(0, "as installed"),
    stage(1, "control plane of east: 1.31.1", lost=3, how="3 x http-fresh: 503 UF", outage=0.4),
    stage(2, "gateway of east: 1.31.1"),
)


def record(
    folder: Path, told: dict[str, Any] | None, *tests: dict[str, Any], code: int = 1
) -> Record:
    """A run whose first test is the one that the upgrade was made for."""
    folder.mkdir(parents=True, exist_ok=True)
    recorder = Recorder(folder / "events.jsonl")
    deployments = [one["deployment"] for one in tests]
    emit(recorder, begin(*(one["test"] for one in tests), deployments=deployments))
    for number, one in enumerate(tests):
        with recorder.marked(test=one["test"]):
            if number == 0 and told is not None:
                recorder.emit("stream", **STREAM)
                recorder.emit("transition", **told)
            recorder.emit("test", **one)
    emit(recorder, end(code))
    return merged([Run(folder, read(folder / "events.jsonl"))])


def an_upgrade(folder: Path) -> Record:
    return record(
        folder,
        transition(*STAGES),
        *(judged(DUE, number) for number in range(3)),
        judged(LOSS, 0),
        judged(LOSS, 1, "FAIL", why="FAIL: 3 of 800 calls were lost"),
        judged(LOSS, 2, "INCONCLUSIVE", why="INCONCLUSIVE: the stream broke off"),
        judged(LEFT, None, "KNOWN", why="KNOWN: leases stay"),
    )


def test_a_row_for_each_step_with_what_held_and_what_was_lost(tmp_path: Path) -> None:
    (way,) = ways(an_upgrade(tmp_path))
    assert [(row.number, row.held, len(row.cases)) for row in way.rows] == [
        (0, 2, 2),
        (1, 1, 2),
        (2, 1, 2),
    ]
    assert [one.judged.behaviour for one in way.whole] == [LEFT]
    assert (way.calls, way.lost, way.seconds, way.outcome) == (2400, 3, 12.0, "FAIL")
    assert way.stream is not None and way.stream["calls"] == STREAM["calls"]


def test_as_lines_for_a_terminal(tmp_path: Path) -> None:
    first, *rest = lines(ways(an_upgrade(tmp_path)))
    assert first == f"{ON}: FAIL, 3 of 2400 calls lost, in 12 s"
    assert len(rest) == 3
    assert "1 control plane of east: 1.31.1, held 1 of 2 (❌ loss)" in rest[1]
    assert "lost 3 of 800 (3 x http-fresh: 503 UF), outage 0.4 s, took 2.5 s" in rest[1]


def test_as_markdown_and_as_a_page(tmp_path: Path) -> None:
    found = ways(an_upgrade(tmp_path))
    text, html = markdown(found), page(found)
    for told in (text, html):
        assert "3 of 800" in told and "were lost" in told and "leases stay" in told
    assert text.startswith("## ❌ 1.31.0 to 1.31.1, in-place")
    assert "| 1 | control plane of east: 1.31.1 | 1 of 2 (❌ loss) |" in text
    assert html.count("<svg") == 1 and html.count("<tr>") == 4


def test_an_upgrade_that_failed_says_how_far_it_came_and_why(tmp_path: Path) -> None:
    failed = stage(1, "control plane of east: 1.31.1", trouble="Istio was not installed")
    found = ways(record(tmp_path, transition(STAGES[0], failed), judged(DUE, 0)))
    assert lines(found)[0].endswith("of 3 stages 2")
    assert "took 2.5 s, and did not come to its end" in lines(found)[2]
    for told in (markdown(found), page(found)):
        assert "Istio was not installed" in told


def test_a_mesh_that_did_not_come_to_rest_is_not_said_to_be(tmp_path: Path) -> None:
    restless = stage(1, "gateway of east: 1.31.1", settled=30.2, missing="east does not reach v2")
    found = ways(record(tmp_path, transition(STAGES[0], restless), judged(DUE, 0)))
    told = lines(found)
    assert told[1].endswith("at rest after 1.5 s")
    assert told[2].endswith("at rest not in 30.2 s")
    assert "| not in 30.2 s |" in markdown(found)


def test_where_none_was_made_that_is_said(tmp_path: Path) -> None:
    found = record(tmp_path, None, judged(DUE, 0))
    assert lines(ways(found)) == ["No upgrade was made."]
    files = render(found, tmp_path)
    assert [one.name for one in files] == ["upgrade.md", "upgrade.html"]
    assert all("No upgrade was made." in one.read_text() for one in files)


def test_whatever_the_record_says_is_text(tmp_path: Path) -> None:
    told = transition(stage(0, HOSTILE, how=HOSTILE, lost=1, trouble=HOSTILE), planned=1)
    found = ways(record(tmp_path, told, judged(DUE, 0, "FAIL", why=HOSTILE)))
    html, text = page(found), markdown(found)
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert "\x1b" not in text
    assert "<script>alert" not in text.split("```")[0]


@pytest.mark.parametrize("field", ["seconds", "lost", "trouble"])
def test_a_record_that_lacks_something_is_refused(tmp_path: Path, field: str) -> None:
    broken = {name: value for name, value in STAGES[0].items() if name != field}
    with pytest.raises(RecordError, match="is no event of a run"):
        record(tmp_path, transition(broken), judged(DUE, 0))
