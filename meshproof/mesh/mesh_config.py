"""The configuration that each control plane has of its whole mesh, changed while it runs.

istiods watch it (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/), so that
nobody has to restart them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import yaml

from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh

_CONFIG_MAP, _KEY = "istio", "mesh"


@contextmanager
def mesh_configured(mesh: Mesh, fields: Mapping[str, Any]) -> Iterator[None]:
    """The configuration of every control plane has these fields beside its own, or in place of
    them, inside the block; afterwards it says to the letter what it said before.

    Raises LabError when there is none, or the API server refuses.
    """
    topology = mesh.deployment.topology
    name = mesh.blueprint.revised(_CONFIG_MAP)
    with ExitStack() as stack:
        for member in topology.control_planes:
            cluster = mesh.cluster(topology.config_cluster(member.name))
            stack.enter_context(_changed(cluster, name, fields))
        yield


def merged(text: str, fields: Mapping[str, Any]) -> str:
    """A mesh's configuration in YAML, with other fields. Raises LabError when it is no mapping."""
    said = yaml.safe_load(text)
    if not isinstance(said, dict):
        raise LabError("the mesh's configuration is no mapping")
    return yaml.safe_dump({**said, **fields}, sort_keys=False)


@contextmanager
def _changed(cluster: RunningCluster, name: str, fields: Mapping[str, Any]) -> Iterator[None]:
    with lab_errors(f"read ConfigMap {name} of {cluster.name}"):
        before = cluster.core.read_namespaced_config_map(name, SYSTEM).data[_KEY]
    try:
        _write(cluster, name, merged(before, fields))
        yield
    finally:
        _write(cluster, name, before)


def _write(cluster: RunningCluster, name: str, text: str) -> None:
    with lab_errors(f"write ConfigMap {name} of {cluster.name}"):
        cluster.core.patch_namespaced_config_map(name, SYSTEM, {"data": {_KEY: text}})
