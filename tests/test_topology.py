"""Topologies: what cannot exist raises, and a file at fault is told with its line."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import EXIT_USAGE, ModelError, UsageError
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
from meshproof.resources import resource
from meshproof.topologies import read_topology, topology_named, topology_names

KUBERNETES, ISTIO = Version.parse("1.36.3"), Version.parse("1.31.0")
KIND_CONFIGS = resource("kind-configs")
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


# The files that travel with meshproof.


def test_every_topology_can_be_read_and_has_its_files_name() -> None:
    assert topology_names() == tuple(sorted(topology_names()))
    assert {"primary-remote-flat", "primary-remote-split-horizon"} <= set(topology_names())
    for name in topology_names():
        assert topology_named(name).name == name


def test_primary_remote_flat() -> None:
    topology = topology_named("primary-remote-flat")
    east, west = topology.members
    assert (east.name, east.role, east.primary) == ("east", Role.PRIMARY, "east")
    assert (west.name, west.role, west.primary) == ("west", Role.REMOTE, "east")
    assert topology.networks == ("shared",)
    assert not east.gateway and not west.gateway
    assert topology.wiring(topology.footprint(KUBERNETES)).name == "flat"


def test_primary_remote_split_horizon() -> None:
    topology = topology_named("primary-remote-split-horizon")
    east, west = topology.members
    assert (east.role, west.role, west.primary) == (Role.PRIMARY, Role.REMOTE, "east")
    assert topology.networks == ("net-east", "net-west")
    assert east.gateway and west.gateway
    assert topology.wiring(topology.footprint(KUBERNETES)).name == "isolated"


@pytest.mark.parametrize("name", ["primary-remote", "../topologies/primary-remote-flat", ""])
def test_an_unknown_name_is_answered_with_those_known(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        topology_named(name)
    known = ", ".join(topology_names())
    assert str(raised.value) == f"there is no topology '{name}': choose one of {known}."


def test_a_topology_that_travels_has_its_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(
        "# Mine.\nname: yours\nclusters:\n  east: {role: primary, network: n}\n"
    )
    monkeypatch.setattr("meshproof.topologies.topology_names", lambda: ("mine",))
    found = {"topologies": tmp_path, "kind-configs": KIND_CONFIGS}
    monkeypatch.setattr("meshproof.topologies.resource", found.__getitem__)
    with pytest.raises(UsageError, match=r"mine\.yaml:2: 'name' is yours, but the file's"):
        topology_named("mine")


# A user's own file.


def read(folder: Path, text: str | bytes) -> Topology:
    path = folder / "any name.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_topology(path)


def complaint(folder: Path, text: str | bytes) -> str:
    """What reading ``text`` is refused with, without the folder."""
    with pytest.raises(UsageError) as raised:
        read(folder, text)
    assert raised.value.exit_code == EXIT_USAGE
    assert raised.value.remedy
    message = str(raised.value)
    assert message.endswith(".") and "\n" not in message
    assert message.startswith(f"{folder}/any name.yaml:")
    return message.removeprefix(f"{folder}/any name.yaml:")


def test_one_cluster_alone_is_allowed(tmp_path: Path) -> None:
    topology = read(tmp_path, "name: lone\nclusters: {east: {role: primary, network: n}}\n")
    assert topology.name == "lone" and topology.names == ("east",)
    assert topology["east"].primary == "east"


def test_the_only_primary_need_not_be_named(tmp_path: Path) -> None:
    topology = read(
        tmp_path,
        "name: t\nclusters:\n"
        "  west: {role: remote, network: n}\n"
        "  east: {role: primary, network: n}\n",
    )
    assert topology["west"].primary == "east"


def test_a_kind_config_is_a_name_or_a_path_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind" / "own.yaml").write_text((KIND_CONFIGS / "far.yaml").read_text())
    (tmp_path / "beside.yml").write_text((KIND_CONFIGS / "west.yaml").read_text())
    topology = read(
        tmp_path,
        """\
name: t
clusters:
  no: {role: primary, network: n, kind-config: east-two-nodes}
  on: {role: remote, network: n, kind-config: kind/own.yaml}
  off: {role: remote, network: n, kind-config: beside.yml}
