"""What is claimed of the channel between istiod and its proxies."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from meshproof.lab.network.counters import Counters, FlowKey
from meshproof.mesh.credentials import issue
from meshproof.mesh.mesh import Way
from meshproof.mesh.trust import Authority
from meshproof.traffic.probe import Answer, Refusal, probe
from meshproof.traffic.tls_question import TlsAnswer, distrusted
from suites.channel import false_istiod
from suites.channel.claims import PLAIN_PORT, PORT, only_the_mesh_gets_in, proxies_speak_tls
from suites.channel.false_istiod import (
    ANOTHERS_NAME,
    UNKNOWN_AUTHORITY,
    Astray,
    Shown,
    a_false_istiod_is_refused,
    refused_everywhere,
)
from tests.claims.changes import after
from tests.claims.substitutes import everywhere
from tests.claims.table import (
    Case,
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
from tests.claims.tls import NOTHING, Question
from tests.claims.world import World

ISTIOD = Way(IPv4Address("10.110.0.12"), PORT)
"""istiod's Service in east."""
FOREIGN = Authority.root("another").intermediate("another")


def istiod(
    stage: Stage, signer: str = "east", alert: str = "bad certificate", *, present: bool = True
) -> None:
    """istiod answers handshakes, by the authority of a cluster, and refuses other roots' clients
    with an alert; it says nothing to plain text."""
    tls = stage.tls

    def answer(question: Question, otherwise: TlsAnswer) -> TlsAnswer:
        if question.way != ISTIOD:
            return otherwise
        chain = tls.chain(stage.world.pod("sleep", "east"), signer)
        root = tls.installed(stage.world.clusters["east"]).root
        foreign = bool(distrusted(question.shown, root))
        found = TlsAnswer(chain, None, "", alert if foreign else "", "unexpected eof")
        return found if present else NOTHING

    tls.changes.append(answer)
    answering_plainly(Answer(refusal=Refusal.SILENCE))(stage)


def istiod_with(**options: Any) -> Doing:
    return lambda stage: istiod(stage, **options)


def answering_plainly(answer: Answer, *, seen: bool = True) -> Doing:
    """What comes of plain text to istiod; the wire sees it."""

    def done(stage: Stage) -> None:
        world = stage.world

        def ask(client: Any, target: Any, *_: object) -> Answer:
            key = FlowKey(client.address, ISTIOD.address, PORT)
            if seen:
                world.flows["east", "http", key] += 1
            return answer

        # Whoever asks now: what was put in its place before is replaced as well.
        current = sys.modules[Answer.__module__].__dict__[probe.__name__]
        everywhere(stage.monkeypatch, current, ask)

    return done


def carrying(*carried: tuple[str, int]) -> Doing:
    """The wire sees segments of these kinds to ports of istiod, each time that it is looked at."""

    def done(stage: Stage) -> None:
        world = stage.world
        source = world.pod("sleep", "east").address

        def counters() -> Counters:
            for kind, port in carried:
                world.flows["east", kind, FlowKey(source, ISTIOD.address, port)] += 3
            return world.counted()

        world.lab.counters = counters
        world.dumps = Told(world)

    return done


class Told(defaultdict[str, Sequence[Mapping[str, object]]]):
    """The configuration of every proxy: it names each object that is applied now."""

    def __init__(self, world: World) -> None:
        super().__init__(list)
        self.world = world

    def __getitem__(self, pod: str) -> Sequence[Mapping[str, object]]:
        names = [one["metadata"]["name"] for one in self.world.applied]
        return [{"filename": f"/virtual-service/{name}"} for name in names]


def untold(stage: Stage) -> None:
    """No proxy's configuration names anything."""
    stage.world.dumps = defaultdict(list)


def asked_by(authority: Callable[[Stage], Authority]) -> Callable[[Stage], tuple[object, ...]]:
    def of(stage: Stage) -> tuple[object, ...]:
        sample = stage.world.sample
        shown = issue(authority(stage), sample.caller_identity("east"))
        return sample, "east", ISTIOD, shown

    return of


