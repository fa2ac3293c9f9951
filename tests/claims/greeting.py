"""helloworld's plain port in a world: what comes of connections, in logs and on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from meshproof.kube.asking import Failure, Question, Reply
from meshproof.lab.network.counters import FlowKey
from meshproof.mesh.operator_config import ACCESS_LOG
from meshproof.mesh.proxy import outbound
from meshproof.traffic.access_log import UNMATCHED
from meshproof.workloads.sample import HOST, TCP_PORT
from tests.claims.table import Doing, Stage
from tests.claims.world import Line, World
from tests.doubles.asked import RESET
from tests.doubles.played import PlayedPod


@dataclass(frozen=True)
class Met:
    """What came of a connection. ``length``: how many bytes were said; ``failure``: None where it
    was greeted; ``line``: in the caller's log; ``others``: in others' logs; ``crossed``: segments
    on the wire."""

    caller: PlayedPod
    number: int
    length: int
    server: PlayedPod
    failure: Failure | None = None
    line: Line | None = None
    others: tuple[tuple[PlayedPod, Line], ...] = ()
    crossed: tuple[tuple[str, str, FlowKey], ...] = ()

    @property
    def source(self) -> str:
        return f"{self.caller.address}:{50000 + self.number}"


def ended(met: Met) -> Met:
    """The other side resets it before a greeting."""
    return replace(met, failure=RESET.failure)


MetChange = Callable[[Met], Met]


@dataclass
class Greeter:
    """Plays the plain port. ``changes``: what is done to what comes of each connection; ``open``:
    whether callers without a sidecar are let in."""

    world: World
    open: bool = False
    changes: list[MetChange] = field(default_factory=list)
    made: int = 0

    def play(self, pod: PlayedPod, asked: Question) -> Reply | None:
        """What a connection by TCP comes to."""
        if asked.kind != "tcp":
            return None
        met = self.well(pod, asked.address.rpartition(":")[0], len(asked.payload))
        for change in self.changes:
            met = change(met)
        return self._told(met)

    def well(self, caller: PlayedPod, host: str, length: int) -> Met:
        world, number = self.world, self.made
        self.made += 1
        reached = world.sample.reached_from(caller.cluster)
        pods = [one for one in world.servers() if one.version in reached]
        if (exposure := world.exposed(host)) is not None:
            there = world.sample.topology.providers(exposure)
            pods = [one for one in world.servers() if one.cluster in there]
        if not caller.sidecar:
            pods = [one for one in pods if one.cluster == caller.cluster]
        server = pods[number % len(pods)]
        met = Met(caller, number, length, server)
        if not caller.sidecar:
            return met if self.open else self._turned_away(met)
        return self._between_sidecars(met)

    def _turned_away(self, met: Met) -> Met:
        line = dict.fromkeys(ACCESS_LOG) | {"flags": "NR", "details": UNMATCHED, "status": 0}
        line |= {"downstream": met.source}
        return replace(ended(met), others=((met.server, line),))

    def _between_sidecars(self, met: Met) -> Met:
        world, server, caller = self.world, met.server, met.caller
        identity, served_as = world.identity(caller), world.identity(server)
        near = world.sample.topology.same_network(caller.cluster, server.cluster)
        way = f"{server.address}:{TCP_PORT}"
        if not near:
            way = str(next(iter(world.mesh.ways_to(server.cluster).values())))
        own = dict.fromkeys(ACCESS_LOG) | {
            "downstream": met.source,
            "received": met.length,
            "upstream_host": way,
            "upstream_cluster": outbound(HOST, TCP_PORT),
            "upstream_peer": served_as,
        }
        inbound = {"upstream_cluster": f"inbound|{TCP_PORT}||", "peer": identity}
        theirs = dict.fromkeys(ACCESS_LOG) | inbound
        address, _, port = way.rpartition(":")
        source = caller.address if near else caller.node.address
        flow = FlowKey(source, IPv4Address(address), int(port))
        crossed = [(caller.cluster, "tls", flow)]
        if not near:
            gateway = world.gateway(next(iter(world.mesh.ways_to(server.cluster))))
            flow = FlowKey(gateway.address, server.address, TCP_PORT)
            crossed.append((server.cluster, "tls", flow))
        return replace(met, line=own, others=((server, theirs),), crossed=tuple(crossed))

    def _told(self, met: Met) -> Reply:
        self.world.flows.update(met.crossed)
        for pod, line in [*([(met.caller, met.line)] if met.line else []), *met.others]:
            self.world.say(pod, json.dumps(line))
        greeting = f"hello {met.server.version} {met.server.name}".encode()
        said = b"" if met.failure else greeting
        return Reply(met.failure, said, source=met.source)


def greeter(*changes: MetChange, opened: bool = False) -> Doing:
    """The plain port is played, and something is done to what comes of connections."""

    def done(stage: Stage) -> None:
        stage.world.replies = Greeter(stage.world, opened, list(changes)).play

    return done


def of_sidecars(change: MetChange) -> MetChange:
    """Something is done to connections between sidecars alone."""
    return lambda met: change(met) if met.caller.sidecar else met


def logging(**fields: object) -> MetChange:
    """The caller's proxy logs something else."""
    return of_sidecars(lambda met: replace(met, line={**(met.line or {}), **fields}))


def heard_as(**fields: object) -> MetChange:
    """The server's proxy logs something else."""

    def change(met: Met) -> Met:
        return replace(met, others=tuple((pod, {**line, **fields}) for pod, line in met.others))

    return change
