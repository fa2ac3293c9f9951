"""Objects of a cluster's API, whatever their kind: applied and deleted as `kubectl` does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from kubernetes.client.exceptions import ApiException

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.wait import eventually

Object = dict[str, Any]
"""An object as its YAML says it, with apiVersion, kind and metadata.name."""

_MANAGER = "meshproof"
_NOT_FOUND = 404


def apply(cluster: RunningCluster, objects: Iterable[Object]) -> None:
    """Apply objects server-side, in the order given.

    Raises LabError with what the API server said, also when it knows no such kind.
    """
    for one in objects:
        with lab_errors(f"apply {title(one)} in {cluster.name}"):
            kind = cluster.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
            kind.server_side_apply(
                body=one,
                name=one["metadata"]["name"],
                namespace=one["metadata"].get("namespace"),
                field_manager=_MANAGER,
                force_conflicts=True,
            )


def delete(cluster: RunningCluster, objects: Iterable[Object]) -> None:
    """Delete objects; one that is gone already is fine. Raises LabError as ``apply`` does."""
    for one in objects:
        with lab_errors(f"delete {title(one)} in {cluster.name}"):
            kind = cluster.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
            try:
                kind.delete(
                    name=one["metadata"]["name"],
                    namespace=one["metadata"].get("namespace"),
                    body={"gracePeriodSeconds": 0, "propagationPolicy": "Background"},
                )
            except ApiException as error:
                if error.status != _NOT_FOUND:
                    raise


@contextmanager
def applied(cluster: RunningCluster, objects: Sequence[Object]) -> Iterator[None]:
    """The objects are there inside the block and gone afterwards. Raises LabError."""
    try:
        apply(cluster, objects)
        yield
    finally:
        delete(cluster, reversed(objects))


def await_absence(cluster: RunningCluster, namespace: str, within: float = 30.0) -> None:
    """Wait until a namespace that is going is gone: in one that ends nothing can be made.

    Raises WaitTimeoutError after ``within`` seconds.
    """

    def absent() -> bool:
        with lab_errors(f"look for namespace {namespace} of {cluster.name}"):
            try:
                cluster.core.read_namespace(namespace)
            except ApiException as error:
                if error.status != _NOT_FOUND:
                    raise
                return True
            return False

    eventually(absent, what=f"the end of namespace {namespace}", within=within)


def title(one: Object) -> str:
    """How messages call an object: "Gateway istio-system/cross-network-gateway"."""
    metadata = one["metadata"]
    where = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{one['kind']} {where}{metadata['name']}"
