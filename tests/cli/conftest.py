"""The machine of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.world import World, usual_programs


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with podman and all that a lab needs."""
    return usual_programs(tmp_path_factory.mktemp("programs") / "bin")


@pytest.fixture
def world(tmp_path: Path, programs: Path) -> World:
    """A machine with podman and all that a lab needs, and an empty working directory."""
    return World(tmp_path, programs)
