"""East-west gateways that get another address, or company, while calls go on."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from ipaddress import IPv4Address

from meshproof.faults.gateway import gateway_moved, out_of_service, second_gateway
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.settle import require
from meshproof.traffic.stream import Stream, StreamPlan
from meshproof.traffic.stream_history import CallKind
from meshproof.traffic.stream_over import Found, Ways, over
from meshproof.workloads.sample import HOST, PORT, Sample

FOLLOWS_WITHIN = 30.0
"""Seconds until callers go to a gateway's new address: nobody promises a time. Istio tells its
proxies at once (``NotifyGatewayHandlers`` in pilot/pkg/serviceregistry/kube/controller)."""
_MEANWHILE = 15.0
_DRAINED = 6.0
"""Seconds, more than a call may take, for requests that are under way: their proxies close the
connections after them."""
# A connection by TCP that is kept stays with the gateway that it was made through, and goes with
# it: no proxy can move it to another one.
_KINDS = tuple(one for one in CallKind if one is not CallKind.TCP_KEPT)


def over_a_move(sample: Sample) -> Found:
    """What comes of calls while a gateway gets another address, and nobody answers at the old one
    any more."""
    cluster = sample.far_gateway

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(f"the gateway of {cluster} gets another address"):
            stack.enter_context(gateway_moved(sample.mesh.lab, cluster))
        stream.flow_for(FOLLOWS_WITHIN + _MEANWHILE)

    return over(sample, doing)


def over_a_second_one(sample: Sample) -> tuple[Found, str]:
    """What comes of calls while a network gets a second gateway, and loses it again after proxies
    were told not to use it any more; and where that one was entered."""
    cluster, mesh = sample.far_gateway, sample.mesh
    port = mesh.ways_to(cluster)[cluster].port
    entered: list[IPv4Address] = []

    def known() -> set[str]:
        callers = {
            caller
            for caller, version in sample.pairs(same_network=False)
            if sample.versions[version] == cluster
        }
        found = [endpoints(sample.caller(one), outbound(HOST, PORT)) for one in sorted(callers)]
        return {one.address for listed in found for one in listed}

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as second:
            with stream.mark(f"{cluster} gets a second gateway"):
                entered.append(second.enter_context(second_gateway(mesh.lab, cluster)))
            stream.flow_for(_MEANWHILE)
            with stream.mark("it is removed again"):
                out_of_service(mesh.cluster(cluster))
                require(
                    lambda: str(entered[0]) in known(),
                    until=lambda used: not used,
                    what="proxies without the second gateway",
                )
                stream.flow_for(_DRAINED)
                second.close()
        stream.flow_for(_MEANWHILE)

    found = over(sample, doing, plan=StreamPlan(kinds=_KINDS))
    way = str(Way(entered[0], port))
    return replace(found, ways=with_way(sample, found.ways, cluster, way)), way


def with_way(sample: Sample, ways: Ways, cluster: str, way: str) -> Ways:
    """The ways that calls may take, and a further one into a cluster's network."""
    return {
        caller: {
            version: hosts | {way} if _leads(sample, cluster, caller, version) else hosts
            for version, hosts in known.items()
        }
        for caller, known in ways.items()
    }


def _leads(sample: Sample, cluster: str, caller: str, version: str) -> bool:
    """Whether a version is called by the gateway of a cluster: its own, or one of its network."""
    home = sample.versions[version]
    near = sample.topology.same_network(caller, home)
    return not near and cluster in sample.mesh.ways_to(home)
