"""The evidence names what looked wrong, and nothing that is dead or slow keeps it from the rest."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import EvidenceError
from meshproof.evidence import collect, proxies
from meshproof.kube import RunningCluster
from meshproof.lab.machine import RunningMachine
from meshproof.mesh.machine_setup import LOG
from tests.evidence.bench import TOKEN, api_server, lab_of, running_cluster, silent_server


def pod(namespace: str, name: str, statuses: list[dict[str, Any]], **labels: str) -> dict[str, Any]:
    init = [status for status in statuses if status["name"] == "istio-proxy"]
    rest = [status for status in statuses if status["name"] != "istio-proxy"]
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"nodeName": "east-node", "containers": [{"name": "app", "image": "app:1"}]},
        "status": {
            "phase": "Running",
            "podIP": "10.10.0.5",
            "initContainerStatuses": init,
            "containerStatuses": rest,
        },
    }


def up(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "ready": True,
        "restartCount": 0,
        "containerID": f"containerd://{name}",
        "state": {"running": {}},
    }


CRASHING = {
    "name": "app",
    "ready": False,
    "restartCount": 4,
    "containerID": "containerd://gone",
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
    "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
}
PODS = [
    pod("istio-system", "istiod-1", [up("discovery")], app="istiod"),
    pod("sample", "sleep-1", [up("istio-proxy"), CRASHING]),
    pod("other", "unasked", [up("app")]),
]


def table(*rows: tuple[str | None, str, str]) -> dict[str, Any]:
    return {
        "columnDefinitions": [{"name": "Name"}, {"name": "Status"}],
        "rows": [
            {"cells": [name, status], "object": {"metadata": {"namespace": namespace or "-"}}}
            for namespace, name, status in rows
        ],
    }


SERVICE = {
    "metadata": {"namespace": "istio-system", "name": "eastwest"},
    "spec": {"type": "LoadBalancer", "clusterIP": "10.110.0.9", "selector": {"app": "gateway"}},
    "status": {"loadBalancer": {}},
}
EVENTS = [
    {
        "metadata": {},
        "type": kind,
        "reason": reason,
        "lastTimestamp": at,
        "involvedObject": {"namespace": "sample", "kind": "Pod", "name": "sleep-1"},
        "message": "two\nlines",
    }
    for kind, reason, at in [
        ("Warning", "Later", "2026-01-01T00:00:09Z"),
        ("Normal", "Sooner", "2026-01-01T00:00:01Z"),
    ]
]
WEBHOOK = {
    "metadata": {"name": "injector"},
    "webhooks": [{"name": "inject.istio.io", "clientConfig": {"url": "https://172.30.1.200"}}],
}
RULE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "DestinationRule",
    "metadata": {"name": "helloworld", "namespace": "sample", "managedFields": [{"manager": "x"}]},
    "spec": {"host": "helloworld"},
}
GROUP = {
    "name": "networking.istio.io",
    "preferredVersion": {"groupVersion": "networking.istio.io/v1"},
}
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
API: dict[str, Any] = {
    "/api/v1/pods": {"items": PODS},
    "table /api/v1/pods": table(("sample", "sleep-1", "CrashLoopBackOff")),
    "table /api/v1/nodes": table((None, "east-node", "NotReady")),
    "/api/v1/events": {"items": EVENTS},
    "/api/v1/services": {"items": [SERVICE]},
    "/apis/discovery.k8s.io/v1/endpointslices": {"items": None},
    "/apis": {"groups": [GROUP, {"name": "apps", "preferredVersion": {}}]},
    "/apis/networking.istio.io/v1": {
        "resources": [
            {"name": "destinationrules", "verbs": ["list"]},
            {"name": "destinationrules/status", "verbs": ["get"]},
        ]
    },
    "/apis/networking.istio.io/v1/destinationrules": {"items": [RULE]},
    f"{ADMISSION}/mutatingwebhookconfigurations": {"items": [WEBHOOK]},
    f"{ADMISSION}/validatingwebhookconfigurations": {"items": []},
    "/api/v1/namespaces/istio-system/pods/istiod-1/log": "istiod's log\n",
    "/api/v1/namespaces/sample/pods/sleep-1/log": f"got {TOKEN}\n",
}
SYNC = [
    {
        "proxy": "gateway-1.istio-system",
        "resources": {
            "type.googleapis.com/envoy.config.cluster.v3.Cluster": {"sent": "2", "acked": "1"},
            "type.googleapis.com/envoy.config.listener.v3.Listener": {"sent": "2", "acked": "2"},
        },
    }
]
PAGES = {
    (15014, "debug/clusterz?pretty"): json.dumps([{"id": "west", "syncStatus": "timeout"}]),
    (15014, "debug/syncz?pretty"): json.dumps(SYNC),
    (15000, "clusters"): "outbound|80||helloworld::health_flags::healthy\n",
}
NODE: dict[str, str] = {
    "route": "default via 172.30.0.1\n",
    "address": "eth0\n",
    "meshproof": json.dumps(
        {"nftables": [{"counter": {"name": "east_to_west__dropped", "packets": 3}}]}
    ),
}


@pytest.fixture(autouse=True)
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pods answer to themselves."""

    def fetch(
        cluster: RunningCluster, namespace: str, pod: str, port: int, path: str, *, timeout: float
    ) -> str:
        if (port, path) not in PAGES:
            raise EvidenceError(f"{namespace}/{pod} of {cluster.name} has no {path}")
        return PAGES[port, path]

    monkeypatch.setattr(proxies, "fetch", fetch)


