"""Services that exist in one cluster only, and sleeps whose sidecars answer names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.objects import Object, applied, await_absence
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import Workload
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import (
    HELLOWORLD,
    HOST,
    NAMESPACE,
    Sample,
    helloworld_service,
    namespace_object,
    sleep_objects,
)

CONTROL = HOST
"""A name that exists in every cluster."""
NOWHERE = host_of("nowhere", NAMESPACE)
DNS_SLEEP = "sleep-dns"
"""The sleep whose sidecar answers names."""
_CAPTURE = {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}
_NOT_FOUND = 404


def remote_service(sample: Sample, caller: str) -> Object:
    """The Service that exists only where the version does that is remote from ``caller``, and
    selects nothing but that version."""
    version = sample.remote_version(caller)
    return helloworld_service(name=_name(version), version=version)


def name_of(service: Object) -> str:
    """A Service's full name."""
    metadata = service["metadata"]
    return host_of(metadata["name"], metadata["namespace"])


def remote_names(sample: Sample, caller: str) -> tuple[str, str]:
    """Names that a caller's cluster lacks: for want of the Service, and of the namespace."""
    there = sample.plan[sample.remote_version(caller)]
    return name_of(remote_service(sample, caller)), name_of(_namespaced_service(there))


def ask(sample: Sample, caller: Workload, name: str) -> NameAnswer:
    """What a pod is told when it asks its cluster's DNS for a name."""
    return ask_name(caller, name, dns_address(sample.mesh.cluster(caller.cluster)))


def await_name(sample: Sample, caller: str) -> None:
    """Wait until a cluster's DNS knows the Service that was remote."""
    what = f"{name_of(remote_service(sample, caller))} in {caller}"
    converge(lambda: told_of_remote(sample, caller).exists, what=what)


def await_no_name(sample: Sample, caller: str) -> None:
    """Wait until a cluster's DNS says of that Service's name that there is none."""
    what = f"the end of {name_of(remote_service(sample, caller))} in {caller}"
    converge(lambda: told_of_remote(sample, caller), until=is_none, what=what)


def told_of_remote(sample: Sample, caller: str) -> NameAnswer:
    """What a cluster's DNS says of the Service that only the other cluster has, or had."""
    return ask(sample, sample.caller(caller), name_of(remote_service(sample, caller)))


def is_none(answer: NameAnswer) -> bool:
    """Whether the answer is that there is no such name: silence says nothing."""
    return answer.code == "NXDOMAIN"


@contextmanager
def scattered_services(sample: Sample) -> Iterator[None]:
    """Each version's cluster has a Service for it that no other has, and a namespace with a
    Service likewise."""
    with ExitStack() as stack:
        for version, cluster in sample.plan.items():
            running = sample.mesh.cluster(cluster)
            await_absence(running, _only(cluster))
            namespace = namespace_object(_only(cluster), injected=False)
            own = helloworld_service(name=_name(version), version=version)
            services = [own, _namespaced_service(cluster)]
            stack.enter_context(applied(running, [namespace, *services]))
        clusters = list(sample.plan.values())
        side_by_side(sample.mesh.shell, lambda one: _await_elsewhere(sample, one), clusters)
        yield


def _await_elsewhere(sample: Sample, caller: str) -> None:
    """Wait until the names that a caller's cluster lacks are known to the DNS of the other."""
    there = sample.caller(sample.plan[sample.remote_version(caller)])
    for name in remote_names(sample, caller):
        answer = partial(ask, sample, there, name)
        converge(answer, until=_exists, what=f"{name} in {there.cluster}")


def _exists(answer: NameAnswer) -> bool:
    return answer.exists


@contextmanager
def dns_sleeps(sample: Sample) -> Iterator[None]:
    """Each version's cluster has a sleep whose sidecar answers names, and knows the remote one."""
    image = sample.mesh.bundle.images["sleep"]
    noted = {"proxy.istio.io/config": json.dumps(_CAPTURE)}
    objects = sleep_objects(image, name=DNS_SLEEP, annotations=noted)
    clusters = [sample.mesh.cluster(name) for name in sample.plan.values()]
    with ExitStack() as stack:
        for cluster in clusters:
            stack.enter_context(applied(cluster, objects))
        side_by_side(sample.mesh.shell, lambda one: _ready(sample, one), clusters)
        yield
    for cluster in clusters:
        sample.callers.pop((cluster.name, f"{NAMESPACE}/{DNS_SLEEP}"), None)


def _ready(sample: Sample, cluster: RunningCluster) -> None:
    await_rollout(cluster, NAMESPACE, {DNS_SLEEP}, sample.mesh.shell)
    caller = sample.caller(cluster.name, DNS_SLEEP)
    name = name_of(remote_service(sample, cluster.name))
    converge(lambda: ask(sample, caller, name).exists, what=f"{name} in {caller.name}")


def _only(cluster: str) -> str:
    return f"only-{cluster}"


def _name(version: str) -> str:
    return f"{HELLOWORLD}-{version}"


def _namespaced_service(cluster: str) -> Object:
    return helloworld_service(namespace=_only(cluster))
