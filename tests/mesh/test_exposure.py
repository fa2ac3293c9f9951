"""What provider and consumer have of an exposed service: no more than its name, and its own way."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.files import read_topology, topology_named
from meshproof.kube.objects import Object
from meshproof.mesh.exposure import address_of, exposure_objects, identities_of, ways_of
from meshproof.mesh.mesh import Mesh
from meshproof.model import (
    JOINED_ROOTS,
    ONE_TRUST_DOMAIN,
    TRUST_DOMAINS,
    TRUST_DOMAINS_APART,
    UNRELATED_ROOTS,
    Deployment,
    Topology,
    Version,
)
from meshproof.workloads.sample import SERVED
from tests.mesh.test_blueprint import blueprint

NEAR_AND_FAR = """\
name: mine
meshes:
  near: {trust-domain: near.example, root: shared}
  far: {trust-domain: far.example, root: shared}
clusters:
  east: {role: primary, mesh: near, network: net-east, gateway: true}
  west: {role: primary, mesh: near, network: net-west, gateway: {port: 8443}}
  far: {role: primary, mesh: far, network: net-far, gateway: true}
exposes:
  near: {helloworld.sample: {to: [far]}}
  far: {helloworld.sample: {to: [near], as: helloworld.far.global}}
"""


class Addresses:
    def __init__(self, number: int) -> None:
        self.number = number

    def reserve(self, *_: str) -> str:
        return f"172.30.{self.number}.200"


def installed(topology: Topology, *variants: str) -> Mesh:
    versions = dict.fromkeys(topology.names, Version(1, 31, 1))
    deployment = Deployment(topology, versions, Version(1, 36, 3), variants=frozenset(variants))
    addresses = {name: Addresses(number) for number, name in enumerate(topology.names)}
    recorder = SimpleNamespace(emit=lambda *_, **__: None)
    lab: Any = SimpleNamespace(addresses=addresses, recorder=recorder)
    return Mesh(lab, deployment, cast(Any, None), Path("nowhere"), {})


def of(mesh: Mesh, cluster: str) -> dict[tuple[str, str], Object]:
    """What a cluster has, by kind and host."""
    found = exposure_objects(mesh, cluster, [SERVED])
    return {
        (one["kind"], (one["spec"].get("hosts") or [one["spec"]["host"]])[0]): one["spec"]
        for one in found
    }


def test_a_provider_selects_its_own_pods_for_its_gateways_alone() -> None:
    told = of(installed(topology_named("federation")), "west")
    entry = told["ServiceEntry", "helloworld.sample.global"]
    assert entry["workloadSelector"] == {"labels": {"app": "helloworld"}}
    assert entry["exportTo"] == ["istio-system"]
    assert "addresses" not in entry and "endpoints" not in entry
    assert [(one["number"], one["protocol"]) for one in entry["ports"]] == [
        (5000, "HTTP"),
        (9000, "TCP"),
    ]


def test_a_consumer_calls_gateways_by_an_address_of_its_own_and_expects_who_is_behind() -> None:
    mesh = installed(topology_named("federation"))
    told = of(mesh, "east")
    entry = told["ServiceEntry", "helloworld.sample.global"]
    assert entry["endpoints"] == [
        {"address": "172.30.1.200", "ports": {"http": 15443, "tcp": 15443}}
    ]
    assert entry["subjectAltNames"] == ["spiffe://beta.example/ns/sample/sa/helloworld"]
    rule = told["DestinationRule", "helloworld.sample.global"]
    assert rule["trafficPolicy"] == {"tls": {"mode": "ISTIO_MUTUAL"}}
    # The gateway's namespace sees neither, or it would carry strangers on.
    assert entry["exportTo"] == rule["exportTo"] == ["."]
    addresses = [address_of(mesh.deployment.topology, one) for one in reversed(range_of(mesh))]
    assert list(map(str, addresses)) == ["240.0.0.3", "240.0.0.2"]
    assert entry["addresses"] == ["240.0.0.3"]
    assert ("DestinationRule", "helloworld.alpha.global") not in told


def range_of(mesh: Mesh) -> list[Any]:
    return list(mesh.deployment.topology.exposes)


def test_a_mesh_of_several_clusters_exposes_by_all_its_gateways_and_imports_in_each(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(NEAR_AND_FAR)
    mesh = installed(read_topology(path))
    near, far = mesh.deployment.topology.exposes
    assert list(map(str, ways_of(mesh, near))) == ["172.30.0.200:15443", "172.30.1.200:8443"]
    ids = identities_of(mesh.deployment.topology, near, SERVED)
    assert ids == ["spiffe://near.example/ns/sample/sa/helloworld"]
    for cluster in ("east", "west"):
        told = of(mesh, cluster)
        assert ("DestinationRule", far.host) in told
        assert "workloadSelector" in told["ServiceEntry", near.host]
    assert ("DestinationRule", near.host) in of(mesh, "far")


def gateways(topology: Topology, cluster: str) -> dict[str, list[str]]:
    objects = blueprint(topology).beside_istiod(topology[cluster])
    found = [one for one in objects if one["kind"] == "Gateway"]
    return {one["metadata"]["name"]: one["spec"]["servers"][0]["hosts"] for one in found}


def test_a_gateway_names_the_exposed_hosts_and_nothing_else(tmp_path: Path) -> None:
    federation = topology_named("federation")
    assert gateways(federation, "west") == {"federation-gateway": ["helloworld.sample.global"]}
    assert gateways(federation, "east") == {"federation-gateway": ["helloworld.alpha.global"]}
    path = tmp_path / "mine.yaml"
    path.write_text(NEAR_AND_FAR)
    mixed = read_topology(path)
    both = {
        "cross-network-gateway": ["*.local"],
        "federation-gateway": ["helloworld.sample.global"],
    }
    assert gateways(mixed, "east") == gateways(mixed, "west") == both
    assert gateways(mixed, "far") == {"federation-gateway": ["helloworld.far.global"]}


@pytest.mark.parametrize(
    ("variants", "east", "far"),
    [
        ((), ("far.example",), ("near.example",)),
        ((UNRELATED_ROOTS,), ("far.example",), ("near.example",)),
        (
            (TRUST_DOMAINS,),
            ("west.example", "far.example"),
            ("east.example", "west.example"),
        ),
        ((TRUST_DOMAINS_APART,), (), ()),
        ((ONE_TRUST_DOMAIN,), (), ()),
        ((JOINED_ROOTS,), ("far.example",), ("near.example",)),
    ],
)
def test_a_provider_takes_its_consumers_trust_domains_for_its_own(
    tmp_path: Path, variants: tuple[str, ...], east: tuple[str, ...], far: tuple[str, ...]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(NEAR_AND_FAR)
    deployment = installed(read_topology(path), *variants).deployment
    assert deployment.trust_domain_aliases(deployment.topology["east"]) == east
    assert deployment.trust_domain_aliases(deployment.topology["far"]) == far


def test_who_exposes_nothing_takes_nobodys_trust_domain(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("".join(NEAR_AND_FAR.partition("  far: {helloworld")[:1]))
    deployment = installed(read_topology(path)).deployment
    assert deployment.trust_domain_aliases(deployment.topology["east"]) == ("far.example",)
    assert deployment.trust_domain_aliases(deployment.topology["far"]) == ()


def test_with_one_trust_domain_all_are_known_by_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(NEAR_AND_FAR)
    topology = installed(read_topology(path), ONE_TRUST_DOMAIN).deployment.topology
    assert {one.mesh.trust_domain for one in topology.members} == {"near.example"}
    assert [one.name for one in topology.meshes] == ["near", "far"]


@pytest.mark.parametrize(
    ("variants", "roots", "trusted"),
    [
        ((), ["shared", "shared", "shared"], ()),
        ((UNRELATED_ROOTS,), ["east", "west", "far"], ()),
        ((JOINED_ROOTS,), ["east", "west", "far"], ("west", "far")),
    ],
)
def test_roots_are_shared_unrelated_or_joined(
    tmp_path: Path, variants: tuple[str, ...], roots: list[str], trusted: tuple[str, ...]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(NEAR_AND_FAR)
    mesh = installed(read_topology(path), *variants)
    deployment = mesh.deployment
    assert [deployment.root_of(one) for one in deployment.topology.members] == roots
    assert deployment.also_trusted(deployment.topology["east"]) == trusted
    assert list(mesh.roots) == list(dict.fromkeys(roots))
    assert deployment.vouches("east", "far") is (variants != (UNRELATED_ROOTS,))


def test_a_part_of_a_mesh_leaves_the_other_clusters_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(NEAR_AND_FAR)
    mesh = installed(read_topology(path))
    about = mesh.deployment.topology.comparable
    assert about is not None and about.names == ("east", "west") and about.exposes == ()
    part = mesh.part(about)
    assert part.deployment.topology == about and part.unmet is mesh.unmet
    topology = mesh.deployment.topology
    near = topology["east"]
    aliases = mesh.deployment.trust_domain_aliases(near)
    assert aliases and part.deployment.trust_domain_aliases(near) == aliases
    again, far = mesh.part(about), mesh.part(topology.part(topology["far"].mesh))
    assert part.is_same(again) and not part.is_same(far) and not part.is_same(mesh)
    assert part.is_of(far) and part.is_of(mesh) and mesh.is_same(mesh)
    assert not part.is_of(installed(read_topology(path)).part(about))
    part.mark_dirty("a policy did not go")
    assert mesh.dirty == "a policy did not go" and far.dirty is None
    assert mesh.deployment.topology.names == ("east", "west", "far")
    joined = installed(read_topology(path), JOINED_ROOTS)
    trusted = joined.deployment.also_trusted(near)
    assert trusted and joined.part(about).deployment.also_trusted(near) == trusted
