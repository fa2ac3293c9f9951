"""A mesh that is as it should be, in memory: what comes of calls, and what the wire would say.

A test changes one thing of it and sees what a claim says. Lines of access logs have the fields of
``mesh.operator_config.ACCESS_LOG``; answers are those of helloworld.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from meshproof.kube.asking import Question, Reply
from meshproof.kube.objects import Object
from meshproof.kube.workload import Workload
from meshproof.lab.network.counters import FlowKey
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.mesh import Way
from meshproof.mesh.operator_config import ACCESS_LOG
from meshproof.mesh.proxy import outbound
from meshproof.mesh.routes import host_of
from meshproof.model import UNRELATED_ROOTS, Mtls
from meshproof.process import Finished
from meshproof.traffic.access_log import UNMATCHED
from meshproof.traffic.machines import network_of, way_to
from meshproof.workloads.sample import GRPC_PORT, HOST, NAMESPACE, PORT
from tests.claims.told import Told
from tests.doubles.asked import RESET, answered
from tests.doubles.calls import Call, call_of
from tests.doubles.played import PlayedCluster, PlayedPod, ended

Line = Mapping[str, object]
_VERSIONED = re.compile(r"^(?:only|helloworld)-(?P<version>v\d+)\.")


@dataclass(frozen=True)
class Came:
    """What comes of a call: what the caller is told; the line in its log; the lines in others';
    and the segments on the wire, each a place, a kind and a conversation."""

    reply: Reply
    server: PlayedPod | None = None
    line: Line | None = None
    heard: tuple[tuple[PlayedPod, Line], ...] = ()
    crossed: tuple[tuple[str, str, FlowKey], ...] = ()

    def logged(self, **fields: object) -> Came:
        """The same with other fields in the caller's line."""
        return replace(self, line={**(self.line or {}), **fields})


Change = Callable[[Call, Came], Came]


