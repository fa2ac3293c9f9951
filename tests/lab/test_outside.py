"""Who is outside all clusters: a client with the probe of this machine, and a server, both on the
router."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.kube.asking import Question, ask_all
from meshproof.lab import Lab, outside
from meshproof.lab.network.router import OWN_ADDRESS
from meshproof.lab.outside import OutsideClient, server_outside
from meshproof.process import Finished, Shell
from meshproof.wait import eventually


def test_it_asks_in_the_routers_network() -> None:
    asked: list[tuple[str, Sequence[str]]] = []

    def run(container: str, argv: Sequence[str], **options: Any) -> Finished:
        asked.append((container, argv))
        assert '"kind": "tcp"' in options["input"]
        return Finished(tuple(argv), 0, '{"payload": "aGVsbG8=", "seconds": 0.1}\n', "", 0.1)

    lab = SimpleNamespace(
        router=SimpleNamespace(container="mp-router"), engine=SimpleNamespace(run_in_network=run)
    )
    client = OutsideClient(cast(Lab, lab), Path("/store/probe"))
    (reply,) = ask_all(client, [Question("tcp", 1.0, "10.0.0.1:80", b"hello")])
    assert reply.payload == b"hello"
    assert asked == [("mp-router", ["/store/probe", "ask"])]
    assert str(client) == "a client outside all clusters"


class ThisMachine:
    """An engine whose one container is this machine."""

    def copy_in(self, source: Path, container: str, target: str) -> None:
        assert container == "mp-router"
        shutil.copy(source, target)

    def exec(self, container: str, argv: Sequence[str], **options: Any) -> Finished:
        assert container == "mp-router"
        return Shell().run(argv, timeout=5.0, **options)


def runs(number: int) -> bool:
    """Whether a process of this number runs, and is no zombie."""
    state = Path(f"/proc/{number}/stat")
    with suppress(FileNotFoundError):
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_server_runs_on_the_router_as_long_as_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, told = tmp_path / "helloworld", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$$ $SERVICE_VERSION" > {told}\nexec sleep 60\n')
    program.chmod(0o755)
    place = tmp_path / "on-the-router"
    monkeypatch.setattr(outside, "_PLACE", str(place))
    router = SimpleNamespace(container="mp-router")
    lab = cast(Lab, SimpleNamespace(router=router, engine=ThisMachine()))
    with server_outside(lab, program, {"SERVICE_VERSION": "external it is"}) as address:
        assert address == OWN_ADDRESS
        eventually(lambda: told.exists() and told.read_text().strip(), what="the server", within=5)
        number, _, version = told.read_text().strip().partition(" ")
        assert version == "external it is" and runs(int(number))
    eventually(lambda: not runs(int(number)), what="the server's end", within=5)
    assert not place.exists()
