"""A sink for traces: takes what proxies report in Zipkin's format, and keeps it to be read.

It answers and keeps, and understands nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from meshproof.artifacts.images import WORKLOAD
from meshproof.errors import EvidenceError
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import PodWorkload, find_workload
from meshproof.mesh.operator_config import TRACES_NAMESPACE, TRACES_PORT, TRACES_SERVICE
from meshproof.process import side_by_side
from meshproof.wait import eventually
from meshproof.workloads.sample import Sample


@dataclass(frozen=True)
class Span:
    """One proxy's part in a call. ``node``: the proxy's own id, such as
    "sidecar~10.10.0.7~sleep-5b8.sample~sample.svc.cluster.local" or "router~…"."""

    trace: str
    node: str
    tags: dict[str, str] = field(hash=False, compare=False)


@dataclass(frozen=True)
class TraceSinks:
    """One sink in each cluster with workloads."""

    sinks: tuple[PodWorkload, ...]

    def spans(self) -> list[Span]:
        """All that was reported so far, in whichever cluster."""
        texts = [sink.fetch(TRACES_PORT, "") for sink in self.sinks]
        lines = [line for text in texts for line in text.split("\n") if line.startswith("[")]
        return [_span(one) for line in lines for one in json.loads(line)]


@contextmanager
def trace_sinks(sample: Sample) -> Iterator[TraceSinks]:
    """Sinks that listen inside the block, where the mesh's tracing provider expects them.

    Raises LabError or WaitTimeoutError when they do not come up.
    """
    clusters = [sample.mesh.cluster(name) for name in sample.clusters]
    with ExitStack() as stack:
        for cluster in clusters:
            stack.enter_context(applied(cluster, _objects()))
        shell = sample.mesh.shell
        side_by_side(
            shell,
            lambda one: await_rollout(one, TRACES_NAMESPACE, {TRACES_SERVICE}, shell),
            clusters,
        )
        sinks = [find_workload(one, TRACES_SERVICE, TRACES_NAMESPACE) for one in clusters]
        for sink in sinks:
            eventually(partial(_listens, sink), what=f"a listener for traces in {sink}", within=30)
        yield TraceSinks(tuple(sinks))


def _listens(sink: PodWorkload) -> bool:
    try:
        sink.fetch(TRACES_PORT, "")
    except EvidenceError:
        return False
    return True


def _span(reported: dict[str, Any]) -> Span:
    tags = reported.get("tags", {})
    return Span(reported["traceId"], tags.get("node_id", ""), tags)


def _objects() -> list[Object]:
    labels = {"app": TRACES_SERVICE}
    metadata = {"name": TRACES_SERVICE, "namespace": TRACES_NAMESPACE}
    container: Object = {
        "name": TRACES_SERVICE,
        "image": WORKLOAD,
        "imagePullPolicy": "IfNotPresent",
    }
    container["command"] = ["probe", "sink", str(TRACES_PORT)]
    pod = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    service = {
        "selector": labels,
        "ports": [{"name": "http", "port": TRACES_PORT, "targetPort": TRACES_PORT}],
    }
    workload = {"selector": {"matchLabels": labels}, "template": template}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": workload},
    ]
