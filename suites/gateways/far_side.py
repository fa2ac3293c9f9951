"""Another network, as a client without a sidecar sees it: a gateway, and workloads behind it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.kube.workload import PodWorkload
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.mesh import Way
from meshproof.model import Pair
from meshproof.traffic import PATIENT, Target, probe
from meshproof.traffic.tls_question import ISTIO_ALPN, TlsAnswer, ask
from meshproof.workloads.sample import SNI, Sample


@dataclass(frozen=True)
class FarSide:
    """``outsider``: who dials, in another network than ``there``, the target's cluster; ``way``:
    the gateway's address and port; ``gateway``: its pod; ``servers``: those that it leads to;
    ``identity``: theirs."""

    outsider: PodWorkload
    there: str
    way: Way
    gateway: PodWorkload
    servers: tuple[PodWorkload, ...]
    identity: str

    def dial(self, sni: str | None = SNI, alpn: str | None = ISTIO_ALPN) -> TlsAnswer:
        """Shake hands with the gateway, or with whoever it leads to, without a certificate."""
        return ask(self.outsider, self.way.address, self.way.port, sni, alpn=alpn)

    def ask_plainly(self) -> tuple[str, bool]:
        """Send the gateway's TLS port an HTTP request: what came of it, and whether any answer."""
        target = Target("the gateway's TLS port", self.way.address, self.way.port)
        answer = probe(self.outsider, target, PATIENT)
        return answer.text or str(answer), answer.refusal is None


def far_side(sample: Sample, caller: str, target: str) -> FarSide:
    """The network of a version, as it is reached from a cluster on another. Raises LabError."""
    there = sample.versions[target]
    name, way = next(iter(sample.mesh.ways_to(there).items()))
    behind = next(one for one in sample.behind(caller) if one.way == way)
    return FarSide(
        sample.outsider(caller),
        there,
        way,
        gateway_workload(sample.mesh, name),
        behind.servers,
        sample.server_identity(there),
    )


def breakable_pair(sample: Sample) -> Pair:
    """A caller's cluster and a version on another network whose gateway can be broken without
    cutting a remote off from its istiod, which it reaches by its primary's gateway."""
    topology = sample.topology
    leading = {
        remote.primary
        for remote in topology.remotes
        if not topology.same_network(remote.name, remote.primary)
    }
    pairs = sample.pairs(same_network=False)
    free = [
        pair for pair in pairs if leading.isdisjoint(sample.mesh.ways_to(sample.versions[pair[1]]))
    ]
    return (free or pairs)[0]
