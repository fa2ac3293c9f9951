"""One host in two ServiceEntries, a port in each, as two teams write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.kube.asking import ask_all, question
from meshproof.kube.objects import Object
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import NAMESPACE, TCP_PORT, Sample
from suites.names.services import ask

SHARED = "shared.entries.test"
"""The host."""
PORTS = (TCP_PORT, TCP_PORT + 1)
"""The port of each entry; behind both is helloworld's plain port."""
# Whoever has no listener there is not heard of at all: that is waited out, on two ports of four.
_PATIENCE = 5.0


def shared_entries(server: Workload, ports: Sequence[int] = PORTS) -> list[Object]:
    """An entry for each port, whose addresses istiod allots
    (https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/)."""
    return [_entry(port, server) for port in ports]


@contextmanager
def shared(sample: Sample, cluster: str, entries: Sequence[Object]) -> Iterator[None]:
    """The entries are there inside the block, where the cluster's configuration counts, and its
    sleep whose sidecar answers names knows each, or half a minute has passed; afterwards it has
    forgotten them, or the mesh is marked dirty."""
    asking = sample.caller(cluster, DNS_SLEEP)
    ports = [one["spec"]["ports"][0]["number"] for one in entries]

    def arrived() -> bool:
        told = ask(sample, asking, SHARED).addresses
        listeners = in_use(asking, LISTENERS)
        return all(any(f'"{at}_{port}"' in listeners for at in told) for port in ports)

    try:
        with configured(sample.mesh, entries, [sample.topology.configured_by(cluster)]):
            arrive(sample.mesh, arrived, what=SHARED)
            yield
    finally:
        gone = f"the end of {SHARED}"
        await_healed(sample, lambda: not ask(sample, asking, SHARED).exists, gone)


def greetings(caller: Workload, address: IPv4Address) -> dict[int, str]:
    """What is heard on a connection to each port of an address, "" where nothing is. Raises as
    ``asking.ask_all``."""
    asked = [question("tcp", address, port, b"", _PATIENCE) for port in PORTS]
    replies = ask_all(caller, asked)
    heard = [one.payload.decode(errors="replace").strip() for one in replies]
    return dict(zip(PORTS, heard, strict=True))


def _entry(port: int, server: Workload) -> Object:
    spec = {
        "hosts": [SHARED],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [
            {"number": port, "name": f"tcp-{port}", "protocol": "TCP", "targetPort": TCP_PORT}
        ],
        "endpoints": [
            {"address": str(server.address), "labels": {"security.istio.io/tlsMode": "istio"}}
        ],
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": f"shared-{port}", "namespace": NAMESPACE},
        "spec": spec,
    }
