"""A machine without a proxy, which somebody has noted by hand: a bare-metal server.

Source: "Istio Multicluster Support", mesh expansion: services on "VMs or physical bare-metal
servers"; https://istio.io/latest/docs/reference/config/networking/workload-entry/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from meshproof.kube.objects import Object
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.configuration import configured
from meshproof.mesh.machines import entries_there
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Mtls
from meshproof.traffic.machines import network_of
from meshproof.traffic.settle import mtls_mode, require
from meshproof.workloads.machine import MachineWorkload
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT, Sample
from suites.machines.membership import away


@contextmanager
def bare(sample: Sample, machine: str) -> Iterator[MachineWorkload]:
    """Istio does not run on a machine inside the block, a WorkloadEntry that is written by hand
    says that it serves helloworld, and the proxies near it know. Gives the machine as it is then.
    Raises EvidenceError when that does not come about; afterwards as ``away``."""
    one = sample.machines[machine]

    def left() -> list[str]:
        return entries_there(sample.mesh, one.spec, NAMESPACE)

    def lacking() -> list[str]:
        return [str(pod) for pod in near(sample, machine) if not _knows(pod, one)]

    with away(sample, machine):
        require(left, until=lambda found: not found, what=f"the end of each entry of {machine}")
        with configured(sample.mesh, [_entry(one)], [one.cluster]):
            require(lacking, until=lambda found: not found, what=f"{machine} in proxies")
            yield replace(one, sidecar=False)


def in_mode(sample: Sample, mode: Mtls) -> AbstractContextManager[None]:
    """The mesh has an mTLS mode inside the block, as ``mtls_mode``; its own is nothing to do."""
    own = sample.mesh.deployment.mtls is mode
    return nullcontext() if own else mtls_mode(sample, mode)


def near(sample: Sample, machine: str) -> list[PodWorkload]:
    """sleep of each cluster that knows a machine and is on its network: plain text does not pass
    gateways between networks, which tell by the names in TLS where to."""
    one = sample.machines[machine]
    pods = [sample.caller(name) for name in sample.clusters]
    known = [pod for pod in pods if one.version in sample.machine_versions(pod.cluster)]
    return [pod for pod in known if network_of(sample, pod) == one.spec.network]


def servers_near(sample: Sample, machine: str) -> Sequence[PodWorkload]:
    """helloworld's pods on a machine's network."""
    network = sample.machines[machine].spec.network
    return [one for one in sample.every_server() if network_of(sample, one) == network]


def _knows(pod: PodWorkload, machine: MachineWorkload) -> bool:
    known = endpoints(pod, outbound(HOST, PORT))
    return any(one.address == str(machine.address) for one in known)


def _entry(machine: MachineWorkload) -> Object:
    labels = {"app": HELLOWORLD, "version": machine.version}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {"name": f"{machine.name}-by-hand", "namespace": NAMESPACE},
        "spec": {
            "address": str(machine.address),
            "network": machine.spec.network,
            "labels": labels,
        },
    }
