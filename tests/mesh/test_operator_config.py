"""What istioctl is told: each role, the proxy that is there, and both ways to tell gateways."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.artifacts.filters import ALPN, FILTERS, METADATA, STATS
from meshproof.files import topology_named
from meshproof.mesh import operator_config
from meshproof.mesh.operator_config import ACCESS_LOG, Images
from meshproof.model import REVISION, Deployment, Version

PLAIN = Images("localhost/meshproof", "1.31.1", FILTERS)
ISTIO = Images("docker.io/istio", "1.31.1")
GATEWAYS = {"east": IPv4Address("172.30.0.200"), "west": IPv4Address("172.30.1.200")}


@pytest.fixture
def split() -> Deployment:
    topology = topology_named("primary-remote-split-horizon")
    istio = dict.fromkeys(topology.names, Version(1, 31, 1))
    return Deployment(topology, istio, Version(1, 36, 3))


@pytest.mark.parametrize(
    ("off", "told", "telemetry"),
    [
        ((), set(), True),
        (FILTERS, {"PILOT_ENABLE_ALPN_FILTER", "PILOT_ENABLE_METADATA_EXCHANGE"}, False),
        ((ALPN,), {"PILOT_ENABLE_ALPN_FILTER"}, True),
        ((METADATA,), {"PILOT_ENABLE_METADATA_EXCHANGE"}, True),
        ((STATS,), set(), False),
    ],
)
def test_a_proxy_is_spared_the_filters_that_it_lacks_and_no_others(
    off: tuple[str, ...], told: set[str], telemetry: bool, split: Deployment
) -> None:
    images = replace(ISTIO, filters_off=off)
    document = operator_config.primary(split, split.topology["east"], images, {})
    values = document["spec"]["values"]
    switches = {one: said for one, said in values["pilot"]["env"].items() if said == "false"}
    assert switches == dict.fromkeys(told, "false")
    assert values["telemetry"]["enabled"] is telemetry


def test_a_remote_is_told_where_its_istiod_is(split: Deployment) -> None:
    document = operator_config.remote(split, split.topology["west"], PLAIN, GATEWAYS["east"])
    assert document["spec"]["profile"] == "remote"
    values = document["spec"]["values"]
    assert values["global"]["remotePilotAddress"] == "172.30.0.200"
    assert values["istiodRemote"]["injectionPath"] == "/inject/cluster/west/net/net-west"


def test_a_gateway_tells_its_network_by_label_unless_told_not_to(split: Deployment) -> None:
    for labelled in (True, False):
        document = operator_config.gateway(split, split.topology["west"], PLAIN, labelled=labelled)
        labels = document["spec"]["components"]["ingressGateways"][0]["label"]
        assert (labels.get("topology.istio.io/network") == "net-west") is labelled


def test_no_installation_takes_anothers_objects_for_its_own(split: Deployment) -> None:
    east, west = split.topology["east"], split.topology["west"]
    gateway = operator_config.gateway(split, east, PLAIN, labelled=True)["metadata"]
    for document in (
        operator_config.primary(split, east, PLAIN, {}),
        operator_config.remote(split, west, PLAIN, GATEWAYS["east"]),
        operator_config.trusting(operator_config.primary(split, east, PLAIN, {}), ["a root"]),
    ):
        assert document["metadata"]["name"] not in ("", gateway["name"])
        assert document["metadata"]["namespace"] == gateway["namespace"]


def test_mesh_networks_name_each_networks_clusters_and_gateways(split: Deployment) -> None:
    assert operator_config.mesh_networks(split, split.topology["east"], GATEWAYS)["net-west"] == {
        "endpoints": [{"fromRegistry": "west"}],
        "gateways": [{"address": "172.30.1.200", "port": 15443}],
    }


def test_mesh_networks_name_a_host_where_a_gateway_is_announced_by_one() -> None:
    topology = topology_named("hostname-gateways")
    named = Deployment(
        topology, dict.fromkeys(topology.names, Version(1, 31, 1)), Version(1, 36, 3)
    )
    networks = operator_config.mesh_networks(named, topology["east"], GATEWAYS)
    gateways = [{"address": "172-30-1-200.lb.example", "port": 8443}]
    assert networks["net-west"]["gateways"] == gateways


def test_the_access_log_has_what_responses_are_read_from(split: Deployment) -> None:
    document = operator_config.primary(split, split.topology["east"], PLAIN, {})
    format = json.loads(document["spec"]["meshConfig"]["accessLogFormat"])
    assert format == ACCESS_LOG
    assert {"request_id", "attempts", "upstream_host", "upstream_peer"} <= format.keys()


@pytest.fixture
def outside() -> Deployment:
    topology = topology_named("external-control-plane")
    istio = dict.fromkeys(topology.names, Version(1, 31, 1))
    return Deployment(
        topology, istio, Version(1, 36, 3), variants=frozenset({REVISION}), revision="canary"
    )


def test_an_istiod_outside_takes_itself_for_its_config_clusters(outside: Deployment) -> None:
    document = operator_config.external(outside, outside.topology["control"], PLAIN)
    assert document["spec"]["values"]["global"]["multiCluster"]["clusterName"] == "east"
    assert list(document["spec"]["components"]) == ["pilot"]


def test_the_config_cluster_keeps_the_meshs_configuration_and_no_other_does(
    outside: Deployment,
) -> None:
    east, west = outside.topology["east"], outside.topology["west"]
    config = operator_config.config_cluster(outside, east, PLAIN, GATEWAYS["east"], {})["spec"]
    other = operator_config.remote(outside, west, PLAIN, GATEWAYS["east"])["spec"]
    assert config["values"]["global"]["configCluster"] is True
    assert "meshConfig" in config
    assert "meshConfig" not in other


def test_a_revision_is_told_to_every_installation(outside: Deployment) -> None:
    west = outside.topology["west"]
    made = [
        operator_config.remote(outside, west, PLAIN, GATEWAYS["east"]),
        operator_config.gateway(outside, west, PLAIN, labelled=True),
    ]
    assert [document["spec"]["revision"] for document in made] == ["canary", "canary"]
