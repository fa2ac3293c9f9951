"""Which proxies are connected to the istiods of a mesh, and have taken what these sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshproof.errors import MeshproofError
from meshproof.kube.workload import PodWorkload, Workload, find_workload, list_workloads
from meshproof.mesh.builds import istiod_builds
from meshproof.mesh.config_dump import inbound_ports
from meshproof.mesh.gateways import gateway_workload
from meshproof.mesh.istiod import CONTAINER, ISTIOD, debug, istiod_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.process import side_by_side
from meshproof.wait import eventually
from meshproof.workloads.sample import NAMESPACE, PORT, SLEEP, Sample

_WITHIN = 90.0
# What a proxy is sent one after the other when it connects: until then it goes by what another
# istiod has sent it.
_ALWAYS_SENT = ("Cluster", "Listener")
Proxy = tuple[str, str]
"""A proxy as istiods know it: its cluster, and its id as ``proxy_id`` has it."""


@dataclass(frozen=True, slots=True)
class Serving:
    """An istiod, and whom it serves. ``who``: its pod, in words; ``version``: the Istio that it
    says it is of; ``proxies``: those that are connected to it now."""

    who: str
    version: str
    proxies: frozenset[Proxy]


def await_proxies(sample: Sample) -> None:
    """Wait until the proxies of the sample and of the gateways are connected to an istiod, and
    have taken, or rejected, all that it sent; and until helloworld's take calls as its Service has
    it. Raises WaitTimeoutError that names those that have not."""
    mesh = sample.mesh
    eventually(
        lambda: _unready(sample),
        until=lambda missing: missing == "",
        what="the proxies' configuration",
        within=_WITHIN,
        every=0.5,
        recorder=mesh.lab.recorder,
    )


def unready(expected: Iterable[str], entries: Sequence[Mapping[str, Any]]) -> str:
    """What is still missing, by the entries of ``/debug/syncz`` of all istiods; "" when nothing
    is. ``expected``: the ids of the proxies, "pod.namespace"."""
    known = {str(one.get("proxy")): one.get("resources") or {} for one in entries}
    for proxy in sorted(expected):
        if proxy not in known:
            return f"{proxy} is not connected"
        states = {kind.rpartition(".")[2]: state for kind, state in known[proxy].items()}
        for kind in _ALWAYS_SENT:
            if not states.get(kind, {}).get("sent"):
                return f"{proxy} was not sent any {kind}"
        for kind, state in states.items():
            waits = state.get("sent") and state.get("sent") != state.get("acked")
            if waits and not state.get("lastError"):
                return f"{proxy} has not taken {kind}"
    return ""


def passed_over(sample: Sample) -> str:
    """The helloworld pods whose proxies have no filter chain for its Service's port, in words; ""
    when all have one.

    A proxy that connects before its istiod knows of its pod may be sent none. Calls are answered
    all the same then, unread, by the chain for ports that no service names, where no policy and no
    filter for HTTP is in force (https://github.com/istio/istio/pull/57334).
    """
    servers = list(sample.servers().values())
    ports = side_by_side(sample.mesh.shell, inbound_ports, servers)
    lacking = [str(one) for one, known in zip(servers, ports, strict=True) if PORT not in known]
    return f"{', '.join(lacking)} without a filter chain for {PORT}" if lacking else ""


def rejections(sample: Sample) -> list[str]:
    """What the sample's proxies and the gateways have rejected of what istiods sent, in words.

    Raises EvidenceError when an istiod does not answer.
    """
    entries = [one for istiod in istiods(sample.mesh) for one in debug(istiod, "syncz") or []]
    return rejected(map(proxy_id, proxied(sample)), entries)


def rejected(expected: Iterable[str], entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The same, by the entries of ``/debug/syncz``; ``expected``: as for ``unready``."""
    known = {str(one.get("proxy")): one.get("resources") or {} for one in entries}
    return [
        f"{proxy} has rejected {kind.rpartition('.')[2]}: {state['lastError']}"
        for proxy in sorted(expected)
        for kind, state in known.get(proxy, {}).items()
        if state.get("lastError")
    ]


def istiods(mesh: Mesh) -> list[PodWorkload]:
    """The istiod of each control plane. Raises LabError when one does not run."""
    return [istiod_of(mesh, one.name) for one in mesh.deployment.topology.control_planes]


def serving(mesh: Mesh, control_plane: str) -> list[Serving]:
    """Each istiod that runs in a cluster, of whichever revision, and whom it serves, as it says
    itself (``Syncz`` in pilot/pkg/xds/debug.go). Raises EvidenceError when one does not answer."""
    versions = {one.who: one.version for one in istiod_builds(mesh, control_plane)}
    pods = list_workloads(mesh.cluster(control_plane), ISTIOD, SYSTEM, container=CONTAINER)
    return [
        Serving(str(pod), versions[str(pod)], proxies_in(debug(pod, "syncz") or []))
        for pod in pods
        if str(pod) in versions
    ]


def proxies_in(entries: Iterable[Mapping[str, Any]]) -> frozenset[Proxy]:
    """The proxies in the entries of an istiod's ``/debug/syncz``."""
    return frozenset((str(one.get("cluster_id")), str(one.get("proxy"))) for one in entries)


def proxy_id(workload: Workload) -> str:
    """How istiods call a workload's proxy."""
    return f"{workload.name}.{workload.namespace}"


def proxied(sample: Sample) -> list[PodWorkload]:
    """All workloads of the sample that have a sidecar, and the gateways. Raises LabError."""
    mesh = sample.mesh
    gateways = [
        gateway_workload(mesh, one.name)
        for one in sample.topology.members
        if one.gateway is not None
    ]
    callers = [find_workload(mesh.cluster(name), SLEEP, NAMESPACE) for name in sample.clusters]
    return [*callers, *sample.servers().values(), *gateways]


def _unready(sample: Sample) -> str:
    try:
        entries = [one for istiod in istiods(sample.mesh) for one in debug(istiod, "syncz") or []]
        return unready(map(proxy_id, proxied(sample)), entries) or passed_over(sample)
    except MeshproofError as error:  # a pod that is just being replaced
        return error.cause
