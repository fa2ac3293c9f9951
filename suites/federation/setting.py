"""What is called in a federation, by whom, and what there is beside it that nobody exposes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.kube.dns import dns_address
from meshproof.kube.names import NameAnswer, ask_name
from meshproof.kube.objects import Object, applied
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.exposure import identities_of
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure, Mtls
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, answers
from meshproof.traffic.services import await_forgotten, full_name
from meshproof.traffic.settle import arrive
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import NAMESPACE, PORT, SERVED, Sample, helloworld_service

_PRIVATE = "private"
_PROBES = 4


def asker(sample: Sample, cluster: str) -> PodWorkload:
    """The sleep of a cluster whose sidecar answers names: no other pod knows global ones."""
    return sample.caller(cluster, DNS_SLEEP)


def asker_identity(sample: Sample, cluster: str) -> str:
    """Its SPIFFE ID."""
    return sample.topology[cluster].mesh.identity(NAMESPACE, DNS_SLEEP)


def exposed_identities(sample: Sample, imported: Exposure) -> list[str]:
    """The SPIFFE IDs that its instances may have."""
    return identities_of(sample.topology, imported, SERVED)


def gateways_of(sample: Sample, imported: Exposure) -> dict[Way, PodWorkload]:
    """By address and port the pods of these gateways: a provider of several clusters has several,
    each of which leads to its own instances. Raises LabError when one does not run."""
    ways = {
        way: name
        for provider in sample.topology.providers(imported)
        for name, way in sample.mesh.ways_to(provider).items()
    }
    return {way: gateway_workload(sample.mesh, name) for way, name in ways.items()}


def gateway_of(sample: Sample, imported: Exposure) -> PodWorkload:
    """The pod of the first of these gateways. Raises as ``gateways_of``."""
    return next(iter(gateways_of(sample, imported).values()))


def configured_at(sample: Sample, imported: Exposure) -> set[str]:
    """The clusters whose configuration counts for those who expose it."""
    topology = sample.topology
    return {topology.configured_by(name) for name in topology.providers(imported)}


def private_service(cluster: str) -> Object:
    """The Service that a cluster alone has, and exposes to nobody."""
    return helloworld_service(name=f"{_PRIVATE}-{cluster}")


def private_host(cluster: str) -> str:
    """Its full name."""
    return full_name(private_service(cluster))


def told(sample: Sample, who: PodWorkload, name: str) -> NameAnswer:
    """What a pod is told of a name."""
    return ask_name(who, name, dns_address(sample.mesh.cluster(who.cluster)))


def await_answer(sample: Sample, importer: str, imported: Exposure) -> None:
    """Wait until a name and its gateways are known, and answered where anybody would."""
    caller, plan = asker(sample, importer), Plan(url_of(imported), times=_PROBES, fresh=True)
    provider = sample.topology.providers(imported)[0]
    deployment = sample.mesh.deployment
    # Gateways choose by SNI: without mTLS nobody gets through.
    through = deployment.vouches(importer, provider) and deployment.mtls is not Mtls.DISABLED

    def missing() -> str:
        if not told(sample, caller, imported.host).exists:
            return f"an address of {imported.host}"
        if not endpoints(caller, outbound(imported.host, PORT)):
            return f"a gateway for {imported.host}"
        failed = [one for one in answers(sample, caller, plan) if through and not one.succeeded]
        return str(failed[0]) if failed else ""

    what = f"{imported.host} in {importer}"
    arrive(sample.mesh, missing, until=lambda left: left == "", what=what)


@contextmanager
def federated(sample: Sample) -> Iterator[None]:
    """Each cluster has a sleep whose sidecar answers names, and a Service that nobody exposes,
    inside the block, and what is exposed answers by its global name where anybody vouches for it,
    or half a minute has passed. Raises LabError when a sleep will not run."""
    try:
        with dns_sleeps(sample), ExitStack() as stack:
            for name in sample.clusters:
                cluster = sample.mesh.cluster(name)
                stack.enter_context(applied(cluster, [private_service(name)]))
            imports = sample.topology.imports
            side_by_side(sample.mesh.shell, lambda one: await_answer(sample, *one), imports)
            yield
    finally:
        hosts = list(map(private_host, sample.clusters))
        if not await_forgotten(sample, hosts):
            sample.mesh.mark_dirty(f"deleted, but still in a proxy: {', '.join(hosts)}")