def read(folder: Path, file: str) -> str:
    return (folder / file).read_text()


def test_the_index_names_what_looked_wrong_and_what_could_not_be_had(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    with api_server(API) as url:
        lab = lab_of([running_cluster("east", url, tmp_path)], NODE)
        files = collect(lab, folder, ["sample"])
    assert list(files) == sorted(folder.iterdir())
    index = read(folder, "00-index.md")
    assert index == read(folder, files[0].name)
    wrong, _, missing = index.partition("## What could not be had")
    for line in [
        "- east: the proxy of pod sample/sleep-1 is connected to no istiod",
        "- east: pod sample/sleep-1 is not ready: app waits: CrashLoopBackOff back-off 40s",
        "- east: pod sample/sleep-1: app restarted 4 times, last ended with 137 (OOMKilled)",
        "- east: node east-node is NotReady",
        "- east: Service istio-system/eastwest has no LoadBalancer address",
        "- east: Service istio-system/eastwest has no ready endpoint",
        "- east: webhook injector: inject.istio.io has no caBundle",
        "- east: istiod istiod-1: cluster west is timeout",
        "- east: istiod istiod-1: Cluster of proxy gateway-1.istio-system is not in sync",
    ]:
        assert line in wrong
    assert "Listener" not in wrong
    assert "- 20-east-istiod-1-networkz.json: istio-system/istiod-1 of east has no" in missing
    assert TOKEN not in index


def test_files_say_what_was_found(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    with api_server(API) as url:
        collect(lab_of([running_cluster("east", url, tmp_path)], NODE), folder, ["sample"])
    events = read(folder, "11-east-events.txt").splitlines()
    assert [line.split()[1:4:2] for line in events[1:]] == [["-", "Sooner"], ["!", "Later"]]
    assert "managedFields" not in read(folder, "13-east-istio-config.yaml")
    assert "host: helloworld" in read(folder, "13-east-istio-config.yaml")
    assert "health_flags" in read(folder, "30-east-sample-sleep-1-clusters.txt")
    assert "before the last restart" in read(folder, "30-east-sample-sleep-1-app-app.log")
    assert "east_to_west dropped: 3" in read(folder, "40-router-counters.txt")
    assert "default via" in read(folder, "41-east-node.txt")
    assert not list(folder.glob("30-east-other-*"))
    assert all(TOKEN not in file.read_text() for file in folder.iterdir())


def test_a_machine_says_what_it_has_logged(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    with api_server(API) as url:
        lab = lab_of([running_cluster("east", url, tmp_path)], {**NODE, LOG: "rpc error: code"})
        machine = RunningMachine("shop", "shop-machine", lab.engine)
        vars(lab)["machines"] = {"shop": machine}
        collect(lab, folder, ["sample"])
    told = read(folder, "42-shop-machine.txt")
    assert "rpc error: code" in told
    assert "default via" in told


def test_dead_and_hanging_clusters_hold_nothing_up(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    begin = time.monotonic()
    with api_server(API) as url, silent_server() as silent:
        clusters = [
            running_cluster("east", url, tmp_path),
            running_cluster("west", "http://127.0.0.1:1", tmp_path),
            running_cluster("far", silent, tmp_path),
        ]
        collect(lab_of(clusters, NODE), folder, ["sample"], within=2)
    assert time.monotonic() - begin < 6
    index = read(folder, "00-index.md")
    assert "- cluster west does not answer: " in index
    assert "- cluster far does not answer: " in index
    assert "left out, the 2 s for evidence were up" in index
