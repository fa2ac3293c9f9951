"""Sleeps whose sidecars answer names: with Istio's DNS proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import applied
from meshproof.kube.rollout import await_rollout
from meshproof.process import side_by_side
from meshproof.workloads.sample import NAMESPACE, Sample, sleep_objects

DNS_SLEEP = "sleep-dns"
"""What such a sleep is called."""
ANSWERING = {
    "proxy.istio.io/config": json.dumps({"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}})
}
"""The annotation by which a pod's sidecar answers names."""


@contextmanager
def dns_sleeps(sample: Sample) -> Iterator[None]:
    """Each cluster with workloads has such a sleep inside the block, which is ready. Which names
    it knows is to be waited for. Raises LabError when one will not run."""
    objects = sleep_objects(name=DNS_SLEEP, annotations=ANSWERING)
    clusters = [sample.mesh.cluster(name) for name in sample.clusters]

    def ready(cluster: RunningCluster) -> None:
        await_rollout(cluster, NAMESPACE, {DNS_SLEEP}, sample.mesh.shell)

    with ExitStack() as stack:
        for cluster in clusters:
            stack.enter_context(applied(cluster, objects))
        side_by_side(sample.mesh.shell, ready, clusters)
        try:
            yield
        finally:
            for cluster in clusters:
                sample.callers.pop((cluster.name, f"{NAMESPACE}/{DNS_SLEEP}"), None)
