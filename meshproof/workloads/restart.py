"""Restarts workloads, so that they get the sidecars that are injected now; and puts another Istio
on machines, which nobody injects."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.errors import LabError
from meshproof.kube.rollout import await_end_of, await_rollout, pods_of, restart, scale
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload, list_workloads
from meshproof.mesh.machines import renew
from meshproof.model import Version
from meshproof.process import side_by_side
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample, joining_of

# Of two pods of a Deployment that one is deleted first that costs less
# (https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost).
_COST = "controller.kubernetes.io/pod-deletion-cost"


def restart_helloworld(sample: Sample, cluster: str) -> None:
    """Restart all versions of helloworld in a cluster, as `kubectl rollout restart` does. Raises
    LabError."""
    running, shell = sample.mesh.cluster(cluster), sample.mesh.shell
    names = [f"{HELLOWORLD}-{version}" for version in sample.versions_in(cluster)]
    side_by_side(shell, lambda name: restart(running, NAMESPACE, name, shell), names)


def another_sleep(sample: Sample, cluster: str, meanwhile: Callable[[PodWorkload], None]) -> None:
    """Have another pod of sleep in a cluster in place of the one that calls are made from.

    ``meanwhile``: is given the new one while the old one is still there. Raises LabError.
    """
    running, old = sample.mesh.cluster(cluster), sample.caller(cluster)
    scale(running, NAMESPACE, {SLEEP: 2})
    await_rollout(running, NAMESPACE, {SLEEP}, sample.mesh.shell)
    others = pods_of(running, NAMESPACE, SLEEP) - {old.name}
    new = next((one for one in _sleeps(sample, cluster) if one.name in others), None)
    if new is None:
        raise LabError(f"no second pod of {SLEEP} came up in {cluster}")
    with lab_errors(f"let {old} go first"):
        # Long before anybody chooses, so that whoever does knows it.
        patch = {"metadata": {"annotations": {_COST: "-1"}}}
        running.core.patch_namespaced_pod(old.name, NAMESPACE, patch)
    meanwhile(new)
    sample.replace_caller(new)
    scale(running, NAMESPACE, {SLEEP: 1})
    await_rollout(running, NAMESPACE, {SLEEP}, sample.mesh.shell)
    await_end_of(running, NAMESPACE, SLEEP, {old.name})
    if new.name not in pods_of(running, NAMESPACE, SLEEP):
        raise LabError(f"{new} went in place of {old.name}, which still has its old sidecar")


def renew_machines(sample: Sample, cluster: str, version: Version, revision: str = "") -> None:
    """Put Istio's package of a version on the machines that a cluster serves, one after the other.
    ``revision``: as for ``mesh.machines.renew``. Raises LabError."""
    for one in sample.topology.machines:
        if one.primary == cluster:
            renew(sample.mesh, one, joining_of(one), version, revision)


def _sleeps(sample: Sample, cluster: str) -> list[PodWorkload]:
    return list_workloads(sample.mesh.cluster(cluster), SLEEP, NAMESPACE)
