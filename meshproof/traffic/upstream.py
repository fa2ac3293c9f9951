"""Where calls for a version of helloworld should go: to its pods, or to gateways before them."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.mesh.mesh import Way
from meshproof.workloads.sample import PORT, Sample


@dataclass(frozen=True, slots=True)
class Upstream:
    """The addresses and ports at which a caller's sidecar calls a version; ``what`` they are, for
    people."""

    version: str
    ways: frozenset[Way]
    what: str

    @property
    def hosts(self) -> set[str]:
        """The same as Envoy writes them in its log, "address:port"."""
        return set(map(str, self.ways))


def upstream_of(sample: Sample, caller: str, version: str, port: int = PORT) -> Upstream:
    """How a version is called from a cluster: on one network at the addresses of its pods, and
    ``port``, across networks at those of the gateways that lead to it. Rule: ``topologies.md``,
    Path."""
    there = sample.versions[version]
    if sample.topology.same_network(caller, there):
        pods = [one for one in sample.servers().values() if one.version == version]
        return Upstream(
            version, frozenset(Way(one.address, port) for one in pods), f"a pod of {there}"
        )
    ways = sample.mesh.ways_to(there)
    return Upstream(version, frozenset(ways.values()), f"the gateway of {' or '.join(ways)}")
