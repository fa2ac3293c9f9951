"""What is in a cluster of one's own already and stands in the way; and the lock that keeps a second
run out. A namespace of ours is the lock, since only one of two that make it makes it."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from http import HTTPStatus

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.foreign import LAB_LABEL, OWN_NAMESPACE
from meshproof.kube.seam import lab_errors

SYSTEM = "istio-system"
NAMESPACES = (OWN_NAMESPACE, SYSTEM, "sample", "outside")
"""The namespaces that every run makes, and removes. Tests make others, which bear our label too."""
_HOLDER, _SINCE = "meshproof.io/holder", "meshproof.io/since"
_ISTIO = "istio.io"
_SHOWN = 4


def check_free(name: str, api: client.ApiClient) -> None:
    """Raise LabError where Istio is in a cluster already, another run is at work in it or has left
    something, or a namespace of somebody else's is called as one that we would make, and remove.
    Changes nothing."""
    with lab_errors(f"look for what is in {name} already"):
        found = client.CoreV1Api(api).list_namespace().items
        istios = _istios(api)
    namespaces = {one.metadata.name: one.metadata for one in found}
    for metadata in namespaces.values():
        if (metadata.labels or {}).get(LAB_LABEL):
            raise _held(name, metadata)
    if SYSTEM in namespaces or istios:
        found_there = [*([f"namespace {SYSTEM}"] if SYSTEM in namespaces else []), *istios]
        more = " …" if len(found_there) > _SHOWN else ""
        some = ", ".join(found_there[:_SHOWN]) + more
        raise LabError(
            f"Istio is in cluster {name} already ({some}), and its objects would be "
            "changed by another",
            "name a cluster without it",
        )
    taken = [one for one in NAMESPACES if one in namespaces]
    if taken:
        raise LabError(
            f"cluster {name} has a namespace '{taken[0]}', and meshproof makes one of that name, "
            "and removes it with all that is in it",
            "rename it, or name another cluster",
        )


def _istios(api: client.ApiClient) -> list[str]:
    """What is there of Istio in no namespace, also where one that was removed has left it."""
    admission, rbac = client.AdmissionregistrationV1Api(api), client.RbacAuthorizationV1Api(api)
    listed = {
        "kind": client.ApiextensionsV1Api(api).list_custom_resource_definition(),
        "webhook": admission.list_mutating_webhook_configuration(),
        "validation": admission.list_validating_webhook_configuration(),
        "role": rbac.list_cluster_role(),
        "binding": rbac.list_cluster_role_binding(),
    }
    names = [(what, one.metadata.name) for what, found in listed.items() for one in found.items]
    return [f"{what} {one}" for what, one in names if one.startswith("istio") or _is_kind(one)]


def _is_kind(name: str) -> bool:
    return name.endswith(f".{_ISTIO}")


def lock(name: str, api: client.ApiClient, lab_id: str) -> str:
    """Make the lock; returns when that was, as the API server writes times. Raises LabError that
    says who has it."""
    core = client.CoreV1Api(api)
    holder = f"{socket.gethostname()}, process {os.getpid()}"
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    metadata = {
        "name": OWN_NAMESPACE,
        "labels": {LAB_LABEL: lab_id},
        "annotations": {_HOLDER: holder, _SINCE: since},
    }
    with lab_errors(f"lock cluster {name}"):
        try:
            made = core.create_namespace({"metadata": metadata})
        except client.ApiException as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            raise _held(name, core.read_namespace(OWN_NAMESPACE).metadata) from None
    return _time(made.metadata)


def holder_of(api: client.ApiClient) -> str | None:
    """The id of the lab whose lock is in a cluster; None where there is none. Raises
    ApiException."""
    metadata = _namespace(api, OWN_NAMESPACE)
    return _lab_of(metadata) if metadata is not None else None


def locked_since(api: client.ApiClient) -> str:
    """When the lock was made that is in a cluster, as its API server writes times; "" where there
    is none. Raises ApiException."""
    metadata = _namespace(api, OWN_NAMESPACE)
    return _time(metadata) if metadata is not None else ""


def has_others_istio(api: client.ApiClient, lab_id: str) -> bool:
    """Whether the namespace that Istio is in does not say that it is of a lab's making: then
    somebody has made it since, and whatever Istio is there is theirs. Raises ApiException."""
    metadata = _namespace(api, SYSTEM)
    return metadata is not None and _lab_of(metadata) != lab_id


def _namespace(api: client.ApiClient, name: str) -> client.V1ObjectMeta | None:
    try:
        return client.CoreV1Api(api).read_namespace(name).metadata
    except client.ApiException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def _lab_of(metadata: client.V1ObjectMeta) -> str | None:
    found: str | None = (metadata.labels or {}).get(LAB_LABEL)
    return found


def _time(metadata: client.V1ObjectMeta) -> str:
    made = metadata.creation_timestamp
    return made.strftime("%Y-%m-%dT%H:%M:%SZ") if made is not None else ""


def _held(name: str, metadata: client.V1ObjectMeta) -> LabError:
    labels: Mapping[str, str] = metadata.labels or {}
    said: Mapping[str, str] = metadata.annotations or {}
    lab_id = labels.get(LAB_LABEL, "unknown")
    who = said.get(_HOLDER, "an unknown machine")
    since = f" since {said[_SINCE]}" if _SINCE in said else ""
    return LabError(
        f"cluster {name} is used by lab {lab_id} ({who}){since}, or was left so by its end",
        f"wait for its end, or where it has ended run 'meshproof down {lab_id}' on that machine",
    )
