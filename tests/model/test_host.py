"""Clusters that a host manages: which those are, what passes between them, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.files import read_topology, topology_named
from meshproof.model import Deployment, Flow, Topology, Version

KUBERNETES, ISTIO = Version.parse("1.36.3"), Version.parse("1.31.1")
NOTHING: frozenset[Flow] = frozenset()
API = frozenset({Flow.API})
MESHES = """name: t
meshes: {one: {}, two: {}}
clusters:
  east: {role: primary, network: net-east, mesh: one}
  west: {role: primary, network: net-west, mesh: two}
"""
JOINED = """name: t
clusters:
  east: {role: primary, network: shared}
  west: {role: primary, network: shared}
"""
HOST = "  host: {role: host, network: net-host, kind-config: far%s}\n"


def read(folder: Path, text: str) -> Topology:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return read_topology(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as raised:
        read(folder, text)
    return str(raised.value).partition("mine.yaml:")[2]


def wired(topology: Topology, caller: str, called: str) -> frozenset[Flow]:
    wiring = topology.wiring(topology.footprint(KUBERNETES))
    return wiring.between(caller, called)


def test_a_host_reaches_the_api_servers_of_its_members_and_nothing_reaches_back() -> None:
    topology = topology_named("host-member")
    assert topology.host is not None and topology.host.name == "host"
    assert topology.managed == ("east", "west")
    assert wired(topology, "host", "east") == wired(topology, "host", "west") == API
    for caller, called in (("east", "host"), ("east", "west"), ("west", "east"), ("west", "host")):
        assert wired(topology, caller, called) == NOTHING, (caller, called)


def test_a_host_is_part_of_no_mesh() -> None:
    topology = topology_named("host-member")
    assert topology.names == ("host", "east", "west")
    assert [one.name for one in topology.meshed] == ["east", "west"]
    assert topology.workloads == ("east", "west") and "host" not in topology.versions.values()
    assert [one.name for one in topology.control_planes] == ["east", "west"]
    assert [one.name for one in topology.meshes] == ["east", "west"]
    assert not topology.asks("host", "east") and topology.readers("east") == ()
    deployment = Deployment(topology, dict.fromkeys(topology.names, ISTIO), KUBERNETES)
    assert {deployment.root_of(one) for one in topology.meshed} == {"east", "west"}


def test_members_of_one_mesh_reach_each_other_as_ever(tmp_path: Path) -> None:
    topology = read(tmp_path, JOINED + HOST % "")
    own = read(tmp_path, JOINED)
    assert wired(topology, "east", "west") == wired(own, "east", "west")
    assert wired(topology, "host", "west") == API and wired(topology, "west", "host") == NOTHING


def test_a_host_reaches_none_but_those_that_it_manages(tmp_path: Path) -> None:
    topology = read(tmp_path, MESHES + HOST % ", manages: [west]")
    assert topology.managed == ("west",)
    assert wired(topology, "host", "west") == API and wired(topology, "host", "east") == NOTHING


def test_topologies_without_a_host_are_wired_as_they_were() -> None:
    topology = topology_named("federation")
    assert topology.host is None and topology.managed == ()
    assert wired(topology, "east", "west") == {Flow.GATEWAY}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MESHES + HOST % ", gateway: true", "6: host is a host, so no gateway leads to it: leave"),
        (MESHES + HOST % ", reads: [east]", "6: host is a host, so it has no istiod that reads"),
        (MESHES + HOST % ", region: r1", "6: host is a host, so nothing asks where its nodes are"),
        (MESHES + HOST % ", mesh: one", "6: host is a host, so it is in no mesh: leave 'mesh' out"),
        (MESHES + HOST % ", versions: [v9]", "6: host is a host, so no version of helloworld"),
        (MESHES + HOST % ", primary: east", "6: host is a host and cannot be served by 'east'"),
        (MESHES + HOST % ", manages: []", "6: host is a host and manages no cluster: name east or"),
        (MESHES + HOST % ", manages: [far]", "6: host cannot manage 'far', which is no cluster"),
        (MESHES + HOST % ", manages: [host]", "6: host cannot manage itself: name east or west."),
        (
            MESHES + HOST % "" + "  other: {role: host, network: net-other, kind-config: far}\n",
            "7: host and other both have the role host: give other another role.",
        ),
        (
            MESHES + "  host: {role: host, network: net-east, kind-config: far}\n",
            "6: host is a host and shares its network net-east with east, which must not reach it",
        ),
        (
            MESHES.replace("network: net-west,", "network: net-west, manages: [east],"),
            "5: west manages clusters, and has the role primary: leave 'manages' out, or give",
        ),
        (
            MESHES + HOST % "" + "machines:\n  shop: {network: net-host, primary: east}\n",
            "6: host is a host and shares its network net-host with shop",
        ),
        (
            MESHES + HOST % "" + "machines:\n  shop: {network: net-shop, primary: host}\n",
            "8: the primary of shop is host, which has the role host: name east or west.",
        ),
    ],
)
def test_what_a_host_cannot_be(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_a_host_alone_is_no_topology(tmp_path: Path) -> None:
    text = "name: t\nclusters:\n  host: {role: host, network: net-host, kind-config: far}\n"
    assert "no version of helloworld runs anywhere" in complaint(tmp_path, text)


def test_a_remote_is_not_served_by_a_host(tmp_path: Path) -> None:
    text = JOINED + "  north: {role: remote, primary: host, network: net-north}\n" + HOST % ""
    said = complaint(tmp_path, text)
    assert said.startswith("5: the primary of north is host, which has the role host: name east or")
