"""The PATH of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from .programs import Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """A PATH on which there is neither docker nor podman, until they are put there."""
    found = Programs(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(found.folder))
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("meshproof.engine.choose.os.geteuid", lambda: 0)
    return found
