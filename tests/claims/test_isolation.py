"""What is claimed of isolation while a mesh runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.kube.workload import Workload
from meshproof.lab.network.counters import FlowKey
from meshproof.lab.network.rules import chain
from meshproof.model import Flow, Version
from meshproof.traffic import Answer, Refusal, Target, probe
from suites.isolation.under_mesh import (
    api_server_and_gateway_as_the_topology_says,
    api_server_as_read,
    gateway_is_reached,
    kubelets_are_kept_out,
    pods_are_kept_out,
    pods_are_reached,
    shared_addresses_stay_at_home,
)
from tests.claims.substitutes import everywhere
from tests.claims.table import (
    FLAT,
    OVERLAPPING,
    REMOTE,
    SPLIT,
    Case,
    Claim,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)

OPEN = Answer("HTTP/1.1 400 Bad Request")
SILENT = Answer(refusal=Refusal.SILENCE)
EAST_TO_WEST = ("east", "west")


def of_pods(stage: Stage) -> tuple[object, ...]:
    """A sample, a pair, and a pod of the other cluster."""
    sample = stage.world.sample
    pod = sample.caller("west")
    return sample, EAST_TO_WEST, Target("sleep's pod in west", pod.address, 15021)


class Router:
    """Lets through what the topology says, and counts it. ``holes``: what it lets through as well;
    ``closed``: what it does not; ``counts``: whether its counters count; ``dead``: whether nobody
    answers, not even inside a cluster; ``astray``: whether east sends it what is for its own
    pods."""

    def __init__(self, stage: Stage) -> None:
        self.world = stage.world
        topology = stage.world.deployment.topology
        self.wiring = topology.wiring(topology.footprint(Version(1, 36, 3)))
        self.holes: set[str] = set()
        self.closed: set[str] = set()
        self.counts, self.dead, self.astray = True, False, False

    def probe(self, caller: Workload, target: Target, patience: float = 0.0) -> Answer:
        """In place of ``traffic.probe.probe``."""
        if self.dead:
            return SILENT
        here = caller.cluster
        if target.address in self.world.clusters[here].spec.pods:
            if not self.astray or here != "east":
                return OPEN
            key = FlowKey(caller.address, target.address, target.port)
            self.world.flows["east_to_outside", "dropped", key] += 2
            return SILENT
        called, kind = self.kind(target)
        if called == caller.cluster:
            return OPEN
        pair = (caller.cluster, called)
        flows = {one.value for one in self.wiring.between(*pair)} | self.holes
        through = kind in flows - self.closed
        if self.counts and through:
            self.world.packets[chain(pair), kind] += 4
        elif self.counts:
            key = FlowKey(caller.address, target.address, target.port)
            self.world.flows[chain(pair), "dropped", key] += 2
        return OPEN if through else SILENT

    def kind(self, target: Target) -> tuple[str, str]:
        """Whose the address is, and by which flow it is reached."""
        for name, cluster in self.world.clusters.items():
            if target.address == cluster.control_plane.address:
                return name, Flow.API.value if target.port == 6443 else "kubelet"
            ways = self.world.mesh.ways_to(name)
            if name in ways and target.address == ways[name].address:
                return name, Flow.GATEWAY.value
            if target.address in cluster.spec.pods:
                return name, Flow.POD.value
            if target.address in cluster.spec.services:
                return name, "service"
        raise AssertionError(f"nobody has {target}")


def routed(stage: Stage, **what: Any) -> None:
    router = Router(stage)
    for name, value in what.items():
        setattr(router, name, value)
    everywhere(stage.monkeypatch, probe, router.probe)
    for cluster in stage.world.clusters.values():
        address = str(cluster.spec.services[1])
        service = SimpleNamespace(spec=SimpleNamespace(cluster_ip=address))
        core = SimpleNamespace(read_namespaced_service=lambda *_, found=service: found)
        cluster.__dict__["core"] = core


def router(**what: Any) -> Doing:
    """A router that is as it should be but for something."""
    return lambda stage: routed(stage, **what)


def kept_out(claim: Claim, kind: str, topology: str = SPLIT) -> list[Case]:
    """The cases of a claim that something is kept out."""
    return cases(
        claim,
        on(EAST_TO_WEST, topology=topology),
        passes(doing=router()),
        fails("a way is open from east to west", router(holes={kind})),
        unclear("the router dropped nothing", router(counts=False)),
        unclear("but inside west as well", router(dead=True)),
    )


def reached(claim: Claim, kind: str, topology: str, missed: str = "") -> list[Case]:
    """The cases of a claim that something is reached. ``missed``: the flow that is found missing
    where nothing is counted, if it is another."""
    return cases(
        claim,
        on(EAST_TO_WEST, topology=topology),
        passes(doing=router()),
        fails("silence", router(closed={kind})),
        fails(f"the router saw no packets of '{missed or kind}'", router(counts=False)),
        unclear("but inside west as well", router(dead=True)),
    )


CASES = [
    *kept_out(pods_are_kept_out, "pod"),
    *cases(
        pods_are_kept_out,
        on(EAST_TO_WEST, topology=SPLIT),
        fails("a way is open from east to west", router(holes={"service"})),
    ),
    *cases(
        shared_addresses_stay_at_home,
        Setting(of_pods, OVERLAPPING),
        passes(doing=router()),
        fails("packets went to the router", router(astray=True)),
        unclear("the router dropped nothing", router(counts=False)),
        unclear("but nobody answers inside west either", router(dead=True)),
    ),
    *kept_out(kubelets_are_kept_out, "kubelet"),
    *kept_out(kubelets_are_kept_out, "kubelet", FLAT),
    *reached(pods_are_reached, "pod", FLAT),
    *reached(api_server_as_read, "api", REMOTE),
    *reached(gateway_is_reached, "gateway", SPLIT),
    *reached(api_server_and_gateway_as_the_topology_says, "gateway", SPLIT, missed="api"),
    *reached(api_server_and_gateway_as_the_topology_says, "api", SPLIT),
    *cases(
        api_server_as_read,
        on(("west", "east"), topology=REMOTE),
        passes(doing=router()),
        fails("a way is open from west to east", router(holes={"api"})),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_isolation(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
