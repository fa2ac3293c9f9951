"""What is installed in each cluster: trust, the ways across networks, and addresses of istiod."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.files import read_topology, topology_named
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.manifests import node_localities
from meshproof.mesh.trust import Authority
from meshproof.model import JOINED_ROOTS, SEVERAL_ROOTS, Deployment, Topology, Version

VERSION = Version(1, 31, 1)
BUNDLE: Any = SimpleNamespace(
    images={"pilot:1.31.1": "localhost/meshproof/pilot:1.31.1"}, filters_off={VERSION: ()}
)


def blueprint(topology: Topology, *variants: str) -> Blueprint:
    istio = dict.fromkeys(topology.names, VERSION)
    deployment = Deployment(topology, istio, Version(1, 36, 3), variants=frozenset(variants))
    names = dict.fromkeys(map(deployment.root_of, deployment.topology.members))
    roots = {name: Authority.root(name) for name in names}
    gateways = {
        one.name: IPv4Address(f"172.30.{number}.200")
        for number, one in enumerate(topology.members)
        if one.gateway is not None
    }
    return Blueprint(deployment, BUNDLE, roots, gateways, {})


def beside(topology: Topology, cluster: str) -> list[str]:
    """The names of what is applied beside a cluster's istiod."""
    objects = blueprint(topology).beside_istiod(topology[cluster])
    return [one["metadata"]["name"] for one in objects]


def test_on_one_network_there_is_mtls_alone() -> None:
    assert beside(topology_named("primary-remote-flat"), "east") == ["default"]


def test_a_primary_leads_a_remote_on_another_network_to_istiod() -> None:
    names = beside(topology_named("primary-remote-split-horizon"), "east")
    assert names == ["default", "cross-network-gateway", "istiod-gateway", "istiod"]


def test_where_versions_share_a_gateway_no_connection_is_kept() -> None:
    mixed = topology_named("mixed-networks")
    assert "short-connections" in beside(mixed, "east")
    assert "short-connections" in beside(mixed, "west")
    assert "short-connections" not in beside(topology_named("multi-primary-split-horizon"), "east")


def test_gateways_are_entered_by_the_ports_that_the_topology_says(tmp_path: Path) -> None:
    path = tmp_path / "ports.yaml"
    path.write_text(
        "name: ports\nclusters:\n"
        "  east: {role: primary, network: a, gateway: {port: 8443}}\n"
        "  west: {role: primary, network: b, gateway: true}\n"
    )
    topology = read_topology(path)
    plan = blueprint(topology)
    assert plan.gateway_ports(topology["east"]) == [8443]
    assert plan.gateway_ports(topology["west"]) == [15443]
    component = plan.gateway(topology["east"])["spec"]["components"]["ingressGateways"][0]
    ports = {one["name"]: one for one in component["k8s"]["service"]["ports"]}
    assert (ports["tls"]["port"], ports["tls"]["targetPort"]) == (8443, 15443)
    assert component["label"]["networking.istio.io/gatewayPort"] == "8443"


def test_roots_that_are_joined_are_told_to_istiods_and_to_agents() -> None:
    federation = topology_named("federation")
    plan = blueprint(federation, JOINED_ROOTS)
    told = plan.control_plane(plan.deployment.topology["east"])["spec"]
    assert told["meshConfig"]["caCertificates"] == [{"pem": plan.roots["west"].pem}]
    assert told["values"]["pilot"]["env"]["ISTIO_MULTIROOT_MESH"] == "true"
    agents = told["meshConfig"]["defaultConfig"]["proxyMetadata"]
    assert agents == {"PROXY_CONFIG_XDS_AGENT": "true"}
    (secret,) = plan.prepared(plan.deployment.topology["east"])[1:]
    assert secret["stringData"]["root-cert.pem"] == plan.roots["east"].pem
    ready = blueprint(topology_named("multi-primary-flat"), SEVERAL_ROOTS)
    alone = ready.control_plane(ready.deployment.topology["east"])["spec"]
    assert alone["meshConfig"]["caCertificates"] == []
    assert alone["values"]["pilot"]["env"]["ISTIO_MULTIROOT_MESH"] == "true"
    assert alone["meshConfig"]["defaultConfig"]["proxyMetadata"] == agents
    plain = blueprint(federation).control_plane(federation["east"])["spec"]["meshConfig"]
    assert "caCertificates" not in plain


def test_meshes_of_one_root_have_authorities_below_it() -> None:
    topology = topology_named("multi-primary-flat")
    plan = blueprint(topology)
    secrets = [plan.prepared(one)[1]["stringData"] for one in topology.members]
    assert len({one["root-cert.pem"] for one in secrets}) == 1
    assert len({one["ca-cert.pem"] for one in secrets}) == 2


@pytest.mark.parametrize(
    ("nodes", "zones"),
    [
        (["c", "w1", "w2"], {"w1": "r1-a", "w2": "r1-b"}),
        (["c", "w1", "w2", "w3"], {"w1": "r1-a", "w2": "r1-b", "w3": "r1-a"}),
    ],
)
def test_each_worker_is_in_one_of_the_zones_in_turn(
    nodes: list[str], zones: dict[str, str]
) -> None:
    west = topology_named("zones")["west"]
    labels = {
        one["metadata"]["name"]: one["metadata"]["labels"] for one in node_localities(west, nodes)
    }
    found = {name: told["topology.kubernetes.io/zone"] for name, told in labels.items()}
    assert found == zones
    assert {told["topology.kubernetes.io/region"] for told in labels.values()} == {"r1"}


def test_an_only_node_is_in_the_only_zone_and_without_a_region_nowhere() -> None:
    west = topology_named("zones")["west"]
    (only,) = node_localities(replace(west, zones=("r1-a",)), ["c"])
    assert only["metadata"]["labels"]["topology.kubernetes.io/zone"] == "r1-a"
    assert node_localities(replace(west, region="", zones=()), ["c"]) == []
