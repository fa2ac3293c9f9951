"""TCP Services that exist in one cluster only, and who answers by their names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address

from meshproof.kube.asking import ask_all, question
from meshproof.kube.objects import Object, applied
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.settle import require
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, TCP_PORT, Sample
from suites.names.services import ask

_PATIENCE = 10.0
"""Seconds to wait for what a server says by itself."""
# Low in the range, where Kubernetes gives no address to a Service that asks for none.
_PLACE = 77


def tcp_service(home: str, address: IPv4Address | None = None) -> Object:
    """The Service for TCP alone that exists in one cluster, before its versions. ``address``: the
    one that it asks for."""
    spec: Object = {
        "selector": {"app": HELLOWORLD},
        "ports": [{"name": "tcp", "port": TCP_PORT, "targetPort": TCP_PORT}],
    }
    spec |= {"clusterIP": str(address)} if address is not None else {}
    metadata = {"name": f"tcp-{home}", "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def tcp_name(home: str) -> str:
    """The full name of that Service."""
    return host_of(f"tcp-{home}", NAMESPACE)


def shared_address(sample: Sample) -> IPv4Address | None:
    """An address that Services of every cluster can have; None where there is none."""
    ranges = [sample.topology[home].cluster.services for home in sample.homes]
    smallest = max(ranges, key=lambda one: one.prefixlen)
    shared = all(smallest.subnet_of(one) for one in ranges)
    return smallest[_PLACE] if shared and len(ranges) > 1 else None


def known_homes(sample: Sample, caller: str) -> list[str]:
    """The clusters with versions that the istiod of a caller's cluster knows of, its own too."""
    homes = sample.homes
    return [one for one in homes if one == caller or sample.topology.knows(caller, one)]


@contextmanager
def tcp_services(sample: Sample) -> Iterator[None]:
    """Each cluster with versions has a TCP Service that no other has, all of one address where
    that can be, and the sleeps that answer names know them, inside the block. Raises EvidenceError
    when these do not get to know them."""
    address = shared_address(sample)
    with ExitStack() as stack:
        for home in sample.homes:
            cluster = sample.mesh.cluster(home)
            stack.enter_context(applied(cluster, [tcp_service(home, address)]))
        side_by_side(sample.mesh.shell, lambda one: _await_known(sample, one), sample.clusters)
        yield


def connected(
    caller: Workload, address: IPv4Address, times: int, patience: float = _PATIENCE
) -> list[str]:
    """What is heard on as many connections from a pod to an address, one after the other; "" on
    each on which nothing is within ``patience`` seconds, or that cannot be made. Raises as
    ``asking.ask_all``."""
    # The server speaks first, and nothing is sent.
    listening = question("tcp", address, TCP_PORT, b"", patience)
    replies = ask_all(caller, [listening] * times)
    return [one.payload.decode(errors="replace").strip() for one in replies]


def _await_known(sample: Sample, cluster: str) -> None:
    """Wait until a cluster's sleep knows names, addresses and instances of the Services."""
    caller = sample.caller(cluster, DNS_SLEEP)
    names = [tcp_name(home) for home in known_homes(sample, cluster)]

    def lacking() -> str:
        listeners = in_use(caller, LISTENERS)
        for name in names:
            answer = ask(sample, caller, name)
            if not answer.exists:
                return f"{name} is {answer}"
            if f"{answer.addresses[0]}_{TCP_PORT}" not in listeners:
                return f"no listener for {name} at {answer.addresses[0]}"
            if not endpoints(caller, outbound(name, TCP_PORT)):
                return f"no instance of {name}"
        return ""

    require(lacking, until=lambda told: told == "", what=f"{', '.join(names)} in {caller.name}")
