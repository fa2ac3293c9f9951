"""Load: of what it is made, and what is no size."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.workloads.load import Load, _argv, _namespaced, _nodes


def test_pods_are_spread_over_services_and_nodes() -> None:
    load = Load.parse("services=3,pods=250")
    objects = _namespaced(load)
    kinds = [one["kind"] for one in objects]
    assert kinds[:2] == ["Namespace", "ServiceAccount"]
    assert (kinds.count("Service"), kinds.count("Pod")) == (3, 250)
    pods = [one for one in objects if one["kind"] == "Pod"]
    apps = [one["metadata"]["labels"]["app"] for one in pods]
    assert sorted(map(apps.count, set(apps))) == [83, 83, 84]
    selected = {one["spec"]["selector"]["app"] for one in objects if one["kind"] == "Service"}
    assert set(apps) == selected
    nodes = {one["metadata"]["name"] for one in _nodes(load)}
    assert {one["spec"]["nodeName"] for one in pods} == nodes
    assert len(nodes) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "500",
        "services=0,pods=1",
        "services=1,pods=0",
        "pods=1,services=1",
        "services=9",
        "services=3000,pods=1",
        "services=1,pods=30000",
        "services=1,pods=1,nodes=1",
    ],
)
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="services=500,pods=2000"):
        Load.parse(text)


def test_kwok_manages_its_own_nodes_alone(tmp_path: Path) -> None:
    for name in ("pod-ready.yaml", "node-initialize.yaml", "kwok"):
        (tmp_path / name).touch()
    argv = _argv(tmp_path, Path("/lab/east.kubeconfig"))
    assert argv[:2] == [str(tmp_path / "kwok"), "--kubeconfig=/lab/east.kubeconfig"]
    assert "--manage-all-nodes=false" in argv
    assert "--manage-nodes-with-label-selector=meshproof.io/load=true" in argv
    assert [one for one in argv if one.startswith("--config=")] == [
        f"--config={tmp_path}/node-initialize.yaml",
        f"--config={tmp_path}/pod-ready.yaml",
    ]
