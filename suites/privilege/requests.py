"""What is tried as the account of a remote secret.

What writes is sent as a dry run: the API server authorizes it like any other, and where a way is
open that should not be, nothing comes of it.
"""

from __future__ import annotations

from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object
from meshproof.kube.workload import Workload
from meshproof.mesh.account import Request, Right
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.trust import SECRET
from meshproof.model import Role
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP

_DRY = "?dryRun=All"
_CORE = "/api/v1"
_HERE = f"{_CORE}/namespaces/{NAMESPACE}"
_APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_REVIEWS = "/apis/authentication.k8s.io/v1"
_ACCESS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_LABELLED: Object = {"metadata": {"labels": {"meshproof.io/tried": "yes"}}}


def needed(role: Role) -> list[Request]:
    """What another cluster's istiod does in a cluster of this role: it reads and reviews, and in
    a remote it writes as well."""
    access = {"verb": "get", "resource": "pods", "namespace": NAMESPACE}
    return [
        *(_list(resource) for resource in ("services", "pods", "nodes", "namespaces")),
        *(_list(resource, within=SYSTEM) for resource in ("secrets", "configmaps")),
        _list("endpointslices", "discovery.k8s.io"),
        _list("replicasets", "apps"),
        _list("customresourcedefinitions", "apiextensions.k8s.io"),
        Request(
            Right("create", "tokenreviews", "authentication.k8s.io"),
            "POST",
            f"{_REVIEWS}/tokenreviews",
            {"spec": {"token": "none of anybody's"}},
        ),
        Request(
            Right("create", "subjectaccessreviews", "authorization.k8s.io"),
            "POST",
            _ACCESS,
            {"spec": {"user": "nobody", "resourceAttributes": access}},
        ),
        *(_of_a_remote() if role is Role.REMOTE else ()),
    ]


def _of_a_remote() -> list[Request]:
    """What istiod writes in a remote: ConfigMaps and webhooks."""
    return [
        _create(Right("create", "configmaps"), f"{_HERE}/configmaps", _named("tried")),
        Request(
            Right("patch", "mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
            "PATCH",
            f"{_HOOKS}/istio-sidecar-injector{_DRY}",
            _LABELLED,
        ),
    ]


def not_granted(cluster: RunningCluster, role: Role, victim: Workload) -> list[Request]:
    """What nobody may do with a remote secret. ``victim``: a pod of the cluster."""
    secrets = f"{_CORE}/namespaces/{SYSTEM}/secrets"
    node = f"{_CORE}/nodes/{cluster.control_plane.container}/proxy/pods"
    pod = f"{_HERE}/pods/{victim.name}"
    mighty = {"kind": "ClusterRole", "name": "cluster-admin", "apiGroup": _RBAC.split("/")[2]}
    binding = {**_named("tried"), "roleRef": mighty}
    deployments = Right("create", "deployments", "apps")
    patched = Right("patch", "deployments", "apps")
    bindings = Right("create", "clusterrolebindings", "rbac.authorization.k8s.io")
    tokens = Right("create", "serviceaccounts/token")
    return [
        # A cluster that runs istiod itself needs nobody else to write there.
        *(() if role is Role.REMOTE else _of_a_remote()),
        _create(deployments, _APPS, _deployment()),
        Request(patched, "PATCH", f"{_APPS}/{SLEEP}{_DRY}", _LABELLED),
        _create(Right("create", "pods"), f"{_HERE}/pods", {**_named("tried"), "spec": _SPEC}),
        Request(Right("delete", "pods"), "DELETE", f"{pod}{_DRY}"),
        Request(Right("create", "pods/exec"), "POST", f"{pod}/exec?command=true&stdout=true"),
        _create(Right("create", "secrets"), secrets, _named("tried")),
        Request(Right("patch", "secrets"), "PATCH", f"{secrets}/{SECRET}{_DRY}", _LABELLED),
        Request(Right("patch", "services"), "PATCH", f"{_HERE}/services/{HELLOWORLD}{_DRY}", {}),
        _create(bindings, f"{_RBAC}/clusterrolebindings", binding),
        *(
            _create(tokens, f"{_CORE}/namespaces/{namespace}/serviceaccounts/default/token", {})
            for namespace in (SYSTEM, NAMESPACE)
        ),
        Request(Right("get", "nodes/proxy"), "GET", node),
        Request(
            Right("impersonate", "users"),
            "GET",
            f"{_HERE}/pods",
            headers={"Impersonate-User": "kubernetes-admin"},
        ),
    ]


def _list(resource: str, group: str = "", within: str = "") -> Request:
    root = f"/apis/{group}/v1" if group else _CORE
    place = f"/namespaces/{within}" if within else ""
    path = f"{root}{place}/{resource}?limit=1"
    return Request(Right("list", resource, group), "GET", path)


def _create(right: Right, path: str, body: Object) -> Request:
    return Request(right, "POST", f"{path}{_DRY}", body)


def _named(name: str) -> Object:
    return {"metadata": {"name": name}}


_SPEC: Object = {"containers": [{"name": "tried", "image": "tried"}]}


def _deployment() -> Object:
    labels = {"app": "tried"}
    template = {"metadata": {"labels": labels}, "spec": _SPEC}
    return {**_named("tried"), "spec": {"selector": {"matchLabels": labels}, "template": template}}
