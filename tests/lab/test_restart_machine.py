"""A machine that has ended is started again, where it was or elsewhere, and found by all."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.faults import machine as faults
from meshproof.lab import restart
from meshproof.lab.network.subnets import Subnet
from meshproof.model import Site

NODE, SHOP, CART = (IPv4Address(f"172.30.0.{number}") for number in (2, 3, 126))


class Beside:
    """A lab of one cluster and two machines on its network. ``done``: what was done, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        note = self.done.append
        sites = (Site("shop", "east"), Site("cart", "east"))
        at = {"shop": SHOP, "cart": CART}
        self.lab: Any = SimpleNamespace(
            recorder=Recorder(),
            footprint=SimpleNamespace(
                machines=sites, machines_at=lambda place: [one.name for one in sites]
            ),
            machines={
                name: SimpleNamespace(name=name, container=f"mp-{name}", address=address)
                for name, address in at.items()
            },
            networks={"east": "mp-east"},
            subnets={"east": Subnet(IPv4Network("172.30.0.0/24"))},
            clusters={"east": SimpleNamespace(nodes=(SimpleNamespace(address=NODE),))},
            engine=SimpleNamespace(command=lambda *argv: note(" ".join(argv))),
            machines_moved=lambda: note("rules"),
            router=SimpleNamespace(forget_neighbours=lambda: note("router forgets")),
        )
        for name, stand_in in {
            "revive": lambda one, network, address: note(f"{one.name} {network} {address}"),
            "forget_router": lambda _: note("nodes forget"),
            "lead_machines": lambda _: note("lead"),
        }.items():
            monkeypatch.setattr(restart, name, stand_in)


def test_it_is_led_and_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Beside(monkeypatch)
    restart.restart_machine(one.lab, "shop", IPv4Address("172.30.0.9"))
    assert one.done == [
        "shop mp-east 172.30.0.9",
        "lead",
        "rules",
        "nodes forget",
        "router forgets",
    ]


def test_a_killed_machine_runs_again_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Beside(monkeypatch)
    with pytest.raises(ZeroDivisionError), faults.machine_killed(one.lab, "shop", SHOP):
        assert one.done == ["kill mp-shop"]
        raise ZeroDivisionError
    assert one.done[1] == f"shop mp-east {SHOP}"


def test_a_free_address_is_the_last_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert restart.free_address(Beside(monkeypatch).lab, "shop") == IPv4Address("172.30.0.125")


def test_a_full_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Beside(monkeypatch)
    full = SimpleNamespace(containers=SimpleNamespace(hosts=lambda: [NODE, SHOP, CART]))
    one.lab.subnets = {"east": full}
    with pytest.raises(LabError, match="no address is left on the network of shop"):
        restart.free_address(one.lab, "shop")