class World(Told):
    """``changes``: what is done to what comes of each call; ``chosen``: which pods may answer a
    call, of those that it can reach; ``subset``: by whose name a pod is asked for."""

    def __init__(self, topology: str, mtls: Mtls, variants: Iterable[str]) -> None:
        super().__init__(topology, mtls, variants)
        self.changes: list[Change] = []
        self.chosen: Callable[[Call, list[PlayedPod]], list[PlayedPod]] = lambda _, pods: pods
        self.subset: Callable[[Call, PlayedPod], str] = lambda *_: ""
        self.replies: Callable[[PlayedPod, Question], Reply | None] = lambda *_: None
        self.nodes: Callable[[PlayedCluster, Sequence[str]], str] = lambda *_: ""
        self.applied: list[Object] = []
        self.ways_known: dict[tuple[str, str], Collection[Way]] = {}
        self.made = Counter[str]()

    def run(self, pod: PlayedPod, argv: Sequence[str], input: str | None) -> Finished:
        with self.lock:
            return answered(argv, input, lambda asked: self._reply(pod, asked))

    def _reply(self, pod: PlayedPod, asked: Question) -> Reply:
        if (reply := self.replies(pod, asked)) is not None:
            return reply
        call = call_of(asked, pod, self._number(pod))
        came = self.well(call)
        for change in self.changes:
            came = change(call, came)
        self._note(call, came)
        return came.reply

    def _number(self, pod: PlayedPod) -> int:
        self.made[pod.name] += 1
        return self.made[pod.name] - 1

    def _note(self, call: Call, came: Came) -> None:
        self.flows.update(came.crossed)
        own = [(call.caller, came.line)] if came.line else []
        for pod, line in (*own, *came.heard):
            self.say(pod, json.dumps(line))

    def well(self, call: Call) -> Came:
        """What comes of a call on a mesh that is as it should be."""
        pods = self._called(call)
        if not pods:
            return self.failed(call, 503, "UH", "no_healthy_upstream")
        pods = self.chosen(call, pods)
        server = pods[call.number % len(pods)]
        mtls = self.mesh.deployment.mtls
        if not call.caller.sidecar:
            return self._plainly(call, server, answered=mtls is not Mtls.STRICT)
        if self._distrusted(call.caller, server):
            failure = "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED"
            return self.failed(call, 503, "UF", "upstream_reset", server, upstream_failure=failure)
        return self.served(call, server, encrypted=mtls is not Mtls.DISABLED)

    def served(self, call: Call, server: PlayedPod, *, encrypted: bool = True) -> Came:
        """A call by a sidecar that a pod answers."""
        client, served_as = self.identity(call.caller), self.identity(server)
        line = self.line(call, 200, server) | {"upstream_peer": served_as if encrypted else None}
        host = call.host if self.exposed(call.host) else HOST
        sni = sni_of(host, PORT, self.subset(call, server))
        taken = self.line(call, 200) | {
            "upstream_host": f"{server.address}:{PORT}",
            "upstream_cluster": f"inbound|{PORT}||",
            "peer": client if encrypted else None,
            "sni": sni if encrypted else None,
            "tls": "TLSv1.3" if encrypted else None,
        }
        xfcc = f'By={served_as};Hash=ab;Subject="";URI={client}' if encrypted else ""
        return Came(
            Reply(
                status=200,
                body=self.body(call, server, xfcc),
                source=f"{call.caller.address}:40000",
            ),
            server,
            line,
            ((server, taken),),
            self.segments(call, server, "tls" if encrypted else "http"),
        )

    def body(self, call: Call, server: PlayedPod, xfcc: str = "") -> str:
        """What helloworld says."""
        lines = [f"Hello version: {server.version}, instance: {server.name}", f"host: {call.host}"]
        lines += [f"x-request-id: {call.id}"]
        lines += [f"x-forwarded-client-cert: {xfcc}"] if xfcc else []
        return "\n".join(lines) + "\n"

    def failed(
        self,
        call: Call,
        status: int,
        flags: str,
        details: str,
        server: PlayedPod | None = None,
        **fields: object,
    ) -> Came:
        """A call that ends at the caller's own proxy, or at the server that it was sent to."""
        line = self.line(call, status, server) | {"flags": flags, "details": details} | fields
        line |= {"attempts": 1 if server else 0}
        body = str(fields.get("upstream_failure", details))
        crossed = self.segments(call, server, "tls") if server else ()
        return Came(Reply(status=status, body=body), server, line, (), crossed)

    def line(self, call: Call, status: int, server: PlayedPod | None = None) -> dict[str, object]:
        """A line in an access log, as of a call that went to ``server``."""
        name = call.host.split(".", maxsplit=1)[0]
        host = call.host if self.exposed(call.host) else host_of(name, NAMESPACE)
        to = {
            "upstream_host": str(self.upstream(call, server)) if server else None,
            "upstream_cluster": outbound(host, PORT),
        }
        told = {"request_id": call.id, "status": status, "flags": "-", "details": "via_upstream"}
        sure = {"attempts": 1, "method": "GET", "downstream": f"{call.caller.address}:40000"}
        return dict.fromkeys(ACCESS_LOG) | told | sure | to

    def upstream(self, call: Call, server: PlayedPod) -> Way:
        """Where a sidecar calls a pod."""
        if call.address is not None:
            return Way(call.address, call.port)
        ways = sorted(self._ways(call.caller, server))
        way = ways[call.number % len(ways)]
        by_pod = way.address == server.address
        return Way(way.address, GRPC_PORT) if by_pod and call.url.startswith("grpc://") else way

    def _ways(self, caller: PlayedPod, server: PlayedPod) -> Collection[Way]:
        if not self.deployment.topology.machines:
            return self.sample.ways(caller.cluster, server)
        key = caller.name, server.version
        if key not in self.ways_known:
            self.ways_known[key] = way_to(self.sample, caller, server.version).ways
        return self.ways_known[key]

    def segments(
        self, call: Call, server: PlayedPod, kind: str
    ) -> tuple[tuple[str, str, FlowKey], ...]:
        """What the wire sees of one call: from the caller, whose address beyond its own network
        is its node's, and from the gateway on, if it went by one."""
        way = self.upstream(call, server)
        here, there = call.caller.place, server.place
        near = network_of(self.sample, call.caller) == network_of(self.sample, server)
        beyond = sorted(call.caller.seen_as - {call.caller.address}) or [call.caller.address]
        source = call.caller.address if near else beyond[0]
        place = here if here == there else f"{here}_to_{there}"
        crossed = [(place, kind, FlowKey(source, way.address, way.port))]
        if way.address != server.address:
            gateway = self.gateway(next(iter(self.mesh.ways_to(there))))
            crossed.append((there, kind, FlowKey(gateway.address, server.address, PORT)))
        return tuple(crossed)

    def _plainly(self, call: Call, server: PlayedPod, *, answered: bool) -> Came:
        """A call by somebody without a sidecar."""
        way = self.way_of(call, server)
        gates = [name for name in self.mesh.ways_to(server.cluster) if self.way(name) == way]
        source = f"{call.caller.address}:{40000 + call.number}"
        crossed = self.segments(call, server, "http")[:1]
        if answered and not gates:
            told = Reply(status=200, body=self.body(call, server), source=source)
            return Came(told, server, None, (), crossed)
        unmatched = {"flags": "NR", "details": UNMATCHED, "downstream": source, "status": 0}
        turned = dict.fromkeys(ACCESS_LOG) | unmatched | {"failure": "TLS_error|HTTP_REQUEST"}
        by = self.gateway(gates[0]) if gates else server
        return Came(replace(RESET, source=source), None, None, ((by, turned),), crossed)

    def way_of(self, call: Call, server: PlayedPod) -> Way:
        """Where a caller without a sidecar gets to."""
        return Way(call.address or server.address, call.port)

    def _called(self, call: Call) -> list[PlayedPod]:
        """The pods that a call may get to, as the mesh is now."""
        here, pods = call.caller.cluster, self.servers()
        if call.address is not None:
            at = Way(call.address, call.port)
            near = [one for one in pods if at in self.sample.ways(here, one)]
            return [one for one in near if one.cluster == here] or near
        if not call.caller.sidecar:
            return [one for one in pods if one.cluster == here]
        if named := _VERSIONED.match(call.host):
            pods = [one for one in pods if one.version == named["version"]]
        plain = self.mesh.deployment.mtls is Mtls.DISABLED
        topology = self.deployment.topology
        if exposure := self.exposed(call.host):
            there = topology.providers(exposure)
            theirs = [one for one in pods if one.cluster in there and not plain]
            return [one for one in theirs if not self._distrusted(call.caller, one)]
        known = [one for one in pods if topology.knows(here, one.cluster)]
        near = [one for one in known if topology.same_network(here, one.cluster)]
        if plain:
            return near
        trusted = [one for one in known if not self._distrusted(call.caller, one)]
        return known if named else trusted

    def _distrusted(self, caller: Workload, server: Workload) -> bool:
        """Whether the two have certificates of unrelated roots."""
        one, other = (self.deployment.topology[pod.cluster].primary for pod in (caller, server))
        plain = self.mesh.deployment.mtls is Mtls.DISABLED
        return not plain and UNRELATED_ROOTS in self.deployment.variants and one != other

    @contextmanager
    def apply(self, cluster: Any, objects: Sequence[Object]) -> Iterator[None]:
        """In place of ``kube.objects.applied``: what is applied is in ``applied`` meanwhile."""
        self.applied += objects
        try:
            yield
        finally:
            for one in objects:
                self.applied.remove(one)

    def on_node(self, cluster: PlayedCluster, argv: Sequence[str]) -> Finished:
        return ended(self.nodes(cluster, argv))
