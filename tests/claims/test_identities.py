"""What is claimed of peers' identities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from meshproof.mesh.credentials import issue
from meshproof.mesh.trust import Authority
from meshproof.model import UNRELATED_ROOTS
from meshproof.traffic.tls_question import TlsAnswer
from suites.identities.claims import (
    another_roots_client_is_refused,
    peers_know_each_other,
    primaries_are_siblings,
    signed_by_the_primarys_authority,
    workloads,
)
from suites.identities.lifetimes import SHORT, USUAL, valid_for
from tests.claims.changes import answering, changed, logged, unlogged
from tests.claims.table import (
    REMOTE,
    SPLIT,
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
from tests.claims.world import Came
from tests.doubles.calls import Call


def east_calls(stage: Stage) -> tuple[object, ...]:
    sample = stage.world.sample
    return sample, sample.caller("east")


def all_workloads(stage: Stage) -> tuple[object, ...]:
    sample = stage.world.sample
    return sample, workloads(sample)


def all_for(asked: timedelta) -> Callable[[Stage], tuple[object, ...]]:
    return lambda stage: (*all_workloads(stage), asked)


def other_client(_: Call, came: Came) -> Came:
    body = came.reply.body.replace("sa/sleep", "sa/other-client")
    return replace(came, reply=replace(came.reply, body=body))


def shown(change: Callable[[Stage, Question, TlsAnswer], TlsAnswer]) -> Doing:
    """Something else comes of handshakes."""

    def done(stage: Stage) -> None:
        stage.tls.changes.append(lambda question, answer: change(stage, question, answer))

    return done


def as_sleep(stage: Stage, question: Question, answer: TlsAnswer) -> TlsAnswer:
    """Every pod of west shows sleep's certificate."""
    if question.server is None or question.server.cluster != "west":
        return answer
    return replace(answer, chain=stage.tls.chain(stage.world.pod("sleep", "west")))


def signed_by_its_own(stage: Stage) -> None:
    """The remote's own authority has signed for its workloads."""
    stage.tls.signers["west"] = "west"


def one_authority(stage: Stage) -> None:
    stage.tls.authorities["west"] = stage.tls.authorities["east"]


def another_roots(stage: Stage) -> tuple[object, ...]:
    """A certificate with sleep's name that another root stands behind."""
    sample = stage.world.sample
    authority = Authority.root("another").intermediate("another")
    return sample, "east", issue(authority, sample.caller_identity("east"))


def the_meshs_own(stage: Stage) -> tuple[object, ...]:
    sample = stage.world.sample
    return sample, "east", issue(stage.tls.authorities["east"], sample.caller_identity("east"))


def silent(stage: Stage) -> None:
    stage.tls.telling = False


def genuine_shut_out(stage: Stage, question: Question, answer: TlsAnswer) -> TlsAnswer:
    return NOTHING if answer.status == 200 else answer


CASES = [
    *cases(
        peers_know_each_other,
        Setting(east_calls, SPLIT),
        passes(),
        fails("sa/other-client", changed(other_client)),
        fails("in the caller's log spiffe://x", logged(upstream_peer="spiffe://x")),
        fails("v2 never answered", answering("v1")),
        unclear("have no line in the caller's access log", unlogged()),
    ),
    *cases(
        signed_by_the_primarys_authority,
        Setting(all_workloads, REMOTE),
        passes(),
        fails("not signed by", signed_by_its_own),
        fails("no certificate was shown", shown(lambda *_: NOTHING)),
        fails("sa/sleep, issued by", shown(as_sleep)),
        unclear("east and", one_authority),
    ),
    *cases(
        valid_for,
        Setting(all_for(SHORT), REMOTE),
        passes(),
        fails("sleep of east showed no certificate", shown(lambda *_: NOTHING)),
    ),
    *cases(
        valid_for,
        Setting(all_for(USUAL), REMOTE),
        fails("that of sleep of east is valid for 1:05:00 in all"),
    ),
    *cases(valid_for, on([], SHORT, topology=REMOTE), unclear("nothing")),
    *cases(
        primaries_are_siblings,
        on(topology=SPLIT),
        passes("2 authorities, 1 roots"),
        fails("1 authorities, 1 roots", one_authority),
    ),
    *cases(
        primaries_are_siblings,
        on(topology=SPLIT, variants=(UNRELATED_ROOTS,)),
        fails("2 authorities, 2 roots"),
    ),
    *cases(
        another_roots_client_is_refused,
        Setting(another_roots, SPLIT),
        passes(),
        unclear("and nothing of it in its own log", silent),
        unclear("no certificate, then 'nothing'", shown(genuine_shut_out)),
    ),
    *cases(
        another_roots_client_is_refused,
        Setting(the_meshs_own, SPLIT),
        fails("it was not refused: the certificate of spiffe://"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_identities(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
