"""Objects of a cluster's API, whatever their kind: applied and deleted as `kubectl` does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.foreign import LAB_LABEL
from meshproof.kube.seam import lab_errors
from meshproof.wait import eventually

Object = dict[str, Any]
"""An object as its YAML says it, with apiVersion, kind and metadata.name."""

_MANAGER = "meshproof"
_NOT_FOUND = 404
# What the API server writes itself, and refuses in an object that is made anew.
_SERVERS_OWN = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)


def apply(cluster: RunningCluster, objects: Iterable[Object]) -> None:
    """Apply objects server-side, in the order given.

    Raises LabError with what the API server said, also when it knows no such kind.
    """
    for one in as_there(cluster, objects):
        check_ours(cluster, one)
        with lab_errors(f"apply {title(one)} in {cluster.name}"):
            kind = cluster.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
            kind.server_side_apply(
                body=one,
                name=one["metadata"]["name"],
                namespace=one["metadata"].get("namespace"),
                field_manager=_MANAGER,
                force_conflicts=True,
            )


def as_there(cluster: RunningCluster, objects: Iterable[Object]) -> list[Object]:
    """Objects as they are made in a cluster: in a foreign one they say whose they are, and have
    images that its nodes can have."""
    foreign = cluster.foreign
    return list(objects) if foreign is None else [foreign.as_there(one) for one in objects]


def check_ours(cluster: RunningCluster, one: Object) -> None:
    """Raise LabError for an object of a foreign cluster that is not ours to change: one in a
    namespace that is not, a namespace of somebody else's, or what is in none, is there, and is
    neither labelled as ours nor, by its name, Istio's, which was not there before us."""
    foreign, metadata = cluster.foreign, one["metadata"]
    if foreign is None:
        return
    inside = one if one["kind"] == "Namespace" else None
    if inside is None and metadata.get("namespace"):
        name = metadata["namespace"]
        inside = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    found = read(cluster, inside or one)
    labels = (found["metadata"].get("labels") or {}) if found is not None else {}
    istios = inside is None and "istio" in metadata["name"]
    if found is not None and labels.get(LAB_LABEL) != foreign.lab and not istios:
        cause = f"{title(one)} in {cluster.name} is not ours to change, and was left as it is"
        raise LabError(cause)


def delete(cluster: RunningCluster, objects: Iterable[Object]) -> None:
    """Delete objects; one that is gone already is fine. Raises LabError as ``apply`` does."""
    for one in objects:
        check_ours(cluster, one)
        with lab_errors(f"delete {title(one)} in {cluster.name}"):
            kind = cluster.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
            try:
                kind.delete(
                    name=one["metadata"]["name"],
                    namespace=one["metadata"].get("namespace"),
                    body={"gracePeriodSeconds": 0, "propagationPolicy": "Background"},
                )
            except client.ApiException as error:
                if error.status != _NOT_FOUND:
                    raise


def would_be(cluster: RunningCluster, one: Object) -> Object:
    """What an object that is made now would become, after all webhooks; nothing is stored. Raises
    LabError with the API server's words, or a webhook's, when it is refused."""
    with lab_errors(f"make {title(one)} in {cluster.name}, as a dry run"):
        kind = cluster.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
        namespace = one["metadata"].get("namespace")
        (made,) = as_there(cluster, [one])
        found: Object = kind.create(body=made, namespace=namespace, dry_run="All").to_dict()
        return found


@contextmanager
def applied(cluster: RunningCluster, objects: Sequence[Object]) -> Iterator[None]:
    """The objects are there inside the block and gone afterwards. Raises LabError."""
    try:
        apply(cluster, objects)
        yield
    finally:
        delete(cluster, reversed(objects))


@contextmanager
def as_found(cluster: RunningCluster, objects: Sequence[Object]) -> Iterator[None]:
    """After the block there is what there was before it under the names of these objects, or
    nothing where there was nothing: a change for a while must not put right what was wrong.

    Raises LabError.
    """
    found = [(one, read(cluster, one)) for one in objects]
    try:
        yield
    finally:
        for one, before in found:
            if before is None:
                delete(cluster, [one])
            else:
                _put(cluster, before)


def read(cluster: RunningCluster, one: Object) -> Object | None:
    """The object of this one's kind and name as it is now; None when there is none. Raises
    LabError."""
    with lab_errors(f"read {title(one)} in {cluster.name}"):
        kind = cluster.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
        metadata = one["metadata"]
        try:
            answer = kind.get(name=metadata["name"], namespace=metadata.get("namespace"))
        except client.ApiException as error:
            if error.status != _NOT_FOUND:
                raise
            return None
        found: Object = answer.to_dict()
        return found


def read_all(cluster: RunningCluster, version: str, kind: str, namespace: str) -> list[Object]:
    """All objects of a kind in a namespace as they are now. ``version``: its API's, as in
    "apiVersion". Raises LabError."""
    with lab_errors(f"list each {kind} of {namespace} in {cluster.name}"):
        resource = cluster.dynamic.resources.get(api_version=version, kind=kind)
        found: list[Object] = resource.get(namespace=namespace).to_dict()["items"]
        return found


def _put(cluster: RunningCluster, one: Object) -> None:
    """Let an object be what it was, whether it is there now or not."""
    now = read(cluster, one)
    metadata = {key: value for key, value in one["metadata"].items() if key not in _SERVERS_OWN}
    with lab_errors(f"put back {title(one)} in {cluster.name}"):
        kind = cluster.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
        if now is None:
            kind.create(body={**one, "metadata": metadata}, namespace=metadata.get("namespace"))
            return
        metadata["resourceVersion"] = now["metadata"]["resourceVersion"]
        kind.replace(body={**one, "metadata": metadata}, namespace=metadata.get("namespace"))


def await_absence(cluster: RunningCluster, namespace: str, within: float = 120.0) -> None:
    """Wait until a namespace that is going is gone: in one that ends nothing can be made.

    Raises WaitTimeoutError after ``within`` seconds.
    """

    def absent() -> bool:
        with lab_errors(f"look for namespace {namespace} of {cluster.name}"):
            try:
                cluster.core.read_namespace(namespace)
            except client.ApiException as error:
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
