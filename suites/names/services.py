"""Services that exist in one cluster only, and sleeps whose sidecars answer names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.objects import Object, applied, await_absence
from meshproof.kube.workload import Workload
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.settle import arrive
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.sample import (
    HELLOWORLD,
    HOST,
    NAMESPACE,
    Sample,
    helloworld_service,
    namespace_object,
)

CONTROL = HOST
"""A name that exists in every cluster."""
NOWHERE = host_of("nowhere", NAMESPACE)


def own_service(version: str) -> Object:
    """The Service that exists only where a version does, and selects nothing but it."""
    return helloworld_service(name=f"{HELLOWORLD}-{version}", version=version)


def name_of(service: Object) -> str:
    """A Service's full name."""
    metadata = service["metadata"]
    return host_of(metadata["name"], metadata["namespace"])


def own_names(sample: Sample, version: str) -> tuple[str, str]:
    """Names that only a version's cluster knows: others lack the Service, or the namespace."""
    home = sample.versions[version]
    return name_of(own_service(version)), name_of(_namespaced_service(home))


def ask(sample: Sample, caller: Workload, name: str) -> NameAnswer:
    """What a pod is told when it asks its cluster's DNS for a name."""
    return ask_name(caller, name, dns_address(sample.mesh.cluster(caller.cluster)))


def await_name(sample: Sample, caller: str, version: str) -> None:
    """Wait until a cluster's DNS knows a version's own Service."""
    what = f"{name_of(own_service(version))} in {caller}"
    arrive(sample.mesh, lambda: told_of(sample, caller, version).exists, what=what)


def await_no_name(sample: Sample, caller: str, version: str) -> None:
    """Wait until a cluster's DNS says of that Service's name that there is none."""
    what = f"the end of {name_of(own_service(version))} in {caller}"
    arrive(sample.mesh, lambda: told_of(sample, caller, version), until=is_none, what=what)


def told_of(sample: Sample, caller: str, version: str) -> NameAnswer:
    """What a cluster's DNS says of a version's own Service."""
    return ask(sample, sample.caller(caller), name_of(own_service(version)))


def is_none(answer: NameAnswer) -> bool:
    """Whether the answer is that there is no such name: silence says nothing."""
    return answer.code == "NXDOMAIN"


@contextmanager
def scattered_services(sample: Sample) -> Iterator[None]:
    """Each version's cluster has a Service for it that no other has, and a namespace with a
    Service likewise."""
    with ExitStack() as stack:
        for cluster in sample.homes:
            running = sample.mesh.cluster(cluster)
            await_absence(running, _only(cluster))
            namespace = namespace_object(_only(cluster), injected=False)
            services = [own_service(one) for one in sample.versions_in(cluster)]
            objects = [namespace, _namespaced_service(cluster), *services]
            stack.enter_context(applied(running, objects))
        side_by_side(sample.mesh.shell, lambda one: _await_at_home(sample, one), sample.versions)
        yield


def _await_at_home(sample: Sample, version: str) -> None:
    """Wait until the names that only a version's cluster has are known to its DNS."""
    there = sample.caller(sample.versions[version])
    for name in own_names(sample, version):
        answer = partial(ask, sample, there, name)
        arrive(sample.mesh, answer, until=_exists, what=f"{name} in {there.cluster}")


def _exists(answer: NameAnswer) -> bool:
    return answer.exists


@contextmanager
def knowing_sleeps(sample: Sample) -> Iterator[None]:
    """Each cluster has a sleep whose sidecar answers names, and knows those of other clusters."""
    with dns_sleeps(sample):
        side_by_side(sample.mesh.shell, lambda one: _await_known(sample, one), sample.clusters)
        yield


def _await_known(sample: Sample, cluster: str) -> None:
    caller = sample.caller(cluster, DNS_SLEEP)
    for name in [name_of(own_service(one)) for one in sample.reached_from(cluster)]:
        answer = partial(ask, sample, caller, name)
        arrive(sample.mesh, answer, until=_exists, what=f"{name} in {caller.name}")


def _only(cluster: str) -> str:
    return f"only-{cluster}"


def _namespaced_service(cluster: str) -> Object:
    return helloworld_service(namespace=_only(cluster))
