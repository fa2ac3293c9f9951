"""The account that a remote secret carries: what it may do in its cluster, asked and tried.

Its token stays in the client: it is in no value here that could be printed or recorded.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import yaml

from meshproof.errors import EvidenceError, MeshproofError
from meshproof.kube import RunningCluster, client
from meshproof.kube.seam import lab_errors, status_message
from meshproof.mesh.manifests import SYSTEM

_JSON = "application/json"
_PATCH = "application/merge-patch+json"
_REVIEW_OF_SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_LABEL = "istio/multiCluster=true"
_REVIEW_OF_RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


class UnusableSecretError(MeshproofError):
    """A remote secret with which an istiod reads nothing, or reads a cluster under a name that is
    not its own: a finding about the mesh, for those who judge it."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource: ``resource`` as in a role ("pods/exec"), ``group`` "" for the
    core; ``name``: the one object it is for, "" for all. A path of the API server's own, such as
    "/healthz", is a resource too. Each part may be "*"."""

    verb: str
    resource: str
    group: str = ""
    name: str = ""

    def covers(self, other: Right) -> bool:
        """Whether who has this right has the other as well."""
        if self.resource.startswith("/") or other.resource.startswith("/"):
            return _matches(self.verb, other.verb) and _leads_to(self.resource, other.resource)
        _, _, part = other.resource.partition("/")
        resources = {"*", other.resource} | ({f"*/{part}"} if part else set())
        return (
            _matches(self.verb, other.verb)
            and _matches(self.group, other.group)
            and self.resource in resources
            and self.name in ("", other.name)
        )

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group}{f' called {self.name}' if self.name else ''}"


@dataclass(frozen=True, slots=True)
class Request:
    """What is tried, and the right that it takes.

    ``headers`` and ``body`` go with it; bodies are JSON, those of a PATCH merge patches.
    """

    right: Right
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request: the HTTP status, and what was said if it was a refusal.

    Of a success nothing is kept: it may be a secret. ``found``: how many objects a list had.
    """

    status: int
    said: str = ""
    found: int = 0


@dataclass(frozen=True)
class Account:
    """An account in ``cluster``, whose token ``holder`` has in a remote secret.

    ``user``: who the cluster's API server says it is.
    """

    holder: str
    cluster: RunningCluster
    user: str
    _api: client.ApiClient = field(repr=False)

    def rights(self, namespace: str) -> frozenset[Right]:
        """All that it may do in a namespace, cluster-wide rights included.

        Raises EvidenceError when the API server does not know all of them, LabError when it
        does not answer.
        """
        body = {"spec": {"namespace": namespace}}
        status = _reviewed(self._api, _REVIEW_OF_RULES, body, self.user)["status"]
        if status.get("incomplete"):
            raise EvidenceError(f"{self.cluster.name} does not tell all rights of {self.user}")
        resources = rights_of(status.get("resourceRules") or [])
        return resources | rights_of(status.get("nonResourceRules") or [])

    def send(self, request: Request) -> Reply:
        """Make a request as this account; a refusal is a value. Raises LabError."""
        with lab_errors(f"{request.right} in {self.cluster.name} as {self.user}"):
            status, said = _send(self._api, request)
        if not 200 <= status < 300:
            return Reply(status, said[:400])
        items = json.loads(said).get("items") if said.startswith("{") else None
        return Reply(status, found=len(items or ()))


def remote_secret_name(cluster: str) -> str:
    """What `istioctl create-remote-secret` calls the secret of a cluster."""
    return f"istio-remote-secret-{cluster}"


def remote_account(holder: RunningCluster, cluster: RunningCluster) -> Account:
    """The account of ``cluster`` in the remote secret that lies in ``holder``.

    It is asked at the address that this machine has for ``cluster``: the one in the secret is
    for the holder's nodes. Raises UnusableSecretError when no secret there opens the cluster's API
    server under the name that its proxies have for it, LabError when an API server does not
    answer.
    """
    kubeconfig = _kubeconfig_of(cluster.name, _remote_secrets(holder), holder.name)
    whose = f"{holder.name}'s secret of {cluster.name}"
    try:
        token = yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]
    except (yaml.YAMLError, LookupError, TypeError):
        raise UnusableSecretError(f"{whose} is no kubeconfig with a token") from None
    return _with_token(holder.name, cluster, token, whose)


