"""The router: closed before it has rules, found by its addresses, and taken over as it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import cast

import pytest

from meshproof.engine import Engine
from meshproof.files import read_footprint
from meshproof.lab.network.router import Router
from meshproof.lab.network.rules import TABLE, Places
from meshproof.lab.network.subnets import Subnet
from meshproof.model import Version, isolated
from meshproof.process import Finished

FOOTPRINT = read_footprint("east,west", Version(1, 36, 3))
SUBNETS = {name: Subnet(IPv4Network(f"172.30.{n}.0/24")) for n, name in enumerate(("east", "west"))}
LINKS = [
    {"ifname": f"eth{number}", "addr_info": [{"local": str(subnet.router)}]}
    for number, subnet in enumerate(SUBNETS.values())
]
COUNTED = {
    "nftables": [{"counter": {"name": "_east_to_west__api", "packets": 7}}],
}


class Container:
    """The router's container, as an engine runs programs in it. ``has_rules``: whether nft knows
    the lab's table."""

    def __init__(self) -> None:
        self.ran: list[tuple[tuple[str, ...], str]] = []
        self.started: list[str] = []
        self.has_rules = True

    def start(self, names: Sequence[str]) -> None:
        self.started += names

    def exec(
        self, container: str, argv: Sequence[str], *, input: str | None = None, check: bool = True
    ) -> Finished:
        words = tuple(argv)
        self.ran.append((words, input or ""))
        code = 0 if self.has_rules or words[:2] != ("nft", "list") else 1
        said = json.dumps(LINKS) if words[:2] == ("ip", "-j") else ""
        said = json.dumps(COUNTED) if words[:2] == ("nft", "-j") else said
        return Finished(words, code, said, "", 0.0)


@pytest.fixture
def container() -> Container:
    return Container()


@pytest.fixture
def router(container: Container) -> Router:
    networks = {name: (f"mp-{name}", subnet) for name, subnet in SUBNETS.items()}
    return Router(cast(Engine, container), "0a1b2c3d", FOOTPRINT, networks)


def test_a_router_that_was_stopped_forwards_nothing_until_it_has_rules(
    router: Router, container: Container
) -> None:
    router.restart()
    assert container.started == [router.container]
    closed = next(text for words, text in container.ran if words[:2] == ("nft", "-f"))
    assert "hook forward" in closed
    assert "policy drop" in closed
    assert "accept" not in closed


def test_interfaces_are_found_by_their_addresses(router: Router) -> None:
    router.restart()
    assert router.devices == {"east": "eth0", "west": "eth1"}


@pytest.mark.parametrize("has_rules", [True, False])
def test_a_kept_router_is_taken_over_as_it_was_or_closed(
    has_rules: bool, router: Router, container: Container
) -> None:
    container.has_rules = has_rules
    assert router.adopt() is has_rules
    assert any(words[:2] == ("nft", "-f") for words, _ in container.ran) is not has_rules
    assert router.devices == {"east": "eth0", "west": "eth1"}


def test_rules_and_routes_come_in_one_go(router: Router, container: Container) -> None:
    places = {}
    for number, name in enumerate(SUBNETS):
        node = IPv4Address(f"172.30.{number}.2")
        routes = {IPv4Network(f"10.{number}.0.0/16"): node}
        places[name] = Places(f"eth{number}", (node,), (node,), (), routes)
    router.apply(places, isolated())
    ((words, script),) = container.ran
    assert words == ("sh", "-e")
    assert script.startswith("nft -f - <<'RULES' && ip -batch - <<'ROUTES'\n")
    assert f"inet {TABLE} " in script.partition("<<'ROUTES'\n")[2].partition("RULES\n")[0]
    assert "route replace 10.1.0.0/16 via 172.30.1.2" in script.partition("RULES\n")[2]


def test_counters_are_read_from_the_labs_own_table(router: Router, container: Container) -> None:
    counters = router.counters()
    assert counters.between(("east", "west"), "api") == 7
    assert container.ran[0][0] == ("nft", "-j", "list", "table", "inet", TABLE)


def test_open_flows_are_forgotten(router: Router, container: Container) -> None:
    router.end_flows()
    assert container.ran == [(("conntrack", "-F"), "")]
