"""What an istiod's debug interface says, read as Istio 1.31.1 writes it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.errors import EvidenceError
from meshproof.mesh import istiod
from meshproof.mesh.istiod import Instance, NetworkGateway, known_instances, network_gateways

HOST = "helloworld.sample.svc.cluster.local"


def endpoint(address: str, port: int, cluster: str, locality: str = "") -> dict[str, Any]:
    return {
        "Labels": {"app": "helloworld"},
        "Addresses": [address],
        "ServicePortName": "http",
        "Network": f"net-{cluster}",
        "Locality": {"Label": locality, "ClusterID": cluster},
        "EndpointPort": port,
    }


SHARDS = {
    HOST: {
        "sample": {
            "Shards": {
                "Kubernetes/east": [endpoint("10.10.0.5", 5000, "east")],
                "Kubernetes/west": [
                    endpoint("10.20.0.5", 5000, "west", "r1/za"),
                    endpoint("10.20.0.5", 9000, "west", "r1/za"),
                ],
            },
            "ServiceAccounts": {},
        }
    }
}
GATEWAYS = [
    {"Network": "net-west", "Cluster": "west", "Addr": "172.30.2.200", "Port": 8443},
    {"Network": "net-east", "Cluster": "east", "Addr": "172.30.1.200", "Port": 15443},
]


def answering(monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    """A mesh whose istiods say this, whatever they are asked."""
    found = SimpleNamespace(fetch=lambda port, path: text)
    monkeypatch.setattr(istiod, "find_workload", lambda *_, **__: found)
    return SimpleNamespace(cluster=lambda name: name)


def test_instances_are_those_of_one_port_with_their_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = answering(monkeypatch, json.dumps(SHARDS))
    assert known_instances(mesh, "east", HOST, 5000) == (
        Instance("east", "10.10.0.5", 5000, ""),
        Instance("west", "10.20.0.5", 5000, "r1/za"),
    )
    assert known_instances(mesh, "east", "other.sample.svc.cluster.local", 5000) == ()


@pytest.mark.parametrize("listed", [GATEWAYS, None])
def test_gateways_are_read_also_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch, listed: object
) -> None:
    seen = network_gateways(answering(monkeypatch, json.dumps(listed)), "east")
    there = (
        NetworkGateway("net-east", "172.30.1.200", 15443),
        NetworkGateway("net-west", "172.30.2.200", 8443),
    )
    assert seen == (there if listed else ())


@pytest.mark.parametrize("text", ["", "<html>"])
def test_an_istiod_that_does_not_tell_is_no_evidence(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    with pytest.raises(EvidenceError, match=f"answered for networkz with '{text}'"):
        network_gateways(answering(monkeypatch, text), "east")
