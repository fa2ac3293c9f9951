"""Breaks a cluster's API server: there is none, or one that refuses an account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import in_words, lab_errors
from meshproof.lab.restart import not_back, refusal
from meshproof.mesh.manifests import SYSTEM
from meshproof.wait import eventually

_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
_ASIDE = "/etc/kubernetes/kube-apiserver.yaml.aside"
_PROGRAM = "kube-apiserver"
_WITHIN = 180.0


@contextmanager
def api_server_stopped(cluster: RunningCluster) -> Iterator[None]:
    """No API server runs in a cluster inside the block; pods, proxies and DNS go on. In force when
    nobody answers at its port any more; healed when it answers, and every pod is ready: parts of
    the control plane end themselves meanwhile, and are started again.

    Raises LabError when it does not come back.
    """
    node = cluster.control_plane
    # Without its manifest kubelet does not start it again, but would give it half a minute to end.
    cluster.on_node(node, "mv", _MANIFEST, _ASIDE)
    try:
        eventually(
            lambda: _ended(cluster),
            what=f"the end of the API server of {cluster.name}",
            within=_WITHIN,
        )
        yield
    finally:
        cluster.on_node(node, "mv", _ASIDE, _MANIFEST, check=False)
        await_api_server(cluster)


def await_api_server(cluster: RunningCluster) -> None:
    """Wait until the API server of a cluster answers, and every pod of it is ready. Raises
    LabError."""
    with lab_errors(f"wait for the API server of {cluster.name}"):
        eventually(
            lambda: refusal(cluster) or _not_ready(cluster),
            until=lambda missing: missing == "",
            what=f"the API server of {cluster.name}",
            within=_WITHIN,
            every=0.5,
        )


@contextmanager
def account_refused(
    cluster: RunningCluster, account: str, namespace: str = SYSTEM
) -> Iterator[None]:
    """The API server of a cluster lets a service account do nothing inside the block: none of its
    bindings is there. Watches that are open go on. In force, and healed, when a review says so.

    Raises LabError when the account has no rights to take away, or the API server refuses.
    """
    rbac = client.RbacAuthorizationV1Api(cluster.api)
    with lab_errors(f"find the bindings of {account} in {cluster.name}"):
        listed = rbac.list_cluster_role_binding().items
    taken = [one for one in listed if _is_of(one, account, namespace)]
    if not taken:
        raise LabError(f"the account {namespace}/{account} of {cluster.name} has no bindings")
    try:
        with lab_errors(f"take the rights of {account} in {cluster.name}"):
            for one in taken:
                rbac.delete_cluster_role_binding(one.metadata.name)
        _await_rights(cluster, account, namespace, allowed=False)
        yield
    finally:
        with lab_errors(f"give {account} its rights in {cluster.name} back"):
            for one in taken:
                one.metadata.resource_version = one.metadata.uid = None
                rbac.create_cluster_role_binding(one)
        _await_rights(cluster, account, namespace, allowed=True)


def _ended(cluster: RunningCluster) -> bool:
    # kubelet may have been about to start it again.
    kill = ("pkill", "-KILL", "-x", _PROGRAM)
    ended = cluster.on_node(cluster.control_plane, *kill, check=False).returncode != 0
    return ended and bool(refusal(cluster))


def _not_ready(cluster: RunningCluster) -> str:
    try:
        return not_back(cluster.core.list_pod_for_all_namespaces().items, {})
    except (client.ApiException, client.HTTPError, OSError) as error:
        return in_words(error)


def _is_of(binding: client.V1ClusterRoleBinding, account: str, namespace: str) -> bool:
    return any(
        (one.kind, one.name, one.namespace) == ("ServiceAccount", account, namespace)
        for one in binding.subjects or []
    )


def _await_rights(cluster: RunningCluster, account: str, namespace: str, *, allowed: bool) -> None:
    reviews = client.AuthorizationV1Api(cluster.api)
    review = {
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{account}",
            "resourceAttributes": {"verb": "list", "resource": "services"},
        }
    }

    def says() -> bool:
        with lab_errors(f"ask {cluster.name} about the rights of {account}"):
            answer = reviews.create_subject_access_review(review)
        return bool(answer.status.allowed) is allowed

    word = "rights" if allowed else "no rights"
    eventually(says, what=f"{word} of {account} in {cluster.name}", within=60)
