"""Has callers give up connections that servers pass on unread."""

from __future__ import annotations

from meshproof.mesh.routes import Tls, destination_rule
from meshproof.traffic.drain import passed_unread
from meshproof.traffic.routing import in_force
from meshproof.traffic.settle import await_healed
from meshproof.workloads.sample import HOST, Sample


def renew_connections(sample: Sample) -> None:
    """Where a server passes on connections unread (``passed_unread``), callers make theirs anew, or
    the mesh is marked dirty.

    For a mesh at rest, which looks healed and is not: no rule counts on such a connection. A rule
    that comes and goes has proxies replace what they know of the service, and with it their
    connections: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/cluster_manager.
    Raises EvidenceError when a proxy does not answer.
    """
    if not passed_unread(sample):
        return
    with in_force(sample, [destination_rule(HOST, sample.common, Tls.ISTIO_MUTUAL)]):
        pass
    await_healed(sample, lambda: not passed_unread(sample), "the end of what is passed on unread")
