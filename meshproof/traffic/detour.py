"""An attempt to go round the router: by the host, which must forward nothing."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.workload import node_probe
from meshproof.lab.base import Lab
from meshproof.traffic.probe import Answer, Target, probe


@dataclass(frozen=True, slots=True)
class Detour:
    """What came of it. ``refused``: packets that the host was given to forward, and dropped."""

    caller: str
    target: Target
    answer: Answer
    refused: int


def detour(lab: Lab, caller: RunningCluster, target: Target) -> Detour:
    """Ask ``target`` from a node whose route to it leads by the host, then undo the route.

    Raises LabError when the host's rules are gone.
    """
    here, node = node_probe(caller), caller.control_plane
    route = (f"{target.address}/32", "via", str(lab.subnets[caller.name].host))
    before = lab.dropped_by_host()
    caller.on_node(node, "ip", "route", "add", *route)
    try:
        answer = probe(here, target)
    finally:
        caller.on_node(node, "ip", "route", "delete", *route)
    return Detour(str(here), target, answer, lab.dropped_by_host() - before)
