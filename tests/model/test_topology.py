"""Topologies and deployments as data: what they derive, and what cannot exist raises."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from meshproof.errors import ModelError
from meshproof.model import (
    Cluster,
    Deployment,
    Flow,
    Gateway,
    InstalledBy,
    Member,
    MeshSpec,
    Mtls,
    Placement,
    Role,
    Topology,
    TopologyError,
    Upgrade,
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
    cluster = Cluster(name, pods, services, "f")
    return Member(cluster, role, network, primary or name, Gateway() if gateway else None)


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


def test_pods_are_reached_inside_a_network_and_api_servers_by_those_who_read_them() -> None:
    wiring = mixed().wiring(mixed().footprint(KUBERNETES))
    assert wiring.name == "mixed"
    assert wiring.between("east", "west") == {Flow.API, Flow.GATEWAY, Flow.POD}
    assert wiring.between("west", "east") == {Flow.GATEWAY, Flow.POD}
    assert wiring.between("far", "west") == {Flow.API, Flow.GATEWAY}
    assert wiring.between("west", "far") == {Flow.GATEWAY}


def test_a_gateway_on_another_port_is_let_through() -> None:
    east = replace(member("east", network="a"), gateway=Gateway(8443))
    topology = Topology("t", (east, member("far", network="b", gateway=True)))
    wiring = topology.wiring(topology.footprint(KUBERNETES))
    assert 8443 in wiring.gateway_ports and 15443 in wiring.gateway_ports


def test_who_reads_whom_follows_from_the_mesh_and_can_be_said() -> None:
    topology = mixed()
    assert topology.reads("east") == ("west", "far")
    assert topology.readers("west") == ("east", "far")
    assert topology.knows("west", "far") and topology.knows("far", "west")
    east, west, far = topology.members
    alone = Topology("t", (east, west, replace(far, reads=())))
    assert alone.readers("west") == ("east",)
    assert not alone.knows("far", "west") and alone.knows("west", "far")
    assert alone.pairs == (("east", "v2"), ("east", "v3"), ("west", "v1"), ("west", "v3"))


def test_meshes_do_not_read_each_other() -> None:
    east, west, far = mixed().members
    apart = Topology("t", (east, west, replace(far, mesh=MeshSpec("other"))))
    assert apart.reads("east") == ("west",) and apart.reads("far") == ()
    assert apart.pairs == (("east", "v2"), ("west", "v1"))


def test_an_external_istiod_reads_what_it_does_not_take_for_its_own() -> None:
    assert outside().reads("north") == ("west",)
    assert outside().pairs == (("east", "v2"), ("west", "v1"))


def test_gateways_lead_to_their_own_cluster_or_to_their_network() -> None:
    topology = mixed()
    assert [one.name for one in topology.gateways_to("west")] == ["east"]
    east, west, far = topology.members
    both = Topology("t", (east, replace(west, gateway=Gateway()), far))
    assert [one.name for one in both.gateways_to("west")] == ["west"]
    istio = dict.fromkeys(both.names, ISTIO)
    told = Deployment(both, istio, KUBERNETES, variants=frozenset({"mesh-networks"}))
    assert [one.name for one in told.gateways_to("west")] == ["east", "west"]


def test_nobody_reads_the_configuration_of_a_remote_but_of_an_external_ones_first() -> None:
    assert mixed().unread_clusters == ("west",)
    assert outside().unread_clusters == ("west",)
    assert Topology("t", (member("east"), member("far"))).unread_clusters == ()


def test_gateways_lead_into_their_own_mesh_alone() -> None:
    other = MeshSpec("other")
    east, west, far = mixed().members
    near = replace(member("north", network="a", gateway=True), mesh=other)
    topology = Topology("t", (replace(east, gateway=Gateway()), west, far, near))
    assert [one.name for one in topology.gateways_to("west")] == ["east"]
    assert [one.name for one in topology.gateways_on("a", other)] == ["north"]


def test_a_mesh_on_one_network_needs_no_gateway_whatever_other_meshes_there_are() -> None:
    alone = replace(member("north", network="c"), mesh=MeshSpec("other"))
    assert Topology("t", (*split().members, alone)).networks == ("a", "b", "c")
    with pytest.raises(TopologyError, match="the network a has a gateway"):
        Topology("t", (member("east", network="a"), member("far", network="b"), alone))


def test_ways_are_shared_where_a_gateway_leads_to_what_another_istiod_serves() -> None:
    # west's version, and east's, come to far by one gateway; far's istiod serves neither.
    assert mixed().shared_ways == (("far", "v1"), ("far", "v2"))
    assert split().shared_ways == ()
    # One istiod serves all three: no cluster can be lost to a caller without being lost itself.
    served = (mixed()["east"], mixed()["west"], member("far", "east", "b", True))
    assert Topology("t", served).shared_ways == ()


def test_each_cluster_has_a_version_unless_told_otherwise() -> None:
    assert mixed().versions == {"v1": "east", "v2": "west", "v3": "far"}
    assert outside().versions == {"v1": "east", "v2": "west"}
    given = replace(mixed(), placements=(Placement("v1", "far", 3),))
    assert given.versions == {"v1": "far"}
    assert given.pairs == (("east", "v1"), ("west", "v1"))


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
    by_helm = replace(named, installed_by=InstalledBy.HELM)
    assert str(by_helm) == "split+1.31.0+strict+rev-canary+helm"
    assert by_helm != named


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
        (
            {"installed_by": InstalledBy.HELM, "upgrade": Upgrade(KUBERNETES)},
            "an upgrade of a mesh that helm has installed is not built: let istioctl install it",
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
    control = Member(control.cluster, Role.EXTERNAL, "shared", "north", Gateway())
    with pytest.raises(TopologyError, match="it has no workloads to lead to"):
        Topology("outside", (control, member("east", "north")))


def test_an_external_control_plane_on_another_network_needs_no_gateway() -> None:
    assert outside().on("outside")[0].gateway is None


def test_a_primary_can_be_beside_an_external_control_plane() -> None:
    beside = Topology("t", (*outside().members, member("far", network="c", gateway=True)))
    assert beside.reads("far") == ("east", "west")
    assert beside.reads("north") == ("west", "far")
    assert beside.config_clusters == ("east", "far")


@pytest.mark.parametrize(
    ("changes", "at", "said"),
    [
        ({"reads": ("east",)}, "reads", "far cannot read 'east', which is in another mesh"),
        ({"reads": ("far",)}, "reads", "far cannot read 'far': name east or west"),
        ({"reads": ("nowhere",)}, "reads", "far cannot read 'nowhere': name east or west"),
        ({"zones": ("a",)}, "zones", "the zones of far are in no region: add 'region'"),
        ({"region": "r", "zones": ("a", "b")}, "zones", "far has 2 zones and 1 nodes for work"),
        (
            {"mesh": MeshSpec("other", "Not A Domain")},
            "trust-domain",
            "'Not A Domain' is no trust domain",
        ),
    ],
)
def test_members_that_cannot_be(changes: dict[str, Any], at: str, said: str) -> None:
    east, west, far = mixed().members
    with pytest.raises(TopologyError) as raised:
        Topology("t", (east, west, replace(replace(far, mesh=MeshSpec("other")), **changes)))
    assert raised.value.at[-1] == at
    assert str(raised.value).startswith(said)


def test_a_remote_is_read_by_its_primary_and_in_its_mesh() -> None:
    east, west, far = mixed().members
    with pytest.raises(TopologyError, match="east serves west and does not read it: add west"):
        Topology("t", (replace(east, reads=("far",)), west, far))
    with pytest.raises(TopologyError, match="west is in the mesh other, but its primary east is"):
        Topology("t", (east, replace(west, mesh=MeshSpec("other")), far))
    with pytest.raises(TopologyError, match="west is a remote, so it has no istiod that reads"):
        Topology("t", (east, replace(west, reads=()), far))


@pytest.mark.parametrize(
    ("placements", "said"),
    [
        ([Placement("v1", "east"), Placement("v1", "west")], "v1 is in east already"),
        ([Placement("v1", "east", 0)], "0 is no number of instances of v1: write 1 to 10"),
        ([Placement("V_1", "east")], "'V_1' is no name for a version"),
        ([Placement("v1", "north")], "north is external, so no version of helloworld runs in it"),
    ],
)
def test_placements_that_cannot_be(placements: list[Placement], said: str) -> None:
    with pytest.raises(TopologyError) as raised:
        replace(outside(), placements=tuple(placements))
    assert str(raised.value).startswith(said)


def test_a_mesh_without_any_version_has_nothing_to_judge() -> None:
    east, west, far = mixed().members
    members = (east, west, replace(far, mesh=MeshSpec("other")))
    with pytest.raises(TopologyError, match="no version of helloworld runs in the mesh other"):
        Topology("t", members, (Placement("v1", "east"),))


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
