"""Which steps of a federation take an administrator, tried by an account that is none: it may
write Istio's configuration in the namespace of the services, as a team may in its own.

What is tried is sent as a dry run: the API server authorizes and admits it, and does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from meshproof.expect import Verdict, all_of
from meshproof.expect.rights import allowed, forbidden
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied
from meshproof.mesh.account import Account, Request, Right, account_of
from meshproof.mesh.exposure import exposure_objects
from meshproof.mesh.manifests import SYSTEM, federation_gateway
from meshproof.workloads.sample import NAMESPACE, SERVED, Sample

_NAME = "team"
_GROUP = "networking.istio.io"
_RBAC = "rbac.authorization.k8s.io"
_DRY = "?dryRun=All"
_OF_A_TEAM = ["serviceentries", "destinationrules", "virtualservices", "workloadentries"]
_PLURAL = {"ServiceEntry": "serviceentries", "DestinationRule": "destinationrules"}
_LABELLED: Object = {"metadata": {"labels": {"meshproof.io/tried": "yes"}}}
ADMINISTRATOR: Object = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"}


@contextmanager
def team(cluster: RunningCluster) -> Iterator[Account]:
    """An account that may write a team's configuration in the services' namespace, and nothing
    else. Raises LabError."""
    metadata = {"name": _NAME, "namespace": NAMESPACE}
    role: Object = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": [
            {
                "apiGroups": [_GROUP],
                "resources": _OF_A_TEAM,
                "verbs": ["get", "list", "create", "patch", "update", "delete"],
            }
        ],
    }
    own = {"apiGroup": _RBAC, "kind": "Role", "name": _NAME}
    account: Object = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    with applied(cluster, [account, role, binding("RoleBinding", own)]):
        yield account_of(cluster, NAMESPACE, _NAME)


def binding(kind: str, role: Object) -> Object:
    """What gives the account a role."""
    where = {"namespace": NAMESPACE} if kind == "RoleBinding" else {}
    subject = {"kind": "ServiceAccount", "name": _NAME, "namespace": NAMESPACE}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": {"name": f"meshproof-{_NAME}", **where},
        "roleRef": role,
        "subjects": [subject],
    }


def steps_of_a_team(sample: Sample, cluster: str) -> list[Request]:
    """What consumers and providers write in the namespace of the services."""
    where = sample.topology.configured_by(cluster)
    objects = exposure_objects(sample.mesh, where, [SERVED])
    return [_created(_PLURAL[one["kind"]], NAMESPACE, one) for one in objects]


def steps_of_an_administrator(hosts: Sequence[str]) -> list[Request]:
    """What the mesh's and the cluster's administrators do. ``hosts``: global names."""
    gateway = federation_gateway([15443], hosts)
    return [
        _created("gateways", SYSTEM, gateway),
        _patched("configmaps", SYSTEM, "istio"),  # trust domains and roots that are taken
        _patched("configmaps", "kube-system", "coredns"),  # the zone, where DNS is to forward it
        _patched("deployments", NAMESPACE, "sleep", "apps/v1"),  # the suffix, in a pod's own part
    ]


def takes_an_administrator_or_not(
    account: Account, team_steps: Sequence[Request], others: Sequence[Request]
) -> Verdict:
    """An account that is no administrator's is granted a team's steps, and refused the others."""
    granted = allowed([(one, account.send(one)) for one in team_steps])
    refused = forbidden(account.user, [(one, account.send(one)) for one in others])
    return all_of([granted, refused])


def _created(plural: str, namespace: str, one: Object) -> Request:
    path = f"/apis/{one['apiVersion']}/namespaces/{namespace}/{plural}{_DRY}"
    body = {**one, "metadata": {"name": "tried", "namespace": namespace}}
    return Request(Right("create", plural, _GROUP), "POST", path, body)


def _patched(plural: str, namespace: str, name: str, version: str = "") -> Request:
    group = version.partition("/")[0]
    root = f"/apis/{version}" if version else "/api/v1"
    path = f"{root}/namespaces/{namespace}/{plural}/{name}{_DRY}"
    return Request(Right("patch", plural, group), "PATCH", path, _LABELLED)