""",
    )
    assert topology.names == ("no", "on", "off")
    assert topology["no"].cluster.nodes == 2
    assert topology["on"].cluster.pods == IPv4Network("10.30.0.0/16")
    assert Path(topology["on"].cluster.kind_config) == tmp_path / "kind" / "own.yaml"
    assert Path(topology["off"].cluster.kind_config) == tmp_path / "beside.yml"


def test_a_file_in_the_current_folder_does_not_stand_for_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "east").write_text("not a kind configuration")
    monkeypatch.chdir(tmp_path)
    assert topology_named("primary-remote-flat")["east"].cluster.kind_config.endswith("east.yaml")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        read_topology(tmp_path / "none.yaml")
    assert str(raised.value) == (
        f"there is no topology file {tmp_path}/none.yaml: name one that exists."
    )
    with pytest.raises(UsageError, match=r"cannot read the topology file .* \(Is a directory\)"):
        read_topology(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the file is empty: write at least {name: mine, clusters:"),
        ("# only a comment\n\n", "1: the file is empty"),
        ("---\n", "1: the file is empty"),
        ("# list\n- east\n- west\n", "2: this is not a mapping: write {name: mine"),
        ("east, west\n", "1: this is not a mapping"),
        ("name: t\nclusters: {east: {\n", "3: this is not YAML (while parsing a flow node, "),
        ("name: t\nclusters:\n\teast: {}\n", "3: this is not YAML (while scanning for the next"),
        ("name: a: b\n", "1: this is not YAML (mapping values are not allowed here)"),
        ("name: t\nclusters: *east\n", "2: this is not YAML (found undefined alias"),
        ("name: t\n---\nname: u\n", "2: this is not YAML (expected a single document in the"),
        ("name: t\nclusters: \x01\n", "2: this is not YAML (special characters are not allowed)"),
        (b"name: t\nclusters: \xff\n", "2: this is not UTF-8: save the file as UTF-8."),
        ("[" * 5000, "1: this is nested too deeply: write {name: mine"),
        ("name: t\n? [a]\n: b\n", "2: a key is not a word"),
    ],
)
def test_what_is_no_mapping_in_yaml(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


EAST = "name: t\nclusters:\n  east: {role: primary, network: a}\n"
"""Three lines; a cluster that a case adds begins in the fourth."""

BOTH = """\
name: t
clusters:
  east:
    role: primary
    network: a
  west:
    role: remote
    network: b
    gateway: true
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # Keys that are unknown, missing, or there twice.
        (
            EAST + "cluster: {}\n",
            "4: the key 'cluster' is unknown: did you mean clusters.",
        ),
        (EAST + "mesh: one\n", "4: the key 'mesh' is unknown: it can be name, clusters."),
        (
            BOTH.replace("    network: b", "    netwrok: b"),
            "8: the key 'netwrok' of cluster west is unknown: did you mean network.",
        ),
        (
            BOTH + "    kindConfig: west\n",
            "10: the key 'kindConfig' of cluster west is unknown: did you mean kind-config.",
        ),
        (
            BOTH + "    kind_config: west\n",
            "10: the key 'kind_config' of cluster west is unknown: did you mean kind-config.",
        ),
        (
            BOTH + "    version: 1.31.0\n",
            "10: the key 'version' of cluster west is unknown: "
            "it can be role, network, primary, gateway, kind-config.",
        ),
        ("name: t\n", "1: 'clusters' is missing: write a mapping such as {east: {"),
        ("clusters: {east: {role: primary, network: a}}\n", "1: 'name' is missing: write a name"),
        (
            BOTH.replace("    network: b\n", ""),
            "6: 'network' of cluster west is missing: write a name such as net-east",
        ),
        (
            EAST + "  west: {}\n",
            "4: 'role' of cluster west is missing: write primary, remote or external.",
        ),
        (
            EAST + "  west: {role: remote, network: a}\n  east: {role: primary, network: b}\n",
            "5: the key 'east' comes a second time, after line 3: rename or remove one of the two.",
        ),
        (
            BOTH + "    network: c\n",
            "10: the key 'network' comes a second time, after line 8: rename",
        ),
        (EAST + "name: u\n", "4: the key 'name' comes a second time, after line 1"),
        # Values of the wrong type.
        ("name: 5\nclusters: {}\n", "1: 'name' cannot be 5: write a name such as two-primaries"),
        ("name: Two Words\nclusters: {}\n", "1: 'name' cannot be 'Two Words': write a name"),
        ("name: t\nclusters: [east, west]\n", "2: 'clusters' cannot be a list: write a mapping"),
        ("name: t\nclusters:\n", "2: 'clusters' cannot be empty: write a mapping"),
        (
            EAST + "  west: remote\n",
            "4: cluster west cannot be 'remote': "
            "write a mapping such as {role: primary, network: shared}.",
        ),
        (EAST + "  west:\n", "4: cluster west cannot be empty: write a mapping"),
        (
            BOTH.replace("network: b", "network: 5"),
            "8: 'network' of cluster west cannot be 5: "
            "write a name such as net-east, in quotes if it is a number.",
        ),
        (
            BOTH.replace("network: b", "network: n w"),
            "8: 'network' of cluster west cannot be 'n w'",
        ),
        (BOTH.replace("network: b", "network: é"), "8: 'network' of cluster west cannot be 'é'"),
        (BOTH.replace("network: b", "network: !!int é"), "8: 'network' of cluster west cannot be"),
        (
            BOTH.replace("gateway: true", "gateway: maybe"),
            "9: 'gateway' of cluster west cannot be 'maybe': write true or false.",
        ),
        (
            BOTH.replace("gateway: true", 'gateway: "true"'),
            "9: 'gateway' of cluster west cannot be 'true': write true or false.",
        ),
        (BOTH + "    primary: [east]\n", "10: 'primary' of cluster west cannot be a list: write"),
        (BOTH + "    kind-config: {a: b}\n", "10: 'kind-config' of cluster west cannot be a map"),
        (BOTH + "    primary: true\n", "10: 'primary' of cluster west cannot be true: write"),
        (
            BOTH.replace("role: remote", "role: secondary"),
            "7: 'role' of cluster west cannot be 'secondary': write primary, remote or external.",
        ),
        (BOTH.replace("role: remote", "role:"), "7: 'role' of cluster west cannot be empty: write"),
        # Aliases that lead into themselves end somewhere.
        ("&t\nname: t\nclusters: *t\n", "2: the key 'name' of cluster clusters is unknown"),
        ("name: t\nclusters: &c\n  east: *c\n", "3: the key 'east' of cluster east is unknown"),
        # Names of clusters.
        (
            EAST + "  west-2: {role: remote, network: a}\n",
            "4: 'west-2' is no name for a cluster: use a word of lower-case letters.",
        ),
        (EAST + "  West: {role: remote, network: a}\n", "4: 'West' is no name for a cluster"),
        (EAST + "  5: {role: remote, network: a}\n", "4: '5' is no name for a cluster"),
        (EAST + "  é: {role: remote, network: a}\n", "4: 'é' is no name for a cluster"),
    ],
)
def test_keys_and_values(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: t\nclusters: {}\n", "2: topology t has no clusters: describe at least one"),
        (
            "name: t\n\nclusters:\n  west: {role: remote, network: a}\n",
            "3: topology t has no primary, so no cluster would run istiod: "
            "give one cluster the role primary.",
        ),
        (
            EAST + "  far: {role: primary, network: a}\n  west: {role: remote, network: a}\n",
            "5: west is a remote and does not say which primary serves it: "
            "add 'primary: east' or 'primary: far'.",
        ),
        (
            BOTH + "    primary: far\n",
            "10: the primary of west is 'far', which is no cluster here: name east.",
        ),
        (
            BOTH + "    primary: west\n",
            "10: the primary of west is west, which has the role remote: "
            "name east, or give west the role primary.",
        ),
        (
            EAST + "  west: {role: primary, primary: east, network: a}\n",
            "4: west is a primary and cannot be served by 'east': "
            "leave 'primary' out, or give west the role remote.",
        ),
        (
            BOTH,
            "3: west is on another network than its primary east, which has no gateway to reach "
            "istiod through: add 'gateway: true' to east.",
        ),
        (
            BOTH.replace("network: a", "network: a\n    gateway: false"),
            "6: west is on another network than its primary east",
        ),
        (
            BOTH.replace("network: a", "network: a\n    gateway: true").replace(
                "b\n    gateway: true", "b"
            ),
            "7: no cluster on the network b has a gateway, so no other network reaches it: "
            "add 'gateway: true' to west.",
        ),
        (
            BOTH.replace("network: b", "network: a") + "    kind-config: same\n",
            "8: east (pods 10.10.0.0/16, services 10.110.0.0/16) and west (pods 10.10.0.0/16, "
            "services 10.110.0.0/16) share the network a, but their ranges overlap: "
            "give them disjoint ranges, or put them on networks of their own.",
        ),
        (
            EAST + "  south: {role: remote, network: a}\n",
            "4: there is no kind configuration 'south' for cluster south: "
            "set 'kind-config' to one of east",
        ),
        (
            BOTH + "    kind-config: kind/none.yaml\n",
            "10: there is no kind configuration 'kind/none.yaml' for cluster west",
        ),
    ],
)
def test_what_cannot_exist_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_a_kind_config_at_fault_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    text = (KIND_CONFIGS / "west.yaml").read_text()
    (tmp_path / "own.yaml").write_text(text.replace("CNI: true", "CNI: false"))
    message = complaint(tmp_path, BOTH + "    kind-config: own.yaml\n")
    assert message.startswith(
        f"10: {tmp_path}/own.yaml: networking.disableDefaultCNI must be true: "
    )


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
