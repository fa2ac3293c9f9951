"""The other cluster, as somebody without a sidecar sees it: its gateway, and a workload behind."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from meshproof.errors import LabError
from meshproof.kube.workload import Workload, find_workload
from meshproof.mesh.gateways import GATEWAY_PORT, gateway_workload
from meshproof.traffic.tls_question import ISTIO_ALPN, TlsAnswer, ask
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SNI, Sample


@dataclass(frozen=True)
class FarSide:
    """``outsider``: who dials, in another cluster than ``there``; ``address``: the gateway's;
    ``gateway`` and ``server``: the gateway's and a workload's pod behind it."""

    outsider: Workload
    there: str
    address: IPv4Address
    gateway: Workload
    server: Workload

    def dial(self, sni: str | None = SNI, alpn: str | None = ISTIO_ALPN) -> TlsAnswer:
        """Shake hands with the gateway, or with whoever it leads to, without a certificate."""
        return ask(self.outsider, self.address, GATEWAY_PORT, sni, alpn=alpn)

    def ask_plainly(self) -> tuple[str, bool]:
        """Send the gateway's TLS port an HTTP request: what came of it, and whether any answer."""
        url = f"http://{self.address}:{GATEWAY_PORT}/hello"
        asked = self.outsider.run_from_node("curl", "-sSi", "-m", "5", url, check=False)
        answer = (asked.stdout or asked.stderr).strip()
        return answer.splitlines()[0] if answer else "nothing", bool(asked.stdout)


def far_side(sample: Sample, caller: str) -> FarSide:
    """The cluster that has the version which ``caller``'s has not. Raises LabError."""
    there = sample.plan[sample.remote_version(caller)]
    address = sample.mesh.gateway(there)
    if address is None:
        raise LabError(f"{there} has no gateway")
    return FarSide(
        sample.outsider(caller),
        there,
        address,
        gateway_workload(sample.mesh, there),
        find_workload(sample.mesh.cluster(there), HELLOWORLD, NAMESPACE),
    )
