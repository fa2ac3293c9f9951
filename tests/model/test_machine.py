"""Machines outside Kubernetes: where they stand, and what may pass to them and from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import ModelError, UsageError
from meshproof.files import read_topology, topology_named
from meshproof.model import Flow, Topology, Version

KUBERNETES = Version.parse("1.36.3")
ONE = """name: t
clusters:
  east: {role: primary, network: net-east, gateway: true}
machines:
"""
TWO = """name: t
clusters:
  east: {role: primary, network: shared}
  west: {role: remote, network: shared}
machines:
"""
MESHES = """name: t
meshes: {one: {}, two: {}}
clusters:
  east: {role: primary, network: net-east, gateway: true, mesh: one}
  west: {role: primary, network: net-west, gateway: true, mesh: two}
machines:
"""
NOTHING: frozenset[Flow] = frozenset()
GATEWAY, POD = frozenset({Flow.GATEWAY}), frozenset({Flow.POD})


def read(folder: Path, text: str) -> Topology:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return read_topology(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as raised:
        read(folder, text)
    return str(raised.value).partition("mine.yaml:")[2]


def test_machines_stand_on_clusters_networks_and_on_their_own() -> None:
    topology = topology_named("vm-expansion")
    footprint = topology.footprint(KUBERNETES)
    assert footprint.names == ("east", "west")
    assert footprint.places == ("east", "west", "depot")
    assert footprint.machines_at("east") == ("shop",)
    assert footprint.machines_at("west") == ("till",)
    assert footprint.machines_at("depot") == ("depot",)
    assert [one.primary for one in topology.machines] == ["east", "west", "east"]
    assert topology.machine("depot").locality == "r3.r3-a"
    assert topology.machine("till").locality == ""
    assert topology.networks_of(topology["east"].mesh) == ("net-east", "net-west", "net-depot")
    assert not topology.exemplary
    with pytest.raises(ModelError, match="has no machine 'store', only shop, till, depot"):
        topology.machine("store")


def test_a_network_of_machines_is_reached_directly_and_reaches_gateways() -> None:
    topology = topology_named("vm-expansion")
    wiring = topology.wiring(topology.footprint(KUBERNETES))
    assert wiring.between("depot", "east") == wiring.between("depot", "west") == GATEWAY
    assert wiring.between("east", "depot") == wiring.between("west", "depot") == POD
    assert Flow.POD not in wiring.between("east", "west")


def test_machines_of_one_network_share_it(tmp_path: Path) -> None:
    topology = read(tmp_path, ONE + "  b: {network: n}\n  a: {network: n}\n  c: {network: m}\n")
    footprint = topology.footprint(KUBERNETES)
    assert footprint.places == ("east", "b", "c")
    assert footprint.machines_at("b") == ("b", "a")
    assert topology.wiring(footprint).between("b", "c") == POD


def test_a_machine_stands_beside_the_cluster_that_serves_it(tmp_path: Path) -> None:
    topology = read(tmp_path, TWO + "  shop: {network: shared}\n")
    assert topology.machine("shop").primary == "east"
    assert topology.footprint(KUBERNETES).places == ("east", "west")


def test_who_does_not_know_a_machine_does_not_reach_it(tmp_path: Path) -> None:
    text = MESHES + "  a: {network: n, primary: east}\n  b: {network: m, primary: west}\n"
    topology = read(tmp_path, text)
    wiring = topology.wiring(topology.footprint(KUBERNETES))
    assert wiring.between("east", "a") == POD
    assert wiring.between("west", "a") == wiring.between("a", "b") == NOTHING
    assert [one.name for one in topology.part(topology["east"].mesh).machines] == ["a"]
    assert [one.name for one in topology.machines_of("west")] == ["b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE + "  east: {network: n}\n", "5: the machine east is called like a cluster"),
        (ONE + "  Shop: {network: n}\n", "5: 'Shop' is no name for a machine"),
        (ONE + "  a: {network: n, primary: b}\n", "5: the primary of a is 'b', which is no"),
        (TWO + "  a: {network: shared, primary: west}\n", "6: the primary of a is west, which has"),
        (TWO + "  a: {network: n}\n", "3: a is on another network than its primary east, which"),
        (ONE + "  a: {network: n, version: v1}\n", "5: v1 is in east already"),
        (ONE + "  a: {network: n, version: V}\n", "5: 'V' is no name for a version"),
        (
            ONE + "  a: {network: n, version: v3}\n  b: {network: n, version: v3}\n",
            "6: v3 is in a already",
        ),
        (ONE + "  a: {network: n, zone: z}\n", "5: the zone of a is in no region"),
        (
            ONE + "  a: {network: n, region: eu.west}\n",
            "5: the region of a is 'eu.west', and a dot ends it for Istio: write eu-west.",
        ),
        (ONE + "  a: {}\n", "5: 'network' of machine a is missing"),
        (ONE + "  a: {network: n, gateway: true}\n", "5: the key 'gateway' of machine a is"),
        (MESHES + "  a: {network: n}\n", "7: a does not say which primary serves it"),
        (
            MESHES + "  a: {network: net-west, primary: east}\n",
            "7: a is of the mesh one, and its network net-west has clusters of other meshes alone",
        ),
        (
            MESHES + "  a: {network: n, primary: east}\n  b: {network: n, primary: west}\n",
            "7: a and b share a network and no mesh",
        ),
    ],
)
def test_what_cannot_exist_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_a_machine_on_another_network_makes_a_gateway_due(tmp_path: Path) -> None:
    clusters = "name: t\nclusters:\n  east: {role: primary, network: a}\n"
    said = complaint(tmp_path, clusters + "machines: {shop: {network: b}}\n")
    assert said.startswith("3: shop is on another network than its primary east")
    assert said.endswith("add 'gateway: true' to east.")
