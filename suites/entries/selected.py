"""Pods that a ServiceEntry alone selects, and what their own proxies know of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout, scale
from meshproof.kube.workload import list_workloads
from meshproof.mesh.config_dump import inbound_ports
from meshproof.mesh.configuration import configured
from meshproof.process import side_by_side
from meshproof.traffic.settle import await_drained, converge
from meshproof.workloads.sample import NAMESPACE, PORT, Sample, sleep_objects

SELECTED = "selected"
"""The pods' label, and what their Deployment is called."""
PODS = 4
"""In each cluster. Whether one is told may be a matter of chance, so that it takes several."""
_WITHIN = 30.0


def selecting(app: str = SELECTED) -> Object:
    """The ServiceEntry (https://istio.io/latest/docs/reference/config/networking/service-entry/).
    ``app``: the label of the pods that it selects."""
    spec = {
        "hosts": ["selected.entries.local"],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
        "workloadSelector": {"labels": {"app": app}},
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": SELECTED, "namespace": NAMESPACE},
        "spec": spec,
    }


@contextmanager
def selected(sample: Sample, one: Object, within: float = _WITHIN) -> Iterator[None]:
    """The entry is wherever configuration counts, and every cluster with workloads has a pod that
    no Service selects, and then three more; their proxies know that they are instances, or
    ``within`` seconds have passed, and for those of istiods' own clusters three times as many,
    inside the block. Raises LabError when one will not run.

    The first come by themselves, since istiod tells all proxies of a namespace what they stand
    behind when an entry gets its first instance, or one of another account
    (``UpdateServiceEndpoints`` in its ``pilot/pkg/model/endpointshards.go``): only those that come
    after that have to be told each by itself.
    """
    shell = sample.mesh.shell
    clusters = [sample.mesh.cluster(name) for name in sample.clusters]

    def running(cluster: RunningCluster) -> None:
        await_rollout(cluster, NAMESPACE, {SELECTED}, shell)

    try:
        with ExitStack() as stack:
            stack.enter_context(configured(sample.mesh, [one]))
            for cluster in clusters:
                stack.enter_context(applied(cluster, sleep_objects(name=SELECTED)))
            side_by_side(shell, running, clusters)
            converge(lambda: told(sample), what="the entry's first instance", within=within)
            for cluster in clusters:
                scale(cluster, NAMESPACE, {SELECTED: PODS})
            side_by_side(shell, running, clusters)
            everybody = set(sample.clusters)
            own = {one for one in everybody if sample.topology.configured_by(one) == one}
            converge(lambda: everybody <= set(told(sample)), what="their ports", within=within)
            # Of those none is known to be left out: on a busy machine they may come late.
            converge(lambda: own <= set(told(sample)), what="their ports", within=2 * within)
            yield
    finally:
        for name in sample.clusters:
            sample.callers.pop((name, f"{NAMESPACE}/{SELECTED}"), None)
        await_drained(sample)


def told(sample: Sample) -> list[str]:
    """The clusters all of whose pods' proxies take calls at the entry's port as the entry says."""
    return [name for name in sample.clusters if all(known_to(sample, name).values())]


def known_to(sample: Sample, cluster: str) -> dict[str, bool]:
    """The pods of a cluster, and whether each one's proxy takes calls at the entry's port as the
    entry says. Raises LabError when there are none, EvidenceError when a proxy does not answer."""
    pods = list_workloads(sample.mesh.cluster(cluster), SELECTED, NAMESPACE)
    if not pods:
        raise LabError(f"no pod of {SELECTED} runs in {cluster}")
    return {one.name: PORT in inbound_ports(one) for one in pods}
