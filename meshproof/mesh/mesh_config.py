"""The configuration that each control plane has of its whole mesh, changed while it runs.

istiods watch it (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/), so that
nobody has to restart them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import yaml

from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh

_CONFIG_MAP, _MESH, _NETWORKS = "istio", "mesh", "meshNetworks"


@contextmanager
def mesh_configured(mesh: Mesh, fields: Mapping[str, Any]) -> Iterator[None]:
    """The configuration of every control plane has these fields beside its own, or in place of
    them, inside the block; afterwards it says to the letter what it said before.

    Raises LabError when there is none, or the API server refuses.
    """
    with _edited(mesh, _MESH, lambda text: merged(text, fields)):
        yield


@contextmanager
def networks_edited(mesh: Mesh, addresses: Mapping[str, str]) -> Iterator[None]:
    """``meshNetworks`` of every control plane say other addresses of gateways inside the block;
    afterwards they say to the letter what they said before.

    ``addresses``: the new ones by those that there are. Raises LabError where none of these is
    said, and as ``mesh_configured``.
    """
    with _edited(mesh, _NETWORKS, lambda text: readdressed(text, addresses)):
        yield


def merged(text: str, fields: Mapping[str, Any]) -> str:
    """A mesh's configuration in YAML, with other fields. Raises LabError when it is no mapping."""
    said = yaml.safe_load(text)
    if not isinstance(said, dict):
        raise LabError("the mesh's configuration is no mapping")
    return yaml.safe_dump({**said, **fields}, sort_keys=False)


def readdressed(text: str, addresses: Mapping[str, str]) -> str:
    """``meshNetworks`` in YAML with other addresses of gateways. Raises LabError where none of
    those to be replaced is there."""
    said = yaml.safe_load(text)
    networks = (said.get("networks") if isinstance(said, dict) else None) or {}
    gateways = [gateway for one in networks.values() for gateway in one.get("gateways") or []]
    due = [one for one in gateways if one.get("address") in addresses]
    if not due:
        raise LabError(f"meshNetworks know no gateway at {' or '.join(addresses)}")
    for one in due:
        one["address"] = addresses[one["address"]]
    return yaml.safe_dump(said, sort_keys=False)


@contextmanager
def _edited(mesh: Mesh, key: str, edit: Callable[[str], str]) -> Iterator[None]:
    topology = mesh.deployment.topology
    name = mesh.blueprint.revised(_CONFIG_MAP)
    with ExitStack() as stack:
        for member in topology.control_planes:
            cluster = mesh.cluster(topology.config_cluster(member.name))
            stack.enter_context(_changed(cluster, name, key, edit))
        yield


@contextmanager
def _changed(
    cluster: RunningCluster, name: str, key: str, edit: Callable[[str], str]
) -> Iterator[None]:
    with lab_errors(f"read ConfigMap {name} of {cluster.name}"):
        before = cluster.core.read_namespaced_config_map(name, SYSTEM).data[key]
    try:
        _write(cluster, name, key, edit(before))
        yield
    finally:
        _write(cluster, name, key, before)


def _write(cluster: RunningCluster, name: str, key: str, text: str) -> None:
    with lab_errors(f"write ConfigMap {name} of {cluster.name}"):
        cluster.core.patch_namespaced_config_map(name, SYSTEM, {"data": {key: text}})
