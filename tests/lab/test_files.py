"""Files of containers and nodes, read where this machine's kernel shows them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from meshproof.engine.podman import Podman
from meshproof.process import Shell


def test_a_file_in_a_container_is_read_and_one_that_is_not_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine = Podman(Shell())
    monkeypatch.setattr(engine, "pid", lambda container: os.getpid())
    note = tmp_path / "init.pid"
    note.write_text("4711", encoding="utf-8")
    assert engine.read("node", str(note).lstrip("/")) == "4711"
    assert engine.read("node", str(tmp_path / "no").lstrip("/")) is None
