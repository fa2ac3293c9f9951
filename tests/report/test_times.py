"""What earlier runs took, from their records."""

from __future__ import annotations

from pathlib import Path

from meshproof.report.times import shape_of, times_in, times_of
from tests.report.recorded import as_recorded, deployed, small_run


def test_installations_and_tests_are_told_by_shape(tmp_path: Path) -> None:
    run = small_run(tmp_path / "20261128-1")
    found = times_of([run])
    shape = shape_of(as_recorded(deployed("primary-remote-flat")))
    assert shape == ("primary-remote-flat", "strict")
    assert found.runs == [tmp_path / "20261128-1"]
    assert found.tests and all(one >= 0 for own in found.tests.values() for one in own)
    assert {one[1] for one in found.tests} <= {
        ("primary-remote-flat", "strict"),
        ("primary-remote-flat", "disabled"),
        ("multi-primary-split-horizon", "strict"),
        ("two-primaries-four-clusters", "strict"),
    }


def test_the_newest_runs_come_first_and_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    for name in ("20261127-1", "20261128-1"):
        small_run(tmp_path / name)
    (tmp_path / "20261129-1").mkdir()
    (tmp_path / "20261129-1" / "events.jsonl").write_bytes(b'\xff{"kind": "test"\n"kind": "test"\n')
    (tmp_path / "notes.txt").write_text("")
    found = times_in(tmp_path)
    assert [one.name for one in found.runs] == ["20261128-1", "20261127-1"]
    assert times_in(tmp_path / "nowhere").runs == []
