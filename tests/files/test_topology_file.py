"""Topology files: those that travel with meshproof, and a user's own."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.files import read_topology, topology_named, topology_names
from meshproof.model import Role, Topology, Version
from meshproof.resources import resource

KUBERNETES = Version.parse("1.36.3")
KIND_CONFIGS = resource("kind-configs")


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
    assert topology.wiring(topology.footprint(KUBERNETES)).is_flat("west", "east")


def test_primary_remote_split_horizon() -> None:
    topology = topology_named("primary-remote-split-horizon")
    east, west = topology.members
    assert (east.role, west.role, west.primary) == (Role.PRIMARY, Role.REMOTE, "east")
    assert topology.networks == ("net-east", "net-west")
    assert east.gateway and west.gateway
    assert not topology.wiring(topology.footprint(KUBERNETES)).is_flat("west", "east")


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
        "# Mine.\nname: yours\nclusters:\n"
        "  east: {role: primary, network: n}\n  west: {role: remote, network: n}\n"
    )
    monkeypatch.setattr("meshproof.files.topology_file.topology_names", lambda: ("mine",))
    monkeypatch.setattr("meshproof.files.topology_file.resource", {"topologies": tmp_path}.get)
    with pytest.raises(UsageError, match=r"mine\.yaml:2: 'name' is yours, but the file's"):
        topology_named("mine")


# A user's own file.


def read(folder: Path, text: str | bytes) -> Topology:
    path = folder / "any name.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_topology(path)


@pytest.mark.parametrize(
    ("east", "west", "versions"),
    [
        ("", "", {"v1": ("east", 1), "v2": ("west", 1)}),
        (", versions: [v1, v3]", "", {"v1": ("east", 1), "v3": ("east", 1), "v2": ("west", 1)}),
        (", versions: {v2: 3}", "", {"v2": ("east", 3), "v1": ("west", 1)}),
        (", versions: []", "", {"v1": ("west", 1)}),
        (", versions: {}", ", versions: [new]", {"new": ("west", 1)}),
    ],
)
def test_versions_are_given_or_come_in_order(
    tmp_path: Path, east: str, west: str, versions: dict[str, tuple[str, int]]
) -> None:
    topology = read(
        tmp_path,
        "name: t\nclusters:\n"
        f"  east: {{role: primary, network: n{east}}}\n"
        f"  west: {{role: remote, network: n{west}}}\n",
    )
    found = {one.version: (one.cluster, one.replicas) for one in topology.placements}
    assert found == versions


def test_a_topology_says_meshes_gateways_regions_and_who_reads_whom(tmp_path: Path) -> None:
    topology = read(
        tmp_path,
        """\
name: t
meshes: {one: {trust-domain: one.example}, two: {root: elsewhere}}
clusters:
  prod-east: {role: primary, network: a, mesh: one, gateway: {port: 8443}, kind-config: east}
  west: {role: remote, primary: prod-east, network: a}
  1far: {role: primary, network: b, mesh: two, gateway: true, reads: [], kind-config: far}
  north: {role: primary, network: c, mesh: two, gateway: {hostname: true}, region: r1, zones: [a]}
""",
    )
    east, west, far, north = topology.members
    assert east.gateway is not None and east.gateway.port == 8443
    assert west.mesh == east.mesh and west.mesh.trust_domain == "one.example"
    assert (far.mesh.root, far.mesh.trust_domain) == ("elsewhere", "cluster.local")
    assert (north.region, north.zones) == ("r1", ("a",))
    assert north.gateway is not None and north.gateway.hostname
    assert topology.reads("1far") == () and topology.reads("north") == ("1far",)


def test_an_external_control_plane_has_no_workloads(tmp_path: Path) -> None:
    topology = read(
        tmp_path,
        "name: t\nclusters:\n"
        "  far: {role: external, network: n}\n"
        "  east: {role: remote, network: n}\n"
        "  west: {role: remote, network: n}\n",
    )
    assert topology.workloads == ("east", "west")
    assert topology["far"].primary == "far"


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
  no: {role: external, network: n, kind-config: east-two-nodes}
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
