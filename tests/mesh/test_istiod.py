"""What an istiod's debug interface says, read as Istio 1.31.1 writes it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from meshproof.errors import EvidenceError
from meshproof.mesh import istiod
from meshproof.mesh.istiod import (
    Endings,
    Instance,
    NetworkGateway,
    are_ready,
    endings,
    known_instances,
    network_gateways,
)

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


PANIC = """2026-11-29T13:28:40Z\tinfo\tads\tPush
panic: runtime error: index out of range [1] with length 1

goroutine 1430 [running]:
"""


State = dict[str, str | None]
RUNNING: State = {"terminated": None, "waiting": None}
OVER: State = {"terminated": "Error", "waiting": None}
WAITING: State = {"terminated": None, "waiting": "CrashLoopBackOff"}


def pods(*states: tuple[int, State], log: str = "") -> Any:
    """A mesh whose cluster has an istiod with each of these counts of restarts and states."""
    made = [
        SimpleNamespace(
            metadata=SimpleNamespace(name=f"istiod-{number}"),
            status=SimpleNamespace(
                container_statuses=[
                    SimpleNamespace(
                        name="discovery",
                        restart_count=count,
                        ready=count == 0,
                        state=SimpleNamespace(**state),
                        last_state=SimpleNamespace(
                            terminated="Error" if state == WAITING else None
                        ),
                    )
                ]
            ),
        )
        for number, (count, state) in enumerate(states)
    ]

    def read(pod: str, namespace: str, *, previous: bool, **_: object) -> str:
        if not previous:
            raise ApiException(status=400)
        return log

    core = SimpleNamespace(
        list_namespaced_pod=lambda *_, **__: SimpleNamespace(items=made),
        read_namespaced_pod_log=read,
    )
    return SimpleNamespace(cluster=lambda name: SimpleNamespace(name=name, core=core))


def test_an_istiod_that_has_ended_is_counted_with_its_reason() -> None:
    assert endings(pods((2, RUNNING), log=PANIC), "east") == Endings(
        2, "runtime error: index out of range [1] with length 1"
    )
    assert endings(pods((0, OVER), (1, RUNNING), log="no word"), "east") == Endings(2)
    assert endings(pods((1, WAITING)), "east") == Endings(2)
    assert endings(pods((0, RUNNING)), "east") == Endings(0)
    assert endings(pods(), "east") == Endings(0)


def test_istiods_are_ready_when_there_are_some_and_all_are() -> None:
    assert are_ready(pods((0, RUNNING), (0, RUNNING)), "east")
    assert not are_ready(pods((0, RUNNING), (1, RUNNING)), "east")
    assert not are_ready(pods(), "east")
