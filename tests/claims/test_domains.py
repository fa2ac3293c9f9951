"""What is claimed of a mesh with a trust domain for each control plane."""

from __future__ import annotations

import pytest

from meshproof.mesh.proxy import Endpoint
from meshproof.model import TRUST_DOMAINS, TRUST_DOMAINS_APART
from meshproof.traffic.tls_question import TlsAnswer
from suites.domains.claims import all_domains_are_one, each_domain_is_apart
from tests.claims.changes import after, always, answering, failing, logged, unlogged
from tests.claims.table import (
    FLAT,
    NO_LINE,
    SPLIT,
    Case,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.claims.tls import NOTHING, Question, but
from tests.doubles.played import PlayedPod

ALIASES, APART = (TRUST_DOMAINS,), (TRUST_DOMAINS_APART,)


def refused(stage: Stage) -> None:
    """Pods refuse certificates of another domain than their own."""

    def change(question: Question, answer: TlsAnswer) -> TlsAnswer:
        server, topology = question.server, stage.world.sample.topology
        if server is None or topology[server.cluster].mesh.trust_domain in answer.body:
            return answer
        return but(answer, status=None, body="", alert="certificate unknown", said="alert")

    stage.tls.changes.append(change)


def unknown(stage: Stage) -> None:
    """Proxies have no endpoints of other clusters."""
    world = stage.world
    usual = world.known

    def known(pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
        own = {str(one.address) for one in world.servers() if one.cluster == pod.cluster}
        return [one for one in usual(pod, service, version) if one.address in own]

    world.known = known


def nobody(stage: Stage) -> None:
    stage.tls.changes.append(lambda *_: NOTHING)


CASES = [
    *(
        line
        for topology in (SPLIT, FLAT)
        for line in cases(
            all_domains_are_one,
            on("east", topology=topology, variants=ALIASES),
            passes(),
            fails("v2 never answered", answering("v1")),
            fails("otherwise, such as", logged(upstream_peer="spiffe://cluster.local/ns/a/sa/b")),
            fails("alert", refused),
            unclear(NO_LINE, unlogged()),
        )
    ),
    *cases(
        each_domain_is_apart,
        on("east", topology=SPLIT, variants=APART, before=after(answering("v1"), refused)),
        passes(),
        fails("from another domain", answering("v2")),
        fails("it was not refused", lambda stage: stage.tls.changes.clear()),
        unclear("no certificate, then 'nothing'", nobody),
        unclear("1 ways there, unknown: ", unknown),
        unclear(
            "0 of 40 calls were answered", failing(503, "UH", "no_healthy_upstream", when=always)
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_domains(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
