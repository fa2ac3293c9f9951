"""Records of runs, made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from meshproof.schema import SCHEMA
from tests.cli.world import World

FLAT = "primary-remote-flat"


def event(kind: str, /, **data: Any) -> str:
    """A line of a record."""
    return json.dumps({"at": 1_790_000_000.5, "kind": kind, **data})


def begin(*tests: str, **other: Any) -> str:
    """The line with which a run of these tests begins."""
    data = {
        "schema": SCHEMA,
        "meshproof": "0.1.0",
        "request": {},
        "machine": {"cores": 2, "memory": 2**33, "kernel": "6.1.0", "distribution": "Debian 12"},
        "deployments": [deployment()],
        "tests": list(tests),
    }
    return event("run-begin", **{**data, **other})


def end(code: Any) -> str:
    """The line with which a run ends."""
    return event("run-end", exit_code=code)


def deployment(name: str = FLAT, **other: Any) -> dict[str, Any]:
    """What a test ran on, as a record has it."""
    data = {
        "id": name,
        "topology": name.partition("+")[0],
        "istio": {"east": "1.31.1", "west": "1.31.1"},
        "kubernetes": "1.36.3",
        "mtls": "strict",
        "variants": [],
        "revision": "",
    }
    return {**data, **other}


def artifacts(**other: Any) -> str:
    """The line that says what a run's labs are made of."""
    data = {
        "engine": {"name": "podman", "version": "4.3.1"},
        "source": "built",
        "digest": "0123456789abcdef" * 4,
        "parts": {"kind": "abcd"},
        "proxies": {"1.31.1": "plain Envoy 1.40.0"},
    }
    return event("artifacts", **{**data, **other})


def judged(test: Any, outcome: Any = "PASS", **other: Any) -> str:
    """The line of a test's outcome."""
    data = {
        "test": test,
        "behaviour": "distribution/every-version-answers",
        "sentence": "both versions answer",
        "suite": "distribution",
        "level": "core",
        "feature": "discovery",
        "deployment": deployment(),
        "caller": None,
        "pair": None,
        "outcome": outcome,
        "why": "" if outcome == "PASS" else "expected this, saw that",
        "seconds": 1.5,
        "evidence": [],
        "proves": [],
    }
    return event("test", **{**data, **other})


def not_told(test: str = "x", **other: Any) -> str:
    """The line of a test that does not apply."""
    data = {
        "test": test,
        "behaviour": "identities/one-root",
        "sentence": "one root",
        "deployment": FLAT,
        "reason": "it has one root",
        "told": True,
    }
    return event("not-applicable", **{**data, **other})


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
