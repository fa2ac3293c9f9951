"""Mending: announced first, done once, and nothing where nothing is to be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.doctor import Finding, Fix, Level, mend
from meshproof.doctor.findings import MakeFolder, Run, Write
from meshproof.errors import CancelledError
from meshproof.events import Event, Recorder
from meshproof.process import Shell


def _failing(fix: Fix | None, name: str = "something") -> Finding:
    return Finding(name, Level.FAIL, "missing", "mend it", fix)


def test_a_fix_is_announced_before_it_is_done(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "file"
    seen: list[tuple[str, bool]] = []
    fix = Fix("Writes a file.", (Write(file, "text"),))
    mend([_failing(fix)], Shell(), Recorder(), lambda says: seen.append((says, file.exists())))
    assert seen == [("Writes a file.", False)]
    assert file.read_text(encoding="utf-8") == "text"


def test_a_fix_that_several_findings_carry_is_done_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    fixes = [Fix("Logs.", (Run(("sh", "-c", f"echo $WORD >> {log}"), {"WORD": "once"}),))] * 2
    announced: list[str] = []
    mend([_failing(fix) for fix in fixes], Shell(), Recorder(), announced.append)
    assert announced == ["Logs."]
    assert log.read_text(encoding="utf-8") == "once\n"


def test_doing_it_again_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    fix = Fix("Writes.", (MakeFolder(tmp_path / "new"), Write(file, "text")))
    mend([_failing(fix)], Shell(), Recorder(), lambda says: None)
    before = file.stat().st_mtime_ns
    mend([_failing(fix)], Shell(), Recorder(), lambda says: None)
    assert file.stat().st_mtime_ns == before


def test_without_fixes_nothing_is_said_or_done() -> None:
    events: list[Event] = []
    announced: list[str] = []
    mend([_failing(None)], Shell(), Recorder(listeners=[events.append]), announced.append)
    assert (announced, events) == ([], [])


def test_a_fix_that_fails_is_told_and_the_next_one_is_tried(tmp_path: Path) -> None:
    bad = Fix("Fails.", (Run(("sh", "-c", "echo no luck >&2; exit 3")),))
    good = Fix("Makes.", (MakeFolder(tmp_path / "made"),))
    announced: list[str] = []
    events: list[Event] = []
    recorder = Recorder(listeners=[events.append])
    mend([_failing(bad), _failing(good)], Shell(), recorder, announced.append)
    assert announced[0] == "Fails."
    assert "no luck" in announced[1]
    assert (tmp_path / "made").is_dir()
    assert [event.kind for event in events] == ["step-begin", "step-end"] * 2


def test_calling_off_the_run_ends_the_mending(tmp_path: Path) -> None:
    shell = Shell()
    shell.cancel()
    fix = Fix("Runs.", (Run(("true",)),))
    after = Fix("Makes.", (MakeFolder(tmp_path / "made"),))
    with pytest.raises(CancelledError):
        mend([_failing(fix), _failing(after)], shell, Recorder(), lambda says: None)
    assert not (tmp_path / "made").exists()
