"""Logs as nodes keep them, read by the very script that runs there."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.kube.node_logs import folder, printed_since, stamped
from meshproof.process import Finished

NODE = cast(Node, object())
MOMENT = 1795989600.0  # 2026-11-29T22:00:00Z


def line(second: int, text: str) -> str:
    return f"2026-11-29T22:00:{second:02}.123456789Z stdout F {text}\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A container's log that was turned over twice."""
    (tmp_path / "0.log").write_text(line(30, "mp-1 c") + line(31, "other"))
    (tmp_path / "0.log.2").write_text(line(20, "mp-1 b"))
    (tmp_path / "0.log.1.gz").write_bytes(gzip.compress(line(10, "mp-1 a").encode()))
    (tmp_path / "0.log.3.gz.tmp").write_bytes(b"half")
    return tmp_path


def here() -> RunningCluster:
    """A cluster whose node is this machine."""

    def on_node(_: object, *argv: str, **__: Any) -> Finished:
        done = subprocess.run(argv, capture_output=True, text=True)
        return Finished(argv, done.returncode, done.stdout, done.stderr, 0.0)

    return cast(RunningCluster, SimpleNamespace(on_node=on_node))


def said(lines: list[str]) -> list[str]:
    return sorted(found[1] for one in lines if (found := stamped(one)))


def test_all_parts_are_read(logs: Path) -> None:
    assert said(printed_since(here(), NODE, [str(logs)], 0)) == [
        "mp-1 a",
        "mp-1 b",
        "mp-1 c",
        "other",
    ]


def test_only_what_was_printed_since_then_and_is_wanted(logs: Path) -> None:
    found = printed_since(here(), NODE, [str(logs)], MOMENT + 15, ["mp-1", "mp-2"])
    assert said(found) == ["mp-1 b", "mp-1 c"]
    assert printed_since(here(), NODE, [str(logs)], MOMENT, ["nobody says this"]) == []


def test_parts_that_are_older_are_not_read(logs: Path) -> None:
    for one in logs.iterdir():
        os.utime(one, (MOMENT - 100, MOMENT - 100))
    assert printed_since(here(), NODE, [str(logs)], MOMENT) == []
    assert printed_since(here(), NODE, [str(logs)], MOMENT, ["mp-1"]) == []


def test_several_containers_by_pattern(logs: Path) -> None:
    assert said(printed_since(here(), NODE, [f"{logs.parent}/{logs.name}*"], 0, ["mp-1 a"]))


def test_a_log_that_is_not_there_is_no_silence(tmp_path: Path) -> None:
    for words in ([], ["mp-1"]):
        with pytest.raises(EvidenceError, match="cannot be read"):
            printed_since(here(), NODE, [str(tmp_path / "nowhere")], 0, words)


def test_where_they_are() -> None:
    assert folder("sample", "sleep-1", "sleep") == "/var/log/pods/sample_sleep-1_*/sleep"


def test_pieces_and_errors_are_no_whole_lines() -> None:
    assert stamped("2026-11-29T22:00:00Z stdout P {") is None
    assert stamped("2026-11-29T22:00:00Z stderr F x") is None
    assert stamped("yesterday stdout F x") is None