def watched(stage: Stage) -> tuple[object, ...]:
    return stage.world.sample, "east", ISTIOD


def refusing_all(_: Question, answer: TlsAnswer) -> TlsAnswer:
    return replace(answer, alert="bad certificate")


def led(*attempts: str, ready: bool = False) -> Setting:
    """A sidecar was led to a false istiod, and its log says this."""

    def of(stage: Stage) -> tuple[object, ...]:
        return Astray(stage.world.pod("sleep", "east"), attempts, ready), UNKNOWN_AUTHORITY

    return Setting(of)


def led_everywhere(**said: str) -> Doing:
    """What sidecars' logs say of the false istiods that they are led to, by their kinds."""

    def done(stage: Stage) -> None:
        def lead(_: object, cluster: str, shown: Shown) -> Astray:
            told = said.get(shown.name, "")
            attempts = (f"authentication handshake failed: {told}",) if told else ()
            return Astray(stage.world.pod("sleep", cluster), attempts, ready=False)

        stage.monkeypatch.setattr(false_istiod, "led_astray", lead)

    return done


TLS = ("tls", PORT)
UNKNOWN = f"transport: authentication handshake failed: x509: {UNKNOWN_AUTHORITY}"
ANOTHER = f"transport: authentication handshake failed: x509: {ANOTHERS_NAME}, but wanted to match"

CASES = [
    *cases(
        only_the_mesh_gets_in,
        Setting(asked_by(lambda _: FOREIGN), before=istiod),
        passes(),
        fails("the answer 'HTTP/1.1 400' to plain text", answering_plainly(Answer("HTTP/1.1 400"))),
        fails("it was not refused", istiod_with(alert="")),
        fails("one by CN=", istiod_with(signer="west")),
        fails("no certificate was shown", istiod_with(present=False)),
        unclear("'unexpected eof'", lambda stage: stage.tls.changes.append(refusing_all)),
    ),
    *cases(
        only_the_mesh_gets_in,
        Setting(asked_by(lambda stage: stage.tls.authorities["east"]), before=istiod),
        fails("it was not refused"),
    ),
    *cases(
        proxies_speak_tls,
        Setting(watched, before=after(istiod, carrying(TLS))),
        passes(),
        fails("0 segments of TLS", carrying()),
        fails("3 of other kinds", carrying(TLS, ("http", PORT))),
        fails("3 of other kinds", carrying(TLS, ("tls", PLAIN_PORT))),
        unclear("nobody was told", untold),
        unclear(
            "0 segments of plain text",
            answering_plainly(Answer(refusal=Refusal.SILENCE), seen=False),
        ),
    ),
    *cases(
        refused_everywhere,
        on({Shown.ANOTHER_ROOTS: UNKNOWN_AUTHORITY, Shown.A_WORKLOADS: ANOTHERS_NAME}),
        passes(doing=led_everywhere(ANOTHER_ROOTS=UNKNOWN_AUTHORITY, A_WORKLOADS=ANOTHERS_NAME)),
        fails(
            f"it was not refused for that: authentication handshake failed: {UNKNOWN_AUTHORITY}",
            led_everywhere(ANOTHER_ROOTS=UNKNOWN_AUTHORITY, A_WORKLOADS=UNKNOWN_AUTHORITY),
        ),
        unclear("nothing of any handshake", led_everywhere(ANOTHER_ROOTS=UNKNOWN_AUTHORITY)),
    ),
    *cases(a_false_istiod_is_refused, led(UNKNOWN, UNKNOWN), passes(UNKNOWN_AUTHORITY)),
    *cases(a_false_istiod_is_refused, led(UNKNOWN, ANOTHER), fails(ANOTHERS_NAME)),
    *cases(a_false_istiod_is_refused, led(UNKNOWN, ready=True), fails("it is ready")),
    *cases(a_false_istiod_is_refused, led(), unclear("nothing of any handshake")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_channel(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
