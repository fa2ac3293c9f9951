"""What Helm is told comes to what istioctl would be told, and is as Istio's pages have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any, cast

import pytest

from meshproof.files import topology_named, topology_names
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.helm_values import Release, gateway_account, releases
from meshproof.mesh.sketch import on_paper, sketched
from meshproof.mesh.trust import Authority
from meshproof.model import VARIANTS, Role

ROOT = cast(Authority, type("Root", (), {"pem": "PEM"})())


def plan_of(name: str, *variants: str) -> Blueprint:
    plain = sketched(topology_named(name))
    revision = "canary" if "revision" in variants else ""
    deployment = replace(plain, variants=frozenset(variants), revision=revision)
    plan = on_paper(deployment)
    roots = dict.fromkeys(map(deployment.root_of, deployment.topology.members), ROOT)
    return replace(plan, roots=roots)


def made(plan: Blueprint, cluster: str) -> dict[str, Release]:
    """The releases of a cluster's control plane, and of its gateway, by their charts."""
    member = plan.deployment.topology[cluster]
    found = releases(plan.control_plane(member))
    found += releases(plan.gateway(member)) if member.gateway is not None else []
    return {one.chart: one for one in found}


def everything() -> Iterator[tuple[Blueprint, str]]:
    """Every cluster of every topology, plain and in every variant that it can have."""
    for name in topology_names():
        topology = topology_named(name)
        for variant in ["", *(one.name for one in VARIANTS.values() if one.exists_on(topology))]:
            plan = plan_of(name, *filter(None, [variant]))
            yield from ((plan, one.name) for one in plan.deployment.topology.meshed)


SPLIT, OUTSIDE = "primary-remote-split-horizon", "external-control-plane"


def test_a_primary_is_installed_as_the_pages_have_it() -> None:
    charts = made(plan_of(SPLIT), "east")
    assert [(one.name, one.chart) for one in charts.values()] == [
        ("istio-base", "base"),
        ("istiod", "istiod"),
        ("istio-eastwestgateway", "gateway"),
    ]
    assert charts["base"].values == {
        "defaultRevision": "default",
        "global": {"externalIstiod": True},
    }
    told = charts["istiod"].values
    assert "profile" not in told
    assert told["global"]["externalIstiod"] is True
    assert told["global"]["meshID"] and told["global"]["network"] == "net-east"
    assert told["global"]["multiCluster"] == {"clusterName": "east"}
    gateway = charts["gateway"].values
    assert gateway["name"] == "istio-eastwestgateway"
    assert gateway["networkGateway"] == "net-east"


def test_a_remote_is_installed_as_the_pages_have_it() -> None:
    plan = plan_of(SPLIT)
    charts = made(plan, "west")
    assert charts["base"].values["profile"] == charts["istiod"].values["profile"] == "remote"
    assert charts["base"].values["global"] == {"externalIstiod": True}
    told = charts["istiod"].values
    assert told["global"]["remotePilotAddress"] == str(plan.istiods["west"])
    assert told["global"]["configCluster"] is True
    assert told["istiodRemote"] == {"injectionPath": "/inject/cluster/west/net/net-west"}
    assert told["pilot"] == {"enabled": False, "env": {"EXTERNAL_ISTIOD": "true"}}
    assert "meshConfig" not in told


def test_an_istiod_outside_has_no_kinds_and_no_gateway() -> None:
    charts = made(plan_of(OUTSIDE), "control")
    assert list(charts) == ["istiod"]
    told = charts["istiod"].values
    assert told["global"]["operatorManageWebhooks"] is True
    assert told["pilot"]["env"]["LOCAL_CLUSTER_SECRET_WATCHER"] == "true"
    assert told["global"]["multiCluster"] == {"clusterName": "east"}


