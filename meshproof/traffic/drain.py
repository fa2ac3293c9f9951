"""Which proxies still hold connections that they are about to close.

A policy or another mTLS mode replaces a server's inbound listener. From then on Envoy asks whoever
uses an old connection to close it, and after ``drainDuration`` closes those that nobody has used.
A call that sets out on one at that very moment is a 503 (UC), which says nothing about the mesh:
waited is for the end, or it is told by ``meshproof.expect.cut``.

Source: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/draining
"""

from __future__ import annotations

from meshproof.errors import EvidenceError
from meshproof.kube.workload import Workload, find_workload
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.proxy import connections, statistics
from meshproof.process import side_by_side
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, TCP_PORT, Sample

_DRAINING = r"^listener_manager\.total_(listeners|filter_chains)_draining$"

_UNREAD = "InboundPassthroughCluster"
"""Where a sidecar passes on what comes for a port that it does not know."""


def passed_unread(sample: Sample) -> str:
    """The helloworld pods whose sidecars hold connections for its ports that they pass on as bytes,
    in words; "" when there is none.

    A sidecar does so with connections that came while its istiod knew no Service of the pod: when a
    remote secret goes and comes back, callers may learn of an instance before the instance does of
    its ports. Such a connection stays as long as its caller uses it, since Envoy leaves connections
    of filter chains that an update does not change
    (https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/lds). What is configured
    for the port's own chains, such as an EnvoyFilter's fault, does not count on it, and its calls
    are in no log until it ends. AuthorizationPolicies and PeerAuthentications do count: istiod puts
    them into the chains for unknown ports as well, those that ask for what HTTP says as the
    stricter ones that remain without it.

    It is as bytes since these proxies lack Istio's ALPN filter: with it callers say
    "istio-http/1.1", which the chain for HTTP to unknown ports takes, and reads.

    Raises EvidenceError when a proxy does not answer.
    """
    servers = list(sample.servers().values())

    def passes(server: Workload) -> bool:
        held = connections(server, _UNREAD)
        return any(held.get(port) for port in (PORT, TCP_PORT))

    told = zip(servers, side_by_side(sample.mesh.shell, passes, servers), strict=True)
    return ", ".join(str(server) for server, yes in told if yes)


def draining(sample: Sample) -> str:
    """The proxies that calls arrive at and that still drain, in words; "" when none does.

    Raises LabError when one does not run, EvidenceError when one does not answer.
    """

    def drains(workload: Workload) -> bool:
        counts = statistics(workload, _DRAINING)
        if not counts:
            raise EvidenceError(f"the proxy of {workload} does not say whether it drains")
        return any(counts.values())

    proxies = _receivers(sample)
    answers = zip(proxies, side_by_side(sample.mesh.shell, drains, proxies), strict=True)
    names = [str(proxy) for proxy, yes in answers if yes]
    return f"{', '.join(names)}: connections are closed by and by" if names else ""


def _receivers(sample: Sample) -> list[Workload]:
    """A helloworld pod of each cluster that has one, and the gateways."""
    mesh = sample.mesh
    topology = mesh.deployment.topology

    def found(cluster: str) -> list[Workload]:
        server = find_workload(mesh.cluster(cluster), HELLOWORLD, NAMESPACE)
        return [server, gateway_workload(mesh, cluster)] if topology[cluster].gateway else [server]

    clusters = dict.fromkeys(sample.versions.values())
    return [proxy for proxies in side_by_side(mesh.shell, found, clusters) for proxy in proxies]
