"""Which istiod each proxy is connected to, as istiods themselves say, and which it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from meshproof.expect import Outcome, Verdict
from meshproof.kube.workload import PROXY, Workload, list_workloads
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY
from meshproof.model import State, Version
from meshproof.process import side_by_side
from meshproof.traffic.connected import Proxy, Serving, proxy_id, serving
from meshproof.traffic.settle import converge
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample

_CONNECTS_WITHIN = 45.0
"""Seconds: a proxy that has lost its istiod tries again after ever longer times, up to thirty."""
_TOLD = 3


@dataclass(frozen=True, slots=True)
class Due:
    """Whom a proxy is to be served by. ``who``: the proxy's pod, in words; ``plane``: the cluster
    of its istiod; ``version``: that istiod's."""

    who: str
    plane: str
    version: str


def served_by_its_own(sample: Sample, state: State) -> Verdict:
    """Every sidecar and gateway is connected to istiods of its own control plane alone, which are
    of the version that is due: of the proxy's own where that is installed there, as beside another
    revision, and else of the one that is, as after an upgrade in place."""
    look = partial(_looked, sample, state)
    converge(
        look,
        until=lambda found: found.outcome is Outcome.PASS,
        what="proxies that are connected to their own istiods",
        within=_CONNECTS_WITHIN,
    )
    return look()


def _looked(sample: Sample, state: State) -> Verdict:
    planes = [one.name for one in sample.topology.control_planes]
    told = side_by_side(sample.mesh.shell, lambda one: serving(sample.mesh, one), planes)
    istiods = dict(zip(planes, told, strict=True))
    due = _due(sample, state)
    expected = f"{len(due)} proxies to be connected to istiods of their own, of what is due"
    silent = [name for name, found in istiods.items() if not found]
    if silent or not due:
        observed = f"no istiod runs in {', '.join(silent)}" if silent else "there are no proxies"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    wrong = [text for proxy, one in due.items() if (text := _wrong(one, proxy, istiods))]
    if wrong:
        more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        return Verdict(Outcome.FAIL, expected, "; ".join(wrong[:_TOLD]) + more)
    there = (f"{one.version} in {name}" for name, found in istiods.items() for one in found)
    return Verdict(Outcome.PASS, expected, f"they are, to {', '.join(there)}")


def _wrong(due: Due, proxy: Proxy, istiods: Mapping[str, Sequence[Serving]]) -> str:
    """What is wrong with whom a proxy is served by; "" for nothing."""
    by = [(plane, one) for plane, all_of_it in istiods.items() for one in all_of_it]
    by = [(plane, one) for plane, one in by if proxy in one.proxies]
    for plane, one in by:
        if (plane, one.version) != (due.plane, due.version):
            wanted = f"not one of {due.plane} that is {due.version}"
            return f"{due.who} is served by {one.who}, which is {one.version}, {wanted}"
    return "" if by else f"{due.who} is connected to no istiod"


def _due(sample: Sample, state: State) -> dict[Proxy, Due]:
    """Whom each sidecar of the sample and each gateway is to be served by."""
    mesh, topology = sample.mesh, sample.topology

    def of(name: str) -> dict[Proxy, Due]:
        cluster, plane = mesh.cluster(name), topology[name].primary
        found: list[tuple[Workload, Version]] = []
        if name in sample.clusters:
            for app in (SLEEP, HELLOWORLD):
                pods = list_workloads(cluster, app, NAMESPACE, container=PROXY)
                found += [(one, state.sidecars[name]) for one in pods]
        if name in state.gateways:
            pods = list_workloads(cluster, GATEWAY, SYSTEM, container=PROXY)
            found += [(one, state.gateways[name]) for one in pods]
        installed = state.installed[plane]
        return {
            (name, proxy_id(pod)): Due(
                str(pod), plane, str(own if own in installed else installed[-1])
            )
            for pod, own in found
        }

    every = side_by_side(mesh.shell, of, topology.names)
    return {proxy: due for one in every for proxy, due in one.items()}
