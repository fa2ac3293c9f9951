"""An attempt to go round the router: by the host, which must forward nothing."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.spot import node_spot
from meshproof.lab.lab import Lab
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
    spot = node_spot(caller)
    route = (f"{target.address}/32", "via", str(lab.subnets[caller.name].host))
    before = lab.dropped_by_host()
    spot.run("ip", "route", "add", *route)
    try:
        answer = probe(spot, target)
    finally:
        spot.run("ip", "route", "delete", *route)
    return Detour(str(spot), target, answer, lab.dropped_by_host() - before)
