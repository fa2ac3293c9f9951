"""Topologies and deployments as data: what they derive, and what cannot exist raises."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from meshproof.errors import ModelError
from meshproof.model import (
    FLAT,
    Cluster,
    Deployment,
    Member,
    Mtls,
    Role,
    Topology,
    TopologyError,
    Version,
)

KUBERNETES, ISTIO = Version.parse("1.36.3"), Version.parse("1.31.0")
SECOND = {"east": 10, "west": 20, "north": 30, "far": 40}


def member(
    name: str, primary: str = "", network: str = "shared", gateway: bool = False, block: int = 0
) -> Member:
    """A remote of ``primary``, or a primary; ``block``: another's ranges in place of its own."""
    second = block or SECOND[name]
    pods, services = IPv4Network(f"10.{second}.0.0/16"), IPv4Network(f"10.{second + 100}.0.0/16")
    role = Role.REMOTE if primary else Role.PRIMARY
    return Member(Cluster(name, pods, services, "f"), role, network, primary or name, gateway)


def split() -> Topology:
    """One primary, one remote, each on a network of its own."""
    members = (member("east", "", "a", True), member("west", "east", "b", True))
    return Topology("split", members)


def mixed() -> Topology:
    """A primary and its remote on one network, another primary on another."""
    members = (
        member("east", network="a", gateway=True),
        member("west", "east", "a"),
        member("far", network="b", gateway=True),
    )
    return Topology("mixed", members)


def test_a_topology_answers_who_is_what() -> None:
    topology = mixed()
    assert topology.names == ("east", "west", "far")
    assert topology.networks == ("a", "b")
    assert [one.name for one in topology.primaries] == ["east", "far"]
    assert [one.name for one in topology.remotes] == ["west"]
    assert [one.name for one in topology.on("a")] == ["east", "west"]
    assert topology["west"].primary == "east"
    assert topology.same_network("east", "west") and not topology.same_network("east", "far")
    with pytest.raises(ModelError, match="no cluster 'north', only east, west, far"):
        topology["north"]


def test_wiring_is_flat_inside_a_network_and_isolated_between() -> None:
    flat = Topology("t", (member("east"), member("west", "east")))
    assert flat.wiring(flat.footprint(KUBERNETES)).name == "flat"
    isolated = split()
    assert isolated.wiring(isolated.footprint(KUBERNETES)).name == "isolated"
    wiring = mixed().wiring(mixed().footprint(KUBERNETES))
    assert wiring.name == "mixed"
    assert wiring.between("west", "east") == FLAT
    assert not wiring.is_flat("west", "far") and not wiring.is_flat("far", "east")


def test_a_deployment_is_a_test_id() -> None:
    deployment = Deployment(split(), {"east": ISTIO, "west": ISTIO}, KUBERNETES)
    assert str(deployment) == "split+1.31.0+strict"
    newer = {"east": Version.parse("1.31.1"), "west": ISTIO}
    other = Deployment(
        split(), newer, KUBERNETES, Mtls.DISABLED, frozenset({"revision", "mesh-networks"}), "blue"
    )
    assert str(other) == "split+east-1.31.1-west-1.31.0+disabled+mesh-networks+rev-blue"
    assert len({deployment, other, Deployment(split(), dict(deployment.istio), KUBERNETES)}) == 2
    named = replace(deployment, variants=frozenset({"revision"}), revision="canary")
    assert str(named) == "split+1.31.0+strict+rev-canary"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"istio": {"east": ISTIO}}, "no Istio version is given for west of split: "),
        ({"revision": "blue"}, "the revision blue is named without the variant revision: "),
        ({"variants": frozenset({"revision"})}, "the variant revision has no revision's name: "),
        ({"variants": frozenset({"dns-proxy"})}, "there is no variant 'dns-proxy': give mesh-net"),
        (
            {"variants": frozenset({"unrelated-roots"})},
            "split cannot be installed in the variant unrelated-roots, which needs several control",
        ),
    ],
)
def test_deployments_that_cannot_be(changes: dict[str, Any], said: str) -> None:
    deployment = Deployment(split(), {"east": ISTIO, "west": ISTIO}, KUBERNETES)
    with pytest.raises(ModelError) as raised:
        replace(deployment, **changes)
    assert str(raised.value).startswith(said)


