"""The record of a run, when several processes write it and one reads along."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from meshproof.events import Event, Follower, Recorder, read

LONG = "x" * 100_000


def test_recorders_of_one_file_do_not_cut_into_each_other(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    recorders = [Recorder(path, marks={"worker": f"gw{number}"}) for number in range(4)]
    with ThreadPoolExecutor() as pool:
        for recorder in recorders * 25:
            pool.submit(recorder.emit, "notice", text=LONG)
    events = read(path)
    assert len(events) == 100
    assert {event.data["worker"] for event in events} == {"gw0", "gw1", "gw2", "gw3"}


def test_a_follower_passes_each_whole_line_on_once(tmp_path: Path) -> None:
    path, seen = tmp_path / "events.jsonl", list[Event]()
    follower = Follower(path, [seen.append])
    follower.catch_up()  # nothing has been written yet
    recorder = Recorder(path)
    recorder.emit("first")
    follower.catch_up()
    recorder.emit("second")
    with path.open("a") as record:
        record.write('{"at": 1.0, "kind": "thi')
    follower.catch_up()
    with path.open("a") as record:
        record.write('rd"}\n')
    follower.catch_up()
    follower.catch_up()
    assert [event.kind for event in seen] == ["first", "second", "third"]


def test_a_record_that_cannot_be_written_is_told_of_once_and_the_run_goes_on(
    tmp_path: Path,
) -> None:
    seen = list[Event]()
    recorder = Recorder(tmp_path / "no" / "events.jsonl", [seen.append])
    recorder.emit("first")
    recorder.emit("second")
    assert [event.kind for event in seen] == ["first", "notice", "second"]
    assert recorder.lost is not None and "events.jsonl cannot be written" in recorder.lost


def test_a_follower_tells_why_it_could_not_read(tmp_path: Path) -> None:
    path, seen = tmp_path / "events.jsonl", list[Event]()
    follower = Follower(path, [seen.append])
    Recorder(path).emit("first")
    follower.catch_up()
    assert follower.lost is None
    path.unlink()
    path.mkdir()
    follower.catch_up()
    assert [event.kind for event in seen] == ["first"]
    assert follower.lost is not None and "events.jsonl cannot be read" in follower.lost


def test_marks_are_added_to_what_is_recorded_meanwhile_and_given_fields_win(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "events.jsonl", marks={"worker": "gw0"})
    with recorder.marked(test="one"):
        recorder.emit("first")
        recorder.emit("second", worker="gw1")
    recorder.emit("third")
    assert [event.data for event in read(tmp_path / "events.jsonl")] == [
        {"worker": "gw0", "test": "one"},
        {"worker": "gw1", "test": "one"},
        {"worker": "gw0"},
    ]
