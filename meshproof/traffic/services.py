"""Services as the proxies of sleep know them, and further ones before helloworld for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product

from meshproof.errors import EvidenceError
from meshproof.kube.dns import dns_address
from meshproof.kube.names import ask_name
from meshproof.kube.objects import Object, applied
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import ROUTES, in_use
from meshproof.mesh.gateways import gateway_workload, sni_of
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.settle import await_drained, converge, require
from meshproof.workloads.sample import HOST, PORT, Sample

_HTTP = "http"


def await_forgotten(
    sample: Sample, hosts: Collection[str], ports: Collection[int] = (PORT,)
) -> bool:
    """Wait until no sleep's proxy has an endpoint of these services, or half a minute has passed:
    whoever makes services of the same names next must not take these for them. Returns whether
    that came about."""
    callers = [sample.caller(name) for name in sample.clusters]
    clusters = [outbound(host, port) for host, port in product(hosts, ports)]

    def known() -> list[str]:
        return [
            f"{cluster} in {caller}"
            for caller, cluster in product(callers, clusters)
            if endpoints(caller, cluster)
        ]

    return converge(known, until=lambda left: not left, what="the end of services")


@contextmanager
def offered(sample: Sample, services: Sequence[Object]) -> Iterator[None]:
    """Every cluster with workloads has these Services before helloworld's pods inside the block,
    and every proxy that calls, or passes calls on, knows of each of their HTTP ports what it knows
    of helloworld, and callers find their way there; afterwards they are gone from the proxies, or
    the mesh is marked dirty.

    Raises EvidenceError when a proxy does not learn of them within a minute.
    """
    with deployed_services(sample, services):
        what = f"the endpoints of {', '.join(map(full_name, services))}"
        require(
            lambda: [text for one in services for text in _unknown_of(sample, one)],
            until=lambda missing: not missing,
            what=what,
        )
        require_ways(sample, services)
        yield


@contextmanager
def deployed_services(sample: Sample, services: Sequence[Object]) -> Iterator[None]:
    """As ``offered``, but nobody waits for them: for Services that proxies are to know in part, or
    not at all."""
    try:
        with ExitStack() as stack:
            for name in sample.clusters:
                stack.enter_context(applied(sample.mesh.cluster(name), services))
            yield
    finally:
        hosts = [full_name(one) for one in services]
        ports = {port["port"] for one in services for port in one["spec"].get("ports", [])}
        if not await_forgotten(sample, hosts, ports or {PORT}):
            sample.mesh.mark_dirty(f"deleted, but still in a proxy: {', '.join(hosts)}")
        if not await_drained(sample):  # servers that stand behind one port fewer listen anew
            told = f"after the end of {', '.join(hosts)} connections from before were not closed"
            sample.mesh.mark_dirty(told)


def require_ways(sample: Sample, services: Sequence[Object]) -> None:
    """Wait until calls from every cluster find their way to these HTTP services: name and route
    come by other ways than endpoints do, and later; and until no connection from before is left,
    for servers that stand behind one port more listen anew. Raises EvidenceError."""
    names = [full_name(one) for one in services]

    def lost(caller: Workload) -> list[str]:
        used = in_use(caller, ROUTES)
        server = dns_address(sample.mesh.cluster(caller.cluster))
        told = [f"a route to {one} in {caller}" for one in names if f'"{one}"' not in used]
        unknown = [one for one in names if not ask_name(caller, one, server).exists]
        return [*told, *(f"the name {one} in {caller.cluster}" for one in unknown)]

    def missing() -> list[str]:
        callers = [sample.caller(name) for name in sample.clusters]
        found = side_by_side(sample.mesh.shell, lost, callers)
        return [text for texts in found for text in texts]

    require(missing, until=lambda left: not left, what=f"ways to {', '.join(names)}")
    if not await_drained(sample):
        raise EvidenceError(f"nothing can be claimed: servers of {', '.join(names)} still drain")


def full_name(service: Object) -> str:
    """A Service's full name."""
    metadata = service["metadata"]
    return host_of(metadata["name"], metadata["namespace"])


def unknown(sample: Sample, host: str, ports: Sequence[int] = (PORT,)) -> list[str]:
    """What proxies that call, or pass calls on, do not know of a service before helloworld's pods,
    though they know it of helloworld: the Envoy clusters, in words."""
    asked: list[tuple[Workload, str, str]] = [
        (sample.caller(name), outbound(host, port), outbound(HOST, PORT))
        for name, port in product(sample.clusters, ports)
    ]
    gateways = [one.name for one in sample.topology.eastwest_gateways]
    asked += [
        (gateway_workload(sample.mesh, name), sni_of(host, port), sni_of(HOST, PORT))
        for name, port in product(gateways, ports)
    ]
    return [
        f"{theirs} in {proxy}"
        for proxy, theirs, usual in asked
        if set(endpoints(proxy, theirs)) != set(endpoints(proxy, usual))
    ]


def _unknown_of(sample: Sample, service: Object) -> list[str]:
    ports = [one["port"] for one in service["spec"]["ports"] if one["name"].startswith(_HTTP)]
    return unknown(sample, full_name(service), ports)