def test_a_config_cluster_keeps_what_an_istiod_outside_goes_by() -> None:
    charts = made(plan_of(OUTSIDE), "east")
    told = charts["istiod"].values
    assert told["profile"] == "remote"
    assert told["pilot"] == {"configMap": True}
    assert told["global"]["omitSidecarInjectorConfigMap"] is False
    assert told["meshConfig"]["trustDomain"]


def test_a_revision_is_told_to_every_release() -> None:
    charts = made(plan_of(SPLIT, "revision"), "east")
    assert charts["istiod"].name == "istiod-canary"
    assert charts["base"].values["defaultRevision"] == "canary"
    for name in ("istiod", "gateway"):
        assert charts[name].values["revision"] == "canary"


def test_a_gateway_that_is_not_to_tell_its_network_tells_it_to_its_istiod_alone() -> None:
    told = made(plan_of(SPLIT, "mesh-networks"), "west")["gateway"].values
    assert "networkGateway" not in told
    assert "topology.istio.io/network" not in told["labels"]
    assert told["env"] == {"ISTIO_META_REQUESTED_NETWORK_VIEW": "net-west"}
    assert [one["port"] for one in told["service"]["ports"]] == [15021, 15443, 15012, 15017]


def test_a_gateway_with_a_port_of_its_own_is_announced_by_it() -> None:
    charts = made(plan_of("hostname-gateways"), "west")
    told = charts["gateway"].values
    assert told["networkGatewayPorts"] == {"tls": {"port": 8443, "targetPort": 15443}}
    assert told["labels"]["networking.istio.io/gatewayPort"] == "8443"
    assert "networkGatewayPorts" not in made(plan_of("hostname-gateways"), "east")["gateway"].values


def test_mesh_networks_trust_and_pilots_environment_are_told_to_istiod() -> None:
    told = made(plan_of(SPLIT, "mesh-networks"), "east")["istiod"].values
    assert told["global"]["meshNetworks"]["net-west"]["gateways"] == [
        {"address": str(IPv4Address("192.0.2.101")), "port": 15443}
    ]
    told = made(plan_of("multi-primary-flat", "trust-domains"), "east")["istiod"].values
    assert told["meshConfig"]["trustDomain"] == "east.example"
    assert told["meshConfig"]["trustDomainAliases"] == ["west.example"]
    told = made(plan_of("federation", "joined-roots"), "east")["istiod"].values
    assert told["pilot"]["env"]["ISTIO_MULTIROOT_MESH"] == "true"
    assert told["meshConfig"]["caCertificates"] == [{"pem": "PEM"}]


@pytest.mark.parametrize(
    ("plan", "cluster"), list(everything()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_nothing_that_istioctl_is_told_is_lost(plan: Blueprint, cluster: str) -> None:
    member = plan.deployment.topology[cluster]
    spec = plan.control_plane(member)["spec"]
    told = made(plan, cluster)["istiod"].values
    for path, value in leaves(spec["values"]):
        if (path, value) == ("global.configCluster", False):
            continue
        assert dict(leaves(told)).get(path) == value, path
    assert dict(leaves(told.get("meshConfig", {}))) == dict(leaves(spec.get("meshConfig", {})))
    assert (told["global"]["hub"], told["global"]["tag"]) == (spec["hub"], spec["tag"])
    assert told.get("revision", "") == spec.get("revision", "")
    assert ("base" in made(plan, cluster)) is (member.role is not Role.EXTERNAL)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from leaves(one, f"{path}.{name}" if path else name)
    else:
        yield path, value


def test_what_is_translated_is_left_as_it_is() -> None:
    """A document serves several times: what is made of it must not change it."""
    plan = plan_of(SPLIT)
    west = plan.deployment.topology["west"]
    document = plan.control_plane(west)
    releases(document)
    assert document == plan.control_plane(west)


def test_the_gateways_account_is_called_as_each_chart_calls_it() -> None:
    assert gateway_account(by_helm=True) == "istio-eastwestgateway"
    assert gateway_account(by_helm=False) == "istio-eastwestgateway-service-account"
