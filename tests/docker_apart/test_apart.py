"""What of `make test-docker` needs no engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from .daemon import Daemon, inside, mounts_below
from .unpacked import _chosen


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return path


def test_an_unpacked_program_is_taken_where_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = _program(tmp_path / "root/usr/sbin/runc")
    own = _program(tmp_path / "own/runc")
    monkeypatch.setenv("PATH", str(own.parent))
    assert _chosen("runc", tmp_path / "root", lambda _: True) == unpacked
    assert _chosen("runc", tmp_path / "root", lambda one: one == own) == own
    with pytest.raises(SystemExit, match="runc of trixie does not run here"):
        _chosen("runc", tmp_path / "root", lambda _: False)


def test_everything_of_the_daemon_is_in_its_folder() -> None:
    daemon = Daemon(Path("/apart"), Path("/apart/bin"))
    places = [word for word in daemon.argv() if "/" in word]
    assert len(places) == 6
    assert all(place.removeprefix("unix://").startswith("/apart/") for place in places)
    found = daemon.environment({"PATH": "/bin", "DOCKER_HOST": "unix:///run/docker.sock"})
    assert found["DOCKER_HOST"] == "unix:///apart/docker.sock"
    assert found["PATH"] == "/apart/bin:/bin"
    assert inside("docker")[:2] == ["nsenter", "--net=/run/netns/meshproof-docker"]


def test_mounts_that_stay_are_found() -> None:
    lines = "overlay /apart/data/merged overlay rw 0 0\nnsfs /apartment nsfs rw 0 0\n\n"
    assert mounts_below(Path("/apart"), lines) == ["/apart/data/merged"]
