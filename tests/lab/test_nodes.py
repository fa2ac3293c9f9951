"""Nodes learn each other's names as soon as all of them run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Any

import pytest

from meshproof.engine import Container
from meshproof.engine.engine import KIND_LABEL
from meshproof.errors import LabError, WaitFailedError
from meshproof.lab.nodes import introduce_when_there, node_address
from meshproof.process import Finished
from tests.lab.fakes import FakeEngine

NAME = "mp-0a1b2c3d-west"


class Machine(FakeEngine):
    """Containers with addresses. ``shown``: how many there are; one more at each look."""

    def __init__(self, addresses: dict[str, Sequence[tuple[str, int]]], shown: int) -> None:
        super().__init__()
        self.addresses, self.shown = addresses, shown
        self.hosts: dict[str, str] = {}

    def containers(self) -> list[Container]:
        names = list(self.addresses)[: self.shown]
        self.shown += 1
        others = [Container("mp-0a1b2c3d-router", True, {})]
        return others + [Container(name, True, {KIND_LABEL: NAME}) for name in names]

    def exec(self, container: str, argv: Sequence[str], **options: Any) -> Finished:
        if argv[0] == "ip":
            infos = [{"local": a, "prefixlen": n} for a, n in self.addresses[container]]
            return Finished(tuple(argv), 0, json.dumps([{"addr_info": infos}]), "", 0.0)
        assert argv[:2] == ["sh", "-c"] and "/etc/hosts" in argv[2]
        self.hosts[container] = options["input"]
        return Finished(tuple(argv), 0, "", "", 0.0)


def machine(shown: int = 3) -> Machine:
    nodes: dict[str, Sequence[tuple[str, int]]] = {
        f"{NAME}-control-plane": [("172.30.1.200", 32), ("172.30.1.4", 24)],
        f"{NAME}-worker": [("172.30.1.2", 24)],
        f"{NAME}-worker2": [("172.30.1.3", 24)],
    }
    return Machine(nodes, shown)


def test_all_nodes_learn_all_names_once_the_last_runs() -> None:
    engine = machine(shown=0)
    introduce_when_there(engine, NAME, 3, 60.0, lambda: None)
    lines = {
        f"172.30.1.4 {NAME}-control-plane",
        f"172.30.1.2 {NAME}-worker",
        f"172.30.1.3 {NAME}-worker2",
    }
    assert engine.hosts.keys() == engine.addresses.keys()
    assert all(set(text.splitlines()) == lines for text in engine.hosts.values())


def test_when_kind_has_ended_nobody_waits_for_nodes_that_do_not_run() -> None:
    engine = machine(shown=0)
    with pytest.raises(WaitFailedError, match="kind has ended"):
        introduce_when_there(engine, NAME, 4, 60.0, lambda: "kind has ended")
    assert engine.hosts == {}


def test_nodes_that_run_are_told_also_when_kind_was_quick() -> None:
    engine = machine()
    introduce_when_there(engine, NAME, 3, 60.0, lambda: "kind has ended")
    assert len(engine.hosts) == 3


def test_the_address_of_a_service_is_not_the_nodes() -> None:
    assert node_address(machine(), f"{NAME}-control-plane") == IPv4Address("172.30.1.4")


def test_a_node_without_an_address_is_said() -> None:
    engine = Machine({f"{NAME}-worker": [("172.30.1.200", 32)]}, 1)
    with pytest.raises(LabError, match=f"{NAME}-worker has no address"):
        node_address(engine, f"{NAME}-worker")
