"""Records of runs, made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.cli.world import World

FLAT = "primary-remote-flat"


def event(kind: str, /, **data: Any) -> str:
    """A line of a record."""
    return json.dumps({"at": 1_790_000_000.5, "kind": kind, **data})


def begin(*tests: str) -> str:
    """The line with which a run of these tests begins."""
    return event("run-begin", meshproof="0.1.0", options={}, tests=list(tests))


def end(code: Any) -> str:
    """The line with which a run ends."""
    return event("run-end", exit_code=code)


def judged(test: Any, outcome: Any = "PASS", **other: Any) -> str:
    """The line of a test's outcome."""
    data = {
        "test": test,
        "behaviour": "both versions answer",
        "ground": FLAT,
        "outcome": outcome,
        "why": "" if outcome == "PASS" else "expected this, saw that",
        "seconds": 1.5,
    }
    return event("test", **{**data, **other})


def not_told(test: str = "x", **other: Any) -> str:
    """The line of a test that does not apply."""
    data = {"test": test, "behaviour": "one root", "ground": FLAT, "reason": "it has one root"}
    return event("not-applicable", **{**data, "told": True, **other})


def whole(outcomes: Iterable[str], code: int) -> list[str]:
    """The record of a run that came to its end."""
    said = list(outcomes)
    names = [f"t{number}" for number in range(len(said))]
    return [begin(*names), *map(judged, names, said), end(code)]


def text(lines: Iterable[str]) -> bytes:
    """Lines as a record holds them."""
    return "".join(f"{line}\n" for line in lines).encode()


def lay(content: bytes | Iterable[str], at: str = "run") -> Callable[[World], Path]:
    """A function that lays a record in a folder of the working directory."""

    def write(world: World) -> Path:
        folder = world.work / at
        folder.mkdir(parents=True)
        whole_text = content if isinstance(content, bytes) else text(content)
        (folder / "events.jsonl").write_bytes(whole_text)
        return folder

    return write