@pytest.mark.parametrize(
    ("members", "at", "said"),
    [
        ((), ("clusters",), "topology t has no clusters: describe at least one"),
        ((member("west", "east"),), ("clusters",), "has no primary, so no cluster would run"),
        ((member("east"), member("east")), ("clusters", "east"), "two clusters are called east"),
        (
            (member("east"), member("west", "far")),
            ("clusters", "west", "primary"),
            "the primary of west is 'far', which is no cluster here: name east.",
        ),
        (
            (member("east"), member("west", "east"), member("far", "west")),
            ("clusters", "far", "primary"),
            "the primary of far is west, which has the role remote: name east, or give west",
        ),
        (
            (member("east", network="a"), member("west", network="b", gateway=True)),
            ("clusters", "east", "gateway"),
            "no cluster on the network a has a gateway, so no other network reaches it: "
            "add 'gateway: true' to east.",
        ),
        (
            (
                member("east", network="a", gateway=True),
                member("west", network="b"),
                member("far", network="b"),
            ),
            ("clusters", "west", "gateway"),
            "add 'gateway: true' to west or far.",
        ),
        (
            (
                member("east", network="a"),
                member("north", network="a", gateway=True),
                member("west", "east", "b", True),
            ),
            ("clusters", "east", "gateway"),
            "west is on another network than its primary east, which has no gateway",
        ),
        (
            (member("east"), member("west", "east", block=10)),
            ("clusters", "west", "network"),
            "east (pods 10.10.0.0/16, services 10.110.0.0/16) and west (pods 10.10.0.0/16, "
            "services 10.110.0.0/16) share the network shared, but their ranges overlap",
        ),
    ],
)
def test_what_cannot_exist_raises(
    members: tuple[Member, ...], at: tuple[str, ...], said: str
) -> None:
    with pytest.raises(TopologyError) as raised:
        Topology("t", members)
    assert raised.value.at == at
    assert said in str(raised.value)


def test_a_primary_serves_itself() -> None:
    served = Member(member("west").cluster, Role.PRIMARY, "shared", "east")
    with pytest.raises(TopologyError, match="west is a primary and cannot be served by 'east'"):
        Topology("t", (member("east"), served))


def test_ranges_may_overlap_on_different_networks() -> None:
    one, other = member("east", network="a", gateway=True), member("west", "east", "b", True, 10)
    assert Topology("t", (one, other)).networks == ("a", "b")


def outside(config: str = "east") -> Topology:
    """An istiod outside that serves two clusters on networks of their own."""
    control = Member(member("north").cluster, Role.EXTERNAL, "outside", "north")
    members = (member(config, "north", "a", True), member("west", "north", "b", True))
    return Topology("outside", (control, *members))


def test_an_external_control_plane_has_no_workloads_and_reads_its_config_cluster() -> None:
    topology = outside()
    assert topology.workloads == ("east", "west")
    assert topology.networks == ("a", "b")
    assert [one.name for one in topology.control_planes] == ["north"]
    assert topology.config_clusters == ("east",)
    assert topology.configured_by("west") == "east"


def test_each_primary_is_configured_by_itself_and_a_remote_by_its_primary() -> None:
    topology = mixed()
    assert topology.config_clusters == ("east", "far")
    assert [topology.configured_by(name) for name in topology.names] == ["east", "east", "far"]


def test_an_external_control_plane_that_serves_nobody_cannot_exist() -> None:
    control = Member(member("north").cluster, Role.EXTERNAL, "shared", "north")
    with pytest.raises(TopologyError, match="north is external and serves no cluster"):
        Topology("outside", (control,))
    with pytest.raises(TopologyError, match="north is external, but not the only control plane"):
        Topology("outside", (control, member("east")))
    control = Member(control.cluster, Role.EXTERNAL, "shared", "north", gateway=True)
    with pytest.raises(TopologyError, match="it has no workloads to lead to"):
        Topology("outside", (control, member("east", "north")))


def test_an_external_control_plane_on_another_network_needs_no_gateway() -> None:
    assert outside().on("outside")[0].gateway is False


def test_clusters_that_share_addresses_overlap_on_networks_of_their_own() -> None:
    twins = (
        member("east", network="a", gateway=True),
        member("west", network="b", gateway=True, block=10),
    )
    assert Topology("twins", twins).overlapping
    assert not split().overlapping


def test_the_wiring_isolates_an_external_control_plane_on_a_network_of_its_own() -> None:
    topology = outside()
    wiring = topology.wiring(topology.footprint(KUBERNETES))
    assert not any(wiring.is_flat(*pair) for pair in topology.footprint(KUBERNETES).pairs)
