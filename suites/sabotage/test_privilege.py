"""A remote secret's account that may do more, or less, than it should is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from meshproof.expect import Outcome, Verdict, noticed
from meshproof.faults.discovery import READER, known_as, revoked
from meshproof.kube import RunningCluster, client
from meshproof.kube.objects import Object, applied
from meshproof.kube.seam import lab_errors
from meshproof.mesh.account import Right, UnusableSecretError, remote_account
from meshproof.mesh.istiod import clusters_known
from meshproof.mesh.manifests import SYSTEM
from meshproof.runner.behaviours import proves
from meshproof.traffic.renewal import renew_connections
from meshproof.traffic.settle import converge, healed, require
from meshproof.workloads.sample import NAMESPACE, Sample
from suites.privilege.claims import (
    can_do_what_is_needed,
    has_exactly_the_rights_listed,
    is_refused_the_rest,
    readers,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.remote_secrets


_READER = {"kind": "ServiceAccount", "name": READER, "namespace": SYSTEM}
_ROLE = f"istio-reader-clusterrole-{SYSTEM}"
_GROUP = "rbac.authorization.k8s.io"
_NAME = "meshproof-sabotage"


@proves("privilege/exactly-the-rights-listed", "privilege/refused-everything-else")
@pytest.mark.parametrize(
    "right",
    [
        Right("create", "deployments", "apps"),
        Right("patch", "secrets"),
        Right("impersonate", "users"),
    ],
    ids=lambda right: f"{right.verb}-{right.resource}",
)
def test_a_wider_role_is_noticed(sample: Sample, right: Right, judge: Judge) -> None:
    """With a right more in the whole cluster, the claim of least privilege fails and names it."""
    judge(_noticed_with(sample, right, namespace=""))


@proves("privilege/exactly-the-rights-listed", "privilege/refused-everything-else")
def test_a_role_in_one_namespace_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a right more in one namespace, the claim of least privilege fails and names it."""
    judge(_noticed_with(sample, Right("create", "pods/exec"), namespace=NAMESPACE))


@proves("privilege/exactly-the-rights-listed", "privilege/can-do-what-istiod-needs")
def test_a_narrower_role_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a right taken away, the claim that istiod can do what it needs fails and names it."""
    missing = Right("list", "endpointslices", "discovery.k8s.io")
    with _taken_away(sample, missing):
        verdicts = [has_exactly_the_rights_listed(sample), can_do_what_is_needed(sample)]
    judge(noticed(verdicts, str(missing)))


@proves("privilege/can-do-what-istiod-needs", "privilege/refused-everything-else")
def test_a_revoked_token_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a token that its API server does not know, claims of the account fail and say so."""
    remote, holder = _remote(sample), sample.mesh.cluster(readers(sample)[-1][1].name)

    def known() -> bool:
        with suppress(UnusableSecretError):
            return bool(remote_account(holder, remote))
        return False

    with revoked(remote):
        require(known, until=lambda yes: not yes, what="the end of the reader's token")
        verdicts = _claims(sample)
    if not converge(known, what="the reader's token again"):
        sample.mesh.mark_dirty("the reader's token was not restored")
    judge(noticed(verdicts, "does not know its token: 401"))


@proves("privilege/exactly-the-rights-listed", "privilege/can-do-what-istiod-needs")
def test_another_name_of_the_cluster_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a secret that calls the cluster otherwise than its proxies do, claims of the account
    fail and tell both names."""
    other = "elsewhere"
    remote, holder = _remote(sample), sample.mesh.cluster(readers(sample)[-1][1].name)

    def state() -> str | None:
        return clusters_known(sample.mesh, holder.name).get(other)

    try:
        with known_as(holder, remote, other):
            # An istiod that is to forget a cluster before it has begun to read it may hang for
            # good, and heeds no remote secret any more (pkg/kube/multicluster/secretcontroller.go:
            # what the cluster has started after that is never stopped, and waited for).
            require(state, until=lambda said: said == "synced", what=f"istiod that reads {other}")
            verdicts = _claims(sample)
    finally:
        healed(sample)
        renew_connections(sample)
    judge(noticed(verdicts, f"calls it {other}, and its own proxies call it {remote.name}"))


def _claims(sample: Sample) -> list[Verdict]:
    claims = (has_exactly_the_rights_listed, can_do_what_is_needed, is_refused_the_rest)
    return [claim(sample) for claim in claims]


def _noticed_with(sample: Sample, right: Right, namespace: str) -> Verdict:
    try:
        with applied(_remote(sample), _grant(right, namespace)):
            require(lambda: _has(sample, right), what=f"the right to {right}")
            verdicts = [has_exactly_the_rights_listed(sample), is_refused_the_rest(sample)]
    finally:
        _heal(sample, right)
    return noticed(verdicts, str(right))


@contextmanager
def _taken_away(sample: Sample, right: Right) -> Iterator[None]:
    """The reader's role lacks its rules for a resource inside the block."""
    rbac = client.RbacAuthorizationV1Api(_remote(sample).api)
    with lab_errors(f"read {_ROLE}"):
        rules = rbac.read_cluster_role(_ROLE).rules
        kept = [rule for rule in rules if right.resource not in (rule.resources or [])]
    try:
        with lab_errors(f"narrow {_ROLE}"):
            rbac.patch_cluster_role(_ROLE, {"rules": kept})
        what = f"the end of the right to {right}"
        require(lambda: _has(sample, right), until=lambda yes: not yes, what=what)
        yield
    finally:
        with lab_errors(f"restore {_ROLE}"):
            rbac.patch_cluster_role(_ROLE, {"rules": rules})
        _heal(sample, right)


def _grant(right: Right, namespace: str) -> list[Object]:
    """A role with one right, bound to the reader; ``namespace`` "" for the whole cluster."""
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": _NAME} | ({"namespace": namespace} if namespace else {})
    rule = {"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]}
    head = {"apiVersion": f"{_GROUP}/v1", "metadata": metadata}
    bound = {"apiGroup": _GROUP, "kind": kind, "name": _NAME}
    return [
        {**head, "kind": kind, "rules": [rule]},
        {**head, "kind": f"{kind}Binding", "roleRef": bound, "subjects": [_READER]},
    ]


def _remote(sample: Sample) -> RunningCluster:
    """A cluster that another's istiod reads."""
    return sample.mesh.cluster(readers(sample)[-1][0].name)


def _has(sample: Sample, right: Right) -> bool:
    """Whether the API server grants a right: it learns of roles a moment after they change."""
    holder = readers(sample)[-1][1]
    account = remote_account(sample.mesh.cluster(holder.name), _remote(sample))
    return right in account.rights(NAMESPACE)


def _heal(sample: Sample, right: Right) -> None:
    """Wait until the reader's rights are its own again, or mark the mesh."""

    def exact() -> bool:
        return has_exactly_the_rights_listed(sample).outcome is Outcome.PASS

    if not converge(exact, what="the reader's own rights"):
        sample.mesh.mark_dirty(f"the reader's rights were not restored after '{right}'")
