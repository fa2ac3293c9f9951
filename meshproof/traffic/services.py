"""Services as the proxies of sleep know them."""

from __future__ import annotations

from collections.abc import Collection
from itertools import product

from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import PORT, Sample


def await_forgotten(sample: Sample, hosts: Collection[str]) -> bool:
    """Wait until no sleep's proxy has an endpoint of these services, or half a minute has passed:
    whoever makes services of the same names next must not take these for them. Returns whether
    that came about."""
    callers = [sample.caller(name) for name in sample.clusters]
    clusters = [outbound(host, PORT) for host in hosts]

    def known() -> list[str]:
        return [
            f"{cluster} in {caller}"
            for caller, cluster in product(callers, clusters)
            if endpoints(caller, cluster)
        ]

    return converge(known, until=lambda left: not left, what="the end of services")
