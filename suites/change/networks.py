"""``meshNetworks`` that are edited while istiods run and calls go on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv4Address

from meshproof.faults.gateway import second_gateway
from meshproof.kube.dns import load_balancer_name
from meshproof.kube.workload import Workload
from meshproof.mesh.mesh import Way
from meshproof.mesh.mesh_config import networks_edited
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.settle import converge
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.sample import HOST, PORT, Sample
from suites.change.claims import EDITED, UNDONE
from suites.change.gateways import FOLLOWS_WITHIN, with_way

_MEANWHILE = 10.0


def over_an_edit(sample: Sample) -> tuple[Found, str, str]:
    """What comes of calls while ``meshNetworks`` are edited, so that they say another address of a
    gateway, which is entered there as well, and then its own again; and where it is entered by
    either, the other first. An edit is done when callers' proxies go by it alone, or half a minute
    has passed."""
    cluster, mesh = sample.far_gateway, sample.mesh
    own = mesh.ways_to(cluster)[cluster]
    callers = _callers(sample, cluster)
    entered: list[IPv4Address] = []

    def known() -> set[str]:
        service = outbound(HOST, PORT)
        listed = side_by_side(mesh.shell, lambda one: endpoints(one, service), callers)
        ways = {str(own.address), *map(str, entered)}
        return {one.address for found in listed for one in found} & ways

    def await_alone(address: IPv4Address) -> None:
        what = f"{address} alone for the gateway of {cluster}"
        converge(known, until=lambda ways: ways == {str(address)}, what=what, within=FOLLOWS_WITHIN)

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(f"the gateway of {cluster} gets a second address"):
            entered.append(stack.enter_context(second_gateway(mesh.lab, cluster)))
        said = {str(own.address), load_balancer_name(own.address)}
        with ExitStack() as edit:
            with stream.mark(EDITED):
                edit.enter_context(networks_edited(mesh, dict.fromkeys(said, str(entered[0]))))
                await_alone(entered[0])
            stream.flow_for(_MEANWHILE)
            with stream.mark(UNDONE):
                edit.close()
                await_alone(own.address)
        stream.flow_for(_MEANWHILE)

    found = over(sample, doing)
    way = str(Way(entered[0], own.port))
    return replace(found, ways=with_way(sample, found.ways, cluster, way)), way, str(own)


def _callers(sample: Sample, cluster: str) -> list[Workload]:
    """Who calls a cluster by its gateway."""
    pairs = sample.pairs(same_network=False)
    names = {caller for caller, version in pairs if sample.versions[version] == cluster}
    return [sample.caller(name) for name in sorted(names)]
