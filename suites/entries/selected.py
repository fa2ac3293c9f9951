"""Pods that a ServiceEntry alone selects, and what their own proxies know of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout, restart
from meshproof.kube.workload import find_workload
from meshproof.mesh.config_dump import inbound_ports
from meshproof.mesh.configuration import configured
from meshproof.process import side_by_side
from meshproof.traffic.settle import await_drained, converge
from meshproof.workloads.sample import NAMESPACE, PORT, Sample, sleep_objects

SELECTED = "selected"
"""The pods' label, and what their Deployment is called."""
_WITHIN = 15.0


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
def selected(sample: Sample, one: Object) -> Iterator[None]:
    """The entry is wherever configuration counts, and every cluster with workloads has a pod that
    no Service selects, which became ready in place of an earlier one; its proxy knows that it is an
    instance, or a while has passed, inside the block. Raises LabError when one will not run.

    The earlier pods are there since istiod tells all proxies of a namespace what they stand behind
    when an entry gets its first instance, or one of another account (``UpdateServiceEndpoints`` in
    its ``pilot/pkg/model/endpointshards.go``): only who comes after that must be told by itself.
    """
    shell = sample.mesh.shell
    clusters = [sample.mesh.cluster(name) for name in sample.clusters]
    try:
        with ExitStack() as stack:
            stack.enter_context(configured(sample.mesh, [one]))
            for cluster in clusters:
                stack.enter_context(applied(cluster, sleep_objects(name=SELECTED)))
            side_by_side(
                shell, lambda each: await_rollout(each, NAMESPACE, {SELECTED}, shell), clusters
            )
            converge(lambda: told(sample), what="the entry's first instance", within=_WITHIN)
            side_by_side(shell, lambda each: restart(each, NAMESPACE, SELECTED, shell), clusters)
            everybody = len(clusters)
            converge(lambda: len(told(sample)) == everybody, what="their ports", within=_WITHIN)
            yield
    finally:
        for name in sample.clusters:
            sample.callers.pop((name, f"{NAMESPACE}/{SELECTED}"), None)
        await_drained(sample)


def told(sample: Sample) -> list[str]:
    """The clusters whose pod's proxy takes calls at the entry's port as the entry says."""
    return [
        name
        for name in sample.clusters
        if PORT in inbound_ports(find_workload(sample.mesh.cluster(name), SELECTED, NAMESPACE))
    ]
