"""Flux as the reconciler of a host: sources are its OCIRepositories, assignments its Kustomizations
with a kubeconfig for the member and an account to act as
(https://fluxcd.io/flux/components/kustomize/kustomizations/#remote-clusters--cluster-api)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from meshproof.errors import LabError, WaitTimeoutError
from meshproof.host.reconciler import Assignment, Readiness, State
from meshproof.host.registry import TAG, repository_url
from meshproof.host.tenants import DEPLOYER
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object, apply, delete, read, title
from meshproof.kube.seam import lab_errors
from meshproof.wait import eventually

RETRY = "5s"
"""After how long what failed is tried again."""
_SOURCE = "source"
_REQUESTED = "reconcile.fluxcd.io/requestedAt"
_FETCHED_WITHIN = 60.0
_GONE_WITHIN = 60.0
_READINESS = {"True": Readiness.READY, "False": Readiness.FAILED}


@dataclass(frozen=True, slots=True)
class Pace:
    """``interval``: how often members are looked at unasked: seldom, so that what a test sees is
    what it asked for; ``timeout``: how long one try may take."""

    interval: str = "10m"
    timeout: str = "20s"


PACE = Pace()


class Flux:
    """Flux in a cluster, whose controllers run there."""

    def __init__(self, host: RunningCluster, pace: Pace = PACE) -> None:
        self._host, self._pace = host, pace

    def follow(self, tenant: str) -> None:
        """As ``Reconciler.follow``."""
        apply(self._host, [source_object(tenant)])

    def forget(self, tenant: str) -> None:
        """As ``Reconciler.forget``."""
        self._end(source_object(tenant), f"the end of {tenant}'s source")

    def fetch(self, tenant: str, revision: str) -> None:
        """As ``Reconciler.fetch``."""
        source = source_object(tenant)
        self._annotate(source)
        look = lambda: _source_state(read(self._host, source))  # noqa: E731
        what = f"{revision} of {tenant}'s source in {self._host.name}"
        try:
            eventually(
                look,
                until=lambda seen: seen[0] == revision,
                what=what,
                within=_FETCHED_WITHIN,
            )
        except WaitTimeoutError as error:
            raise LabError(error.cause) from error

    def assign(self, one: Assignment) -> None:
        """As ``Reconciler.assign``."""
        apply(self._host, [assignment_object(one, self._pace)])

    def withdraw(self, one: Assignment) -> None:
        """As ``Reconciler.withdraw``."""
        self._end(assignment_object(one), f"the end of {one}")

    def release(self, one: Assignment) -> None:
        """As ``Reconciler.release``. What is suspended is not undone when it is deleted
        (``finalizerShouldDeleteResources`` of kustomize-controller); where no controller runs,
        nobody else takes the finalizer off."""
        wanted = assignment_object(one, self._pace)
        if read(self._host, wanted) is None:
            return
        apply(self._host, [{**wanted, "spec": {**wanted["spec"], "suspend": True}}])
        delete(self._host, [wanted])
        if read(self._host, wanted) is not None:
            with suppress(LabError):  # it went meanwhile
                self._patch(wanted, {"finalizers": None})

    def request(self, one: Assignment) -> str:
        """As ``Reconciler.request``."""
        return self._annotate(assignment_object(one))

    def state(self, one: Assignment) -> State:
        """As ``Reconciler.state``."""
        found = read(self._host, assignment_object(one))
        if found is None:
            raise LabError(f"{self._host.name} knows of no assignment {one}")
        return state_of(found)

    def _annotate(self, one: Object) -> str:
        """Ask for an object to be seen to now; gives the token of the request."""
        token = secrets.token_hex(8)
        self._patch(one, {"annotations": {_REQUESTED: token}})
        return token

    def _patch(self, one: Object, metadata: Object) -> None:
        own = one["metadata"]
        with lab_errors(f"change {title(one)} in {self._host.name}"):
            kind = self._host.dynamic.resources.get(api_version=one["apiVersion"], kind=one["kind"])
            kind.patch(
                name=own["name"],
                namespace=own["namespace"],
                body={"metadata": metadata},
                content_type="application/merge-patch+json",
            )

    def _end(self, wanted: Object, what: str) -> None:
        """Delete an object, and wait until its controller has let it go."""
        delete(self._host, [wanted])
        try:
            eventually(
                lambda: read(self._host, wanted),
                until=lambda left: left is None,
                what=what,
                within=_GONE_WITHIN,
            )
        except WaitTimeoutError as error:
            raise LabError(error.cause) from error


def source_object(tenant: str) -> Object:
    """A tenant's source: what lies in the registry under its name."""
    spec = {
        "interval": PACE.interval,
        "timeout": PACE.timeout,
        "url": repository_url(tenant),
        "ref": {"tag": TAG},
        "insecure": True,
    }
    metadata = {"name": _SOURCE, "namespace": tenant}
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": metadata,
        "spec": spec,
    }


def assignment_object(one: Assignment, pace: Pace = PACE) -> Object:
    """An assignment: a folder of its tenant's source, the credential for the member, and the
    account. What leaves the source is pruned."""
    spec = {
        "interval": f"{one.every}s" if one.every else pace.interval,
        "retryInterval": RETRY,
        "timeout": pace.timeout,
        "path": f"./{one.folder}",
        "prune": True,
        "wait": False,
        "sourceRef": {"kind": "OCIRepository", "name": _SOURCE},
        "serviceAccountName": one.account or DEPLOYER,
        "kubeConfig": {"secretRef": {"name": one.member}},
    }
    metadata = {"name": one.called, "namespace": one.tenant}
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": metadata,
        "spec": spec,
    }


def state_of(found: Object) -> State:
    """What the status of a Kustomization says."""
    status = found.get("status") or {}
    ready = _condition(status, "Ready")
    entries = (status.get("inventory") or {}).get("entries") or []
    current = status.get("observedGeneration") == found["metadata"].get("generation")
    said = str(ready.get("status", "")) if current or ready.get("status") == "False" else ""
    return State(
        _READINESS.get(said, Readiness.WORKING),
        str(ready.get("reason", "")),
        str(ready.get("message", "")),
        str(status.get("lastAppliedRevision", "")),
        str(status.get("lastAttemptedRevision", "")),
        str(status.get("lastHandledReconcileAt", "")),
        frozenset(held(str(one["id"])) for one in entries),
    )


def held(identity: str) -> str:
    """An entry of an inventory, "<namespace>_<name>_<group>_<kind>", as "kind namespace/name". A
    name that has a colon, as roles may, is written with two underscores there."""
    namespace, _, rest = identity.partition("_")
    name, _, kind = rest.rsplit("_", 2)
    where = f"{namespace}/" if namespace else ""
    return f"{kind} {where}{name.replace('__', ':')}"


def _source_state(found: Object | None) -> tuple[str, str]:
    """The revision of a source that has been fetched, and what was said of it."""
    status: Mapping[str, Any] = (found or {}).get("status") or {}
    ready = _condition(status, "Ready")
    return str((status.get("artifact") or {}).get("revision", "")), str(ready.get("message", ""))


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    conditions = status.get("conditions") or []
    return next((one for one in conditions if one.get("type") == kind), {})
