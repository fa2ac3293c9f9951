"""The doctor looks at the folders that a lab and its artifacts need."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.doctor import Level
from meshproof.doctor.folders import judge_folders


def levels() -> dict[str, Level]:
    return {finding.name: finding.level for finding in judge_folders()}


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("MESHPROOF_STORE", str(tmp_path / "store"))
    return tmp_path


def test_folders_that_do_not_exist_yet_are_no_trouble(folders: Path) -> None:
    assert levels() == {"state": Level.OK, "store": Level.OK}
    assert list(folders.iterdir()) == []


@pytest.mark.parametrize("which", ["state", "store"])
def test_a_folder_of_somebody_else_is_told_of(folders: Path, which: str) -> None:
    (folders / which / "photos").mkdir(parents=True)
    found = levels()
    assert found.pop(which) is Level.FAIL
    assert list(found.values()) == [Level.OK]


@pytest.mark.parametrize("which", ["state", "store"])
def test_a_file_is_told_of_with_a_remedy(folders: Path, which: str) -> None:
    (folders / which).write_text("")
    (finding,) = [one for one in judge_folders() if one.name == which]
    assert finding.level is Level.FAIL
    assert f"MESHPROOF_{which.upper()}" in finding.remedy
