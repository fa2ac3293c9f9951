"""What a user has said of his nodes is taken off them before Istio is uninstalled."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.files import topology_named
from meshproof.mesh import uninstall as module
from meshproof.mesh.mesh import Mesh

REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"


def test_nodes_are_nowhere_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    topology = topology_named("zones")

    def cluster(name: str, *nodes: str) -> Any:
        def patch(node: str, body: Mapping[str, Mapping[str, Mapping[str, None]]]) -> None:
            gone = body["metadata"]["labels"]
            assert set(gone.values()) == {None}
            done.append(f"{node} without {' '.join(sorted(gone))}")

        named = [SimpleNamespace(container=one) for one in nodes]
        return SimpleNamespace(name=name, nodes=named, core=SimpleNamespace(patch_node=patch))

    clusters = {"east": cluster("east", "e"), "west": cluster("west", "c", "w1", "w2")}
    step = SimpleNamespace(step=lambda *_: nullcontext(), emit=lambda *_, **__: None)
    mesh: Any = SimpleNamespace(
        lab=SimpleNamespace(recorder=step),
        deployment=SimpleNamespace(topology=topology, istio={"east": "1", "west": "1"}),
        cluster=clusters.__getitem__,
    )
    installer = SimpleNamespace(uninstall=lambda one, _: done.append(f"no Istio in {one.name}"))
    monkeypatch.setattr(module, "installer_of", lambda *_: installer)
    monkeypatch.setattr(module, "_remove", lambda *_: None)
    module.uninstall(cast(Mesh, mesh), ["sample"])
    assert done == [
        f"e without {REGION}",
        "no Istio in east",
        f"w1 without {REGION} {ZONE}",
        f"w2 without {REGION} {ZONE}",
        "no Istio in west",
    ]
