"""What is claimed of gateways towards a client outside all clusters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.kube import asking
from meshproof.kube.asking import Reply
from meshproof.mesh.credentials import issue
from meshproof.mesh.trust import Authority
from meshproof.traffic.tls_question import TlsAnswer
from suites.gateways.outside import BYSTANDER, no_bystander_is_reached, nobody_gets_in
from tests.claims.table import Case, Doing, Setting, Stage, cases, fails, judge, passes, unclear
from tests.claims.tls import NOTHING, Question
from tests.doubles.asked import RESET
from tests.doubles.played import PlayedPod

ANOTHER = Authority.root("another").intermediate("another")


def telling_plainly(reply: Reply) -> Doing:
    """What the gateway says to an HTTP request."""

    def done(stage: Stage) -> None:
        def play(_: PlayedPod, asked: asking.Question) -> Reply | None:
            return reply if asked.kind == "tcp" else None

        stage.world.replies = play

    return done


def answering(*, shown: bool) -> Doing:
    """Clients that show a certificate, or those that show none, are answered, whoever they are."""

    def other(question: Question, answer: TlsAnswer) -> TlsAnswer:
        if bool(question.shown) is not shown:
            return answer
        return replace(answer, status=200, alert="", said="HTTP/1.1 200 OK")

    return lambda stage: stage.tls.changes.append(other)


def closed(stage: Stage) -> None:
    """Nobody answers there at all."""
    stage.tls.changes.append(lambda *_: NOTHING)


def led_astray(stage: Stage) -> None:
    """The gateway leads to somebody who has no sidecar."""

    def other(question: Question, answer: TlsAnswer) -> TlsAnswer:
        chain = stage.tls.chain(stage.world.servers("v2")[0])
        return replace(answer, chain=chain) if question.sni == BYSTANDER else answer

    stage.tls.changes.append(other)


def with_another_roots(stage: Stage) -> tuple[object, ...]:
    sample = stage.world.sample
    shown = issue(ANOTHER, sample.caller_identity("west"))
    return sample, "west", sample.outsider("east"), shown


def by_the_gateway(stage: Stage) -> tuple[object, ...]:
    sample = stage.world.sample
    return sample, "west", sample.outsider("east"), stage.world.way("west")


CASES = [
    *cases(
        nobody_gets_in,
        Setting(with_another_roots, before=telling_plainly(RESET)),
        passes(),
        fails("the answer 'HTTP/1.1 400'", telling_plainly(Reply(payload=b"HTTP/1.1 400\r\n"))),
        fails("without a certificate: ", answering(shown=False)),
        fails("with the certificate of another root: ", answering(shown=True)),
        unclear("no certificate, then 'nothing'", closed),
    ),
    *cases(
        no_bystander_is_reached,
        Setting(by_the_gateway),
        passes(),
        fails("the certificate of spiffe://", led_astray),
        unclear("no certificate, then 'nothing'", closed),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outside(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
