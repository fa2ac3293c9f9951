"""A client outside all clusters asks with the probe of this machine, in the router's network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from meshproof.kube.asking import Question, ask_all
from meshproof.lab import Lab
from meshproof.lab.outside import OutsideClient
from meshproof.process import Finished


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
