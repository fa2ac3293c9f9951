"""What meshproof does in a cluster of one's own, as rights: asked of the API server before anything
is changed, so that what is missing is named. docs/own-clusters.md shows the same list."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.seam import lab_errors

_AT_ONCE = 5
_SHOWN = 8
_ALL = ("get", "list", "create", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Need:
    """Verbs on resources of a group ("" for the core), in all namespaces, and what they are for."""

    verbs: tuple[str, ...]
    group: str
    resources: tuple[str, ...]
    why: str

    def each(self) -> Iterator[Need]:
        """One verb on one resource at a time."""
        for resource in self.resources:
            for verb in self.verbs:
                yield Need((verb,), self.group, (resource,), self.why)

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{', '.join(self.verbs)} {', '.join(f'{one}{group}' for one in self.resources)}"


NEEDS: tuple[Need, ...] = (
    Need(_ALL, "", ("namespaces",), "namespaces of our own, one of which is the lock"),
    Need(("list",), "", ("nodes",), "where pods are, and how many nodes there are"),
    Need(("list",), "*", ("*",), "what there is before, and that nothing of ours is left"),
    Need(
        _ALL,
        "",
        ("configmaps", "pods", "secrets", "serviceaccounts", "services"),
        "Istio, workloads and remote secrets",
    ),
    Need(("create",), "", ("pods/exec", "pods/portforward"), "calls from pods; proxies are asked"),
    Need(("get",), "", ("pods/log",), "access logs, which verdicts rest on"),
    Need(("create",), "", ("serviceaccounts/token",), "remote secrets, and tokens that are judged"),
    Need(_ALL, "apps", ("daemonsets", "deployments", "statefulsets"), "istiod, workloads"),
    Need(("list",), "apps", ("replicasets",), "what becomes of a Deployment"),
    Need(_ALL, "policy", ("poddisruptionbudgets",), "Istio's"),
    Need(_ALL, "apiextensions.k8s.io", ("customresourcedefinitions",), "Istio's kinds"),
    Need(
        _ALL,
        "admissionregistration.k8s.io",
        ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
        "Istio's injection and validation",
    ),
    Need(
        _ALL,
        "rbac.authorization.k8s.io",
        ("clusterroles", "clusterrolebindings", "roles", "rolebindings"),
        "what istiod and remote secrets may do",
    ),
    Need(
        ("bind", "escalate"),
        "rbac.authorization.k8s.io",
        ("clusterroles",),
        "istiod's role may do what you may not",
    ),
    Need(
        _ALL,
        "networking.istio.io",
        ("destinationrules", "gateways", "serviceentries", "sidecars", "virtualservices"),
        "configuration that is judged",
    ),
    Need(_ALL, "security.istio.io", ("authorizationpolicies", "peerauthentications"), "the same"),
)
"""All of it. Who is cluster-admin may all of it."""


def missing_rights(api: client.ApiClient) -> list[Need]:
    """What of ``NEEDS`` the API server would refuse us, a verb and a resource each.

    By SelfSubjectAccessReview, which everybody may ask
    (https://kubernetes.io/docs/reference/access-authn-authz/authorization/). Raises ApiException.
    """
    asked = [single for need in NEEDS for single in need.each()]
    authorization = client.AuthorizationV1Api(api)

    def allowed(one: Need) -> bool:
        resource, _, part = one.resources[0].partition("/")
        attributes = {"verb": one.verbs[0], "group": one.group, "resource": resource}
        attributes |= {"subresource": part} if part else {}
        review = {"spec": {"resourceAttributes": attributes}}
        answer = authorization.create_self_subject_access_review(review)
        return bool(answer.status.allowed)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        verdicts = list(pool.map(allowed, asked))
    return [one for one, may in zip(asked, verdicts, strict=True) if not may]


def check_rights(name: str, api: client.ApiClient) -> None:
    """Raise LabError that names what we may not do in a cluster called so."""
    with lab_errors(f"ask what we may do in {name}"):
        missing = missing_rights(api)
    if missing:
        shown = "; ".join(f"{one} ({one.why})" for one in missing[:_SHOWN])
        more = f"; and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise LabError(
            f"in cluster {name} the user of this context may not: {shown}{more}",
            "let somebody give these rights, which docs/own-clusters.md lists",
        )
