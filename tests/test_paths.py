"""Where store and state are, whatever the environment says."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import MeshproofError, UsageError
from meshproof.paths import state_dir, store_dir, working_dir


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("MESHPROOF_STORE", "MESHPROOF_STATE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("/abs/store", "/abs/store"),
        ("store", "{home}/work/store"),
        ("./store", "{home}/work/store"),
        ("../store", "{home}/store"),
        ("~", "{home}"),
        ("~/store", "{home}/store"),
        ("", "{home}/.cache/meshproof"),
    ],
)
def test_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, found: str) -> None:
    monkeypatch.setenv("MESHPROOF_STORE", named)
    assert str(store_dir()) == found.format(home=tmp_path)


def test_one_state_folder_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("work")
    monkeypatch.setenv("MESHPROOF_STATE", "../link/state")
    assert state_dir() == tmp_path / "work" / "state"


def test_the_base_directories_count_only_when_they_are_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_dir() == tmp_path / ".local/state/meshproof"
    monkeypatch.setenv("XDG_STATE_HOME", "/var/state")
    assert state_dir() == Path("/var/state/meshproof")


@pytest.mark.parametrize("named", [None, "", "/gone/home", "home"])
def test_a_home_that_is_none(monkeypatch: pytest.MonkeyPatch, named: str | None) -> None:
    if named is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", named)
    monkeypatch.setattr("meshproof.environment.pwd.getpwuid", _of_user)
    monkeypatch.setenv("MESHPROOF_STATE", "~/state")
    assert store_dir() == Path("/home/user/.cache/meshproof")
    assert state_dir() == Path("/home/user/state")


def test_a_home_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHPROOF_STATE", "~nosuchuser/state")
    with pytest.raises(UsageError, match="MESHPROOF_STATE=~nosuchuser/state: there is no home"):
        state_dir()


def test_a_working_directory_that_is_gone_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHPROOF_STORE", "store")
    (tmp_path / "work").rmdir()
    for ask in (working_dir, store_dir):
        with pytest.raises(MeshproofError, match=r"working directory is gone .*: change to one"):
            ask()
    assert state_dir() == tmp_path / ".local/state/meshproof"


def _of_user(_: int) -> object:
    class User:
        pw_dir = "/home/user"

    return User