def account_of(cluster: RunningCluster, namespace: str, name: str) -> Account:
    """A service account of a cluster, by a token that is made for it now. Raises LabError."""
    with lab_errors(f"ask for a token of {namespace}/{name} in {cluster.name}"):
        asked = client.AuthenticationV1TokenRequest(
            spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=600)
        )
        made = cluster.core.create_namespaced_service_account_token(name, namespace, asked)
    whose = f"the account {namespace}/{name} of {cluster.name}"
    return _with_token(cluster.name, cluster, made.status.token, whose)


def _with_token(holder: str, cluster: RunningCluster, token: str, whose: str) -> Account:
    own = cluster.api.configuration
    configuration = client.Configuration()
    configuration.host, configuration.ssl_ca_cert = own.host, own.ssl_ca_cert
    configuration.proxy = None
    configuration.api_key = {"BearerToken": f"Bearer {token}"}
    api = client.ApiClient(configuration)
    user = _reviewed(api, _REVIEW_OF_SELF, {}, whose)["status"]["userInfo"]["username"]
    return Account(holder, cluster, user, api)


def _remote_secrets(holder: RunningCluster) -> dict[str, dict[str, str]]:
    """What istiod in ``holder`` takes for remote secrets: by their names, each with kubeconfigs
    (in Base64) by the names of clusters."""
    with lab_errors(f"list the remote secrets in {holder.name}"):
        found = holder.core.list_namespaced_secret(SYSTEM, label_selector=_LABEL).items
        return {one.metadata.name: one.data or {} for one in found}


def _kubeconfig_of(cluster: str, secrets: Mapping[str, Mapping[str, str]], holder: str) -> bytes:
    """The kubeconfig of a cluster, which istiod knows by the key that it lies under: endpoints
    bear that name, and proxies the one that they were given at their installation."""
    for data in secrets.values():
        if cluster in data:
            return base64.b64decode(data[cluster])
    named = secrets.get(remote_secret_name(cluster))
    if named is None:
        others = ", ".join(sorted(secrets)) or "none"
        raise UnusableSecretError(
            f"{holder} has no remote secret of {cluster}; those that it has: {others}"
        )
    names = ", ".join(sorted(named)) or "nothing"
    raise UnusableSecretError(
        f"{holder}'s secret of {cluster} calls it {names}, and its own proxies call it {cluster}"
    )


def rights_of(rules: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
    """The rights that rules give, which are as in a ClusterRole."""
    found = set[Right]()
    for rule in rules:
        for verb in rule["verbs"]:
            paths = rule.get("nonResourceURLs") or ()
            found |= {Right(verb, "/*" if path == "*" else path) for path in paths}
            found |= {
                Right(verb, resource, group, name)
                for group in rule.get("apiGroups") or ()
                for resource in rule.get("resources") or ()
                for name in rule.get("resourceNames") or ("",)
            }
    return frozenset(found)


def _reviewed(api: client.ApiClient, path: str, body: dict[str, Any], who: str) -> Any:
    with lab_errors(f"ask an API server about {who}"):
        status, said = _send(api, Request(Right("create", path), "POST", path, body))
        if status == HTTPStatus.UNAUTHORIZED:
            raise UnusableSecretError(
                f"the API server that {who} is for does not know its token: {status} "
                f"{status_message(said)}"
            )
        if status != HTTPStatus.CREATED:
            raise OSError(f"{path} was answered with {status}: {said[:300]}")
    return json.loads(said)


def _send(api: client.ApiClient, request: Request) -> tuple[int, str]:
    content = _PATCH if request.method == "PATCH" else _JSON
    headers = {"Accept": _JSON, "Content-Type": content, **request.headers}
    auth = ["BearerToken"]
    body = None if request.body is None else dict(request.body)
    call = api.param_serialize(
        request.method, request.path, None, None, headers, body, auth_settings=auth
    )
    answer = api.call_api(*call, _request_timeout=20)  # which raises for no status
    return answer.status, answer.read().decode(errors="replace")


def _matches(pattern: str, value: str) -> bool:
    return pattern in ("*", value)


def _leads_to(pattern: str, path: str) -> bool:
    """A path's pattern may end with "*"; one that is no path is a resource's name."""
    if not pattern.startswith("/"):
        return False
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else pattern == path
