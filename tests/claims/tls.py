"""Who signs, who holds which certificate, and what comes of handshakes, in a world's mesh."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Address
from typing import Any

from cryptography import x509

from meshproof.kube.workload import PodWorkload
from meshproof.lab.network.counters import FlowKey
from meshproof.mesh.credentials import Credential, Installed, issue
from meshproof.mesh.mesh import Way
from meshproof.mesh.operator_config import ACCESS_LOG
from meshproof.mesh.trust import Authority
from meshproof.traffic.access_log import UNMATCHED
from meshproof.traffic.tls_question import (
    ISTIO_ALPN,
    NO_CERTIFICATE,
    UNKNOWN_AUTHORITY,
    TlsAnswer,
    distrusted,
    uris,
)
from meshproof.workloads.sample import PORT, SLEEP, SNI
from tests.claims.world import World
from tests.doubles.played import PlayedPod

NOTHING = TlsAnswer((), None, "", "", "nothing")
_DEBUG = "2026-11-21T15:58:21Z\tdebug\tenvoy connection\tremote address:{}:46326,TLS_error:{}"
_REASONS = {
    NO_CERTIFICATE: "PEER_DID_NOT_RETURN_A_CERTIFICATE",
    UNKNOWN_AUTHORITY: "CERTIFICATE_VERIFY_FAILED",
}


@dataclass(frozen=True)
class Question:
    """A handshake as it was begun, and whom it came to; ``server``: None for nobody."""

    client: PodWorkload
    way: Way
    sni: str | None
    alpn: str | None
    shown: tuple[x509.Certificate, ...]
    server: PlayedPod | None


Change = Callable[[Question, TlsAnswer], TlsAnswer]


class Tls:
    """``authorities``: what each cluster's ``cacerts`` holds; ``signers``: whose authority signs
    for a cluster's workloads; ``changes``: what is done to what comes of each handshake;
    ``snis``: what gateways know the way to; ``telling``: whether proxies log what they do;
    ``seen``: whether the wire is watched."""

    def __init__(self, world: World) -> None:
        self.world = world
        topology = world.deployment.topology
        of, known = world.deployment.root_of, world.mesh.roots
        roots = {one.name: known[of(one)] for one in topology.meshed}
        self.authorities = {name: root.intermediate(name) for name, root in roots.items()}
        self.signers = {one.name: one.primary for one in topology.meshed}
        self.changes: list[Change] = []
        self.snis = {SNI}
        self.telling = self.seen = True

    def installed(self, cluster: Any) -> Installed:
        """In place of ``credentials.installed_authority``."""
        authority = self.authorities[cluster.name]
        assert authority.issuer is not None
        return Installed(authority, authority.issuer.certificate)

    def ask(
        self,
        client: PodWorkload,
        address: IPv4Address,
        port: int,
        sni: str | None,
        *,
        alpn: str | None = ISTIO_ALPN,
        credential: Credential | None = None,
    ) -> TlsAnswer:
        """In place of ``tls_question.ask``."""
        shown = (
            tuple(x509.load_pem_x509_certificates(credential.chain.encode())) if credential else ()
        )
        way = Way(address, port)
        question = Question(client, way, sni, alpn, shown, self._asked(client, way))
        answer = self._well(question)
        for change in self.changes:
            answer = change(question, answer)
        self._note(question, answer)
        return answer

    def chain(self, pod: PodWorkload, signer: str | None = None) -> tuple[x509.Certificate, ...]:
        """What a pod shows: its own certificate and its signer's."""
        authority = self.authorities[signer or self.signers[pod.cluster]]
        return _issued(authority, self.world.identity(pod))

    def _asked(self, client: PodWorkload, way: Way) -> PlayedPod | None:
        """Whom a way leads to: near pods are nearer than others of the same address."""
        world = self.world
        sleeps = [one for one in world.pods if one.account == SLEEP and one.sidecar]
        at = [one for one in [*world.servers(), *sleeps] if Way(one.address, PORT) == way]
        near = [one for one in at if one.cluster == client.cluster]
        behind = [one for one in world.servers() if way in world.mesh.ways_to(one.cluster).values()]
        return next(iter([*near, *at, *behind]), None)

    def _well(self, question: Question) -> TlsAnswer:
        server = question.server
        through = server is not None and Way(server.address, PORT) != question.way
        if server is None or (through and not self._led_on(question)):
            return NOTHING
        chain = self.chain(server)
        if not question.shown:
            return TlsAnswer(chain, None, "", NO_CERTIFICATE, f"alert {NO_CERTIFICATE}")
        if distrusted(question.shown, self.installed(server.running).root):
            return TlsAnswer(chain, None, "", UNKNOWN_AUTHORITY, f"alert {UNKNOWN_AUTHORITY}")
        hello = f"Hello version: {server.version}, instance: {server.name}"
        identity = uris(question.shown[0])[0]
        body = f"HTTP/1.1 200 OK\r\n\r\n{hello}\nx-forwarded-client-cert: URI={identity}"
        return TlsAnswer(chain, 200, body, "", "HTTP/1.1 200 OK")

    def _led_on(self, question: Question) -> bool:
        return question.sni in self.snis and question.alpn == ISTIO_ALPN

    def _note(self, question: Question, answer: TlsAnswer) -> None:
        """What logs say of it, the gateway's and the server's own, and what the wire saw."""
        server, client, world = question.server, question.client, self.world
        gateway = next((one for one in world.gateways() if world.leads(one, question.way)), None)
        if self.telling:
            if gateway is not None:
                world.say(gateway, json.dumps(self._passed(question, answer)))
            if server is not None and answer.alert in _REASONS:
                source = gateway.address if gateway else client.address
                world.say(server, _DEBUG.format(source, _REASONS[answer.alert]))
        if self.seen:
            near = gateway is None and server is not None
            source = client.address if near else client.node.address
            key = FlowKey(source, question.way.address, question.way.port)
            with world.lock:
                world.flows[client.cluster, "tls", key] += 2

    def _passed(self, question: Question, answer: TlsAnswer) -> dict[str, object]:
        """A line in the gateway's access log: passed on, or without a chain for it."""
        line = dict.fromkeys(ACCESS_LOG) | {"sni": question.sni, "status": 0}
        if not answer.chain or question.server is None:
            return line | {"flags": "NR", "details": UNMATCHED}
        return line | {"flags": "-", "upstream_host": f"{question.server.address}:{PORT}"}


@cache
def _issued(authority: Authority, identity: str) -> tuple[x509.Certificate, ...]:
    pems = issue(authority, identity).chain.encode()
    return tuple(x509.load_pem_x509_certificates(pems))


def but(answer: TlsAnswer, **fields: Any) -> TlsAnswer:
    """The same answer with other fields."""
    return replace(answer, **fields)
