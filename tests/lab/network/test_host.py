"""What a killed engine left on the host goes; the machine's own, and its administrator's, stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from meshproof.engine import Network
from meshproof.errors import CommandError, LabError
from meshproof.lab.network import host
from meshproof.lab.network.host import left_on_host, seal, sealed_ids, unseal
from meshproof.lab.network.subnets import Subnet
from meshproof.process import Finished, Shell
from tests.lab.fakes import FakeEngine, FakeShell

SUBNET = Subnet(IPv4Network("172.30.4.0/24"))
DEAD = "netns-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
ALIVE = "netns-ffffffff-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
Answers = Mapping[tuple[str, ...], str]
ADDRESS = ("ip", "-j", "-d", "-4", "address")
ROUTE = ("ip", "-j", "-d", "-4", "route", "show", "default")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path))
    monkeypatch.setattr(host, "find_program", lambda name: f"/sbin/{name}")
    return tmp_path


def link(name: str, kind: str, *addresses: str) -> dict[str, Any]:
    listed = [{"local": address} for address in addresses]
    return {"ifname": name, "linkinfo": {"info_kind": kind}, "addr_info": listed}


def left(answers: Answers, *known: Network) -> list[str]:
    engine = FakeEngine(answers)
    engine.nets = list(known)
    return [one.name for one in left_on_host(engine, [SUBNET])]


@pytest.mark.parametrize(
    ("one", "goes"),
    [
        (link("podman3", "bridge", "172.30.4.1"), True),
        (link("br-0a1b2c3d4e5f", "bridge", "172.30.4.1"), True),
        (link("veth0", "veth", "172.30.4.2"), True),
        (link("podman3", "bridge", "172.30.4.1", "10.0.0.1"), False),
        (link("podman3", "bridge"), False),
        (link("podman3", "vlan", "172.30.4.1"), False),
        (link("br0", "bridge", "172.30.4.1"), False),
        (link("virbr0", "bridge", "172.30.4.1"), False),
        (link("eth0", "veth", "172.30.4.7"), False),
        ({"ifname": "eth0", "addr_info": [{"local": "172.30.4.7"}]}, False),
        ({"ifname": "lo", "addr_info": [{"local": "127.0.0.1"}]}, False),
        ({}, False),
    ],
)
def test_of_links_only_what_engines_make_goes_and_only_if_it_serves_us_alone(
    one: dict[str, Any], goes: bool
) -> None:
    found = left({ADDRESS: json.dumps([one])})
    assert found == ([f"link {one['ifname']}"] if goes else [])


def test_the_machines_way_out_never_goes() -> None:
    bridge = json.dumps([link("podman3", "bridge", "172.30.4.1")])
    assert left({ADDRESS: bridge, ROUTE: '[{"dst": "default", "dev": "podman3"}]'}) == []


def test_what_the_engine_still_knows_is_passed_over() -> None:
    answers: Answers = {ADDRESS: json.dumps([link("podman3", "bridge", "172.30.4.1")])}
    wide = Network("theirs", "podman9", (IPv4Network("172.30.0.0/16"),), {})
    elsewhere = Network("theirs", "podman3", (IPv4Network("10.9.0.0/24"),), {})
    other = Network("theirs", "podman9", (IPv4Network("10.9.0.0/24"),), {})
    assert left(answers, wide) == []
    assert left(answers, elsewhere) == []
    assert left(answers, other) == ["link podman3"]


def test_of_namespaces_only_the_engines_deserted_ones_with_our_addresses_go() -> None:
    inside = json.dumps([link("eth0", "veth", "172.30.4.2"), link("lo", "", "127.0.0.1")])
    outside = json.dumps([link("eth0", "veth", "10.88.0.2")])
    other = DEAD.replace("0a1b2c3d-", "11111111-")
    answers = {
        ("ip", "netns", "list"): f"{DEAD} (id: 1)\n{ALIVE}\nlab\n{other}\n",
        ("ip", "netns", "pids", ALIVE): "4711\n",
    }
    for name, listing in ((DEAD, inside), (ALIVE, inside), ("lab", inside), (other, outside)):
        answers["ip", "-n", name, "-j", "-d", "-4", "address"] = listing
    assert left(answers) == [f"network namespace {DEAD}"]


RULES = """-P FORWARD ACCEPT
-N NETAVARK-1D8721804F16F
-A POSTROUTING -s 172.30.4.0/24 -j NETAVARK-1D8721804F16F
-A NETAVARK-1D8721804F16F ! -d 224.0.0.0/4 -j MASQUERADE
-A NETAVARK_FORWARD -d 172.30.4.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s 172.30.4.0/24 ! -o br-0a1b2c3d4e5f -j ACCEPT
-A INPUT -s 172.30.4.0/24 -j DROP
-A INPUT -s 172.30.44.0/24 -j NETAVARK_INPUT
-A FORWARD -s 172.30.40.0/24 -j NETAVARK_FORWARD
-A FORWARD -s 172.30.4.0/241 -j NETAVARK_FORWARD
-A NETAVARK_FORWARD ! -s 172.30.4.0/24 -j DROP
-A NETAVARK_FORWARD -m comment --comment "for 172.30.4.0/24" -j ACCEPT
-A NETAVARK_FORWARD -m comment --comment 172.30.4.0/24 -j ACCEPT
-A INPUT -s 172.30.4.0/24 -m comment --comment DOCKER -j DROP
-A DOCKER-USER -s 172.30.4.0/24 -j DROP
-A DOCKER-USER -s 172.30.4.0/24 -i br-0a1b2c3d4e5f -j DROP
-A FORWARD -s 172.30.4.0/24 -i podman3 -j DROP
-A FORWARD -m comment --comment "unfinished
"""


def test_of_rules_only_the_engines_for_exactly_our_subnet_go() -> None:
    found = left({("iptables", "-w", "-t", "nat", "-S"): RULES})
    assert [name.removesuffix(" of table nat") for name in found] == [
        "iptables rule '-A POSTROUTING -s 172.30.4.0/24 -j NETAVARK-1D8721804F16F'",
        "iptables rule '-A NETAVARK_FORWARD -d 172.30.4.0/24 -m conntrack --ctstate "
        "RELATED,ESTABLISHED -j ACCEPT'",
        "iptables rule '-A FORWARD -s 172.30.4.0/24 '!' -o br-0a1b2c3d4e5f -j ACCEPT'",
        "iptables rule '-A NETAVARK-1D8721804F16F '!' -d 224.0.0.0/4 -j MASQUERADE'",
        "iptables chain NETAVARK-1D8721804F16F",
    ]


def test_what_is_listed_is_what_is_removed() -> None:
    engine = FakeEngine({ADDRESS: json.dumps([link("podman3", "bridge", "172.30.4.1")])})
    found = left_on_host(engine, [SUBNET])
    changing = {"delete", "-D", "-F", "-X"}
    assert not [words for words in engine.fake.ran if changing & set(words)]
    for one in found:
        one.remove(engine.shell)
    assert engine.fake.ran[-1] == ("ip", "link", "delete", "podman3")


def _counters(*entries: tuple[str, str, str]) -> str:
    listed = [
        {"counter": {"family": family, "table": table, "name": name}}
        for family, table, name in entries
    ]
    return json.dumps({"nftables": [{"metainfo": {}}, *listed]})


def test_a_table_names_the_state_folder_that_it_was_made_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    class Kernel(FakeShell):
        def run(self, argv: Any, **options: Any) -> Finished:
            given.append(options.get("input", ""))
            return super().run(argv, **options)

    seal(Kernel(), "0a1b2c3d", [])
    added = given[0].splitlines()[-1].split()
    assert added[:4] == ["add", "counter", "inet", "meshproof_0a1b2c3d"]
    mark = added[4]
    listing = _counters(
        ("inet", "meshproof_0a1b2c3d", mark),
        ("ip", "meshproof_11111111", mark),
        ("inet", "meshproof_22222222", "state_000000000000"),
        ("inet", "meshproof_33333333", "forwarding_refused"),
        ("inet", "meshproof_4444444", mark),
        ("inet", "meshproof_../../..", mark),
        ("inet", "firewalld", mark),
    )
    shell = FakeShell(answers={("nft", "-j", "list", "counters"): listing})
    assert sealed_ids(shell) == {"0a1b2c3d"}
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path / "other"))
    assert sealed_ids(shell) == set()


@pytest.mark.parametrize(
    ("stderr", "outcome"),
    [
        ("", True),
        ("Error: Could not process rule: No such file or directory\n", False),
        ("Error: Could not process rule: Operation not permitted\n", None),
    ],
)
def test_rules_that_stay_are_said(stderr: str, outcome: bool | None) -> None:
    class Kernel(Shell):
        def run(self, argv: Any, **options: Any) -> Finished:
            return Finished(tuple(argv), int(bool(stderr)), "", stderr, 0.0)

    if outcome is None:
        with pytest.raises(LabError, match="not permitted"):
            unseal(Kernel(), "0a1b2c3d")
    else:
        assert unseal(Kernel(), "0a1b2c3d") is outcome


def test_rules_that_the_kernel_refuses_are_said() -> None:
    class Kernel(Shell):
        def run(self, argv: Any, **options: Any) -> Finished:
            raise CommandError(argv, 1, "", "no")

    with pytest.raises(LabError, match="refused the lab's nft rules"):
        seal(Kernel(), "0a1b2c3d", [])
