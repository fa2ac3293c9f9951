"""What is claimed of authorization by namespace, in order, and for the whole mesh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from meshproof.traffic.tls_question import TlsAnswer, uris
from suites.authorization.claims import (
    denied_though_allowed,
    one_path_is_closed_mesh_wide,
    sleep_is_answered,
    the_namespace_alone_is_answered,
)
from suites.authorization.policies import CLOSED_PATH
from tests.claims.changes import after, answering, failing, forbidden, unheard, unlogged
from tests.claims.table import (
    FLAT,
    NO_LINE,
    SPLIT,
    Case,
    Doing,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.claims.tls import NOTHING, Question

DENIED = "HTTP/1.1 403 Forbidden\r\n\r\nRBAC: access denied"
DENY_SLEEP = "ns[sample]-policy[deny-sleep-after-all]-rule[0]"
MESH_WIDE = "ns[istio-system]-policy[closed-mesh-wide]-rule[0]"


def letting_in(lets: Callable[[str], bool]) -> Doing:
    """Servers deny all identities that they do not let in."""

    def done(stage: Stage) -> None:
        def judged(question: Question, answer: TlsAnswer) -> TlsAnswer:
            if answer.status != 200 or lets(uris(question.shown[0])[0]):
                return answer
            said = "HTTP/1.1 403 Forbidden"
            return replace(answer, status=403, body=DENIED, said=said)

        stage.tls.changes.append(judged)

    return done


def of_the_namespace(identity: str) -> bool:
    return "/ns/sample/" in identity


def by_its_end(identity: str) -> bool:
    """Whoever looks for the namespace's name alone."""
    return "sample/" in identity


def nobody_answers(stage: Stage) -> None:
    stage.tls.changes.append(lambda *_: NOTHING)


def ended_for_others(stage: Stage) -> None:
    """Handshakes of others are ended, and nobody says that they are denied."""
    stage.tls.changes.append(
        lambda asked, answer: answer if of_the_namespace(uris(asked.shown[0])[0]) else NOTHING
    )


def but(policy: str, doing: Doing) -> Doing:
    """A path is closed by the policy, and something else happens besides."""
    return after(forbidden(policy, CLOSED_PATH), doing)


CASES = [
    *cases(
        sleep_is_answered,
        on(),
        passes(),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        fails("v2 never answered", answering("v1")),
        unclear(NO_LINE, unlogged()),
    ),
    *(
        line
        for topology in (SPLIT, FLAT)
        for line in cases(
            the_namespace_alone_is_answered,
            on(topology=topology, before=letting_in(of_the_namespace)),
            passes(),
            fails("sa/sleep: no certificate", ended_for_others),
            fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        )
    ),
    *cases(
        the_namespace_alone_is_answered,
        on(),
        fails("as spiffe://cluster.local/ns/outside/sa/sleep"),
        fails("as spiffe://cluster.local/ns/beside-sample/sa/sleep", letting_in(by_its_end)),
        unclear("HTTP/1.1 403 Forbidden", letting_in(lambda _: False)),
        fails("no certificate, then 'nothing'", nobody_answers),
    ),
    *cases(
        denied_though_allowed,
        on(),
        passes(doing=forbidden(DENY_SLEEP)),
        fails("40 x 200"),
        fails("rbac_access_denied_matched_policy[none]", forbidden("none")),
        fails(
            "sa/nobody", forbidden(DENY_SLEEP, peer="spiffe://cluster.local/ns/sample/sa/nobody")
        ),
        unclear("in no server's log", after(forbidden(DENY_SLEEP), unheard())),
        unclear("no request came to v2", after(answering("v1"), forbidden(DENY_SLEEP))),
    ),
    *cases(
        one_path_is_closed_mesh_wide,
        on(),
        passes(doing=forbidden(MESH_WIDE, CLOSED_PATH)),
        fails("40 x 200"),
        fails("40 x 403", forbidden(MESH_WIDE)),
        fails("policy[deny-sleep-after-all]", forbidden(DENY_SLEEP, CLOSED_PATH)),
        unclear("in no server's log", but(MESH_WIDE, unheard())),
        unclear(NO_LINE, but(MESH_WIDE, unlogged())),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_authorization(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
