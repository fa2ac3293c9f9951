"""What is claimed of the SNI gateway, of authorization behind it, and of its statistics."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from meshproof.kube import asking
from meshproof.kube.asking import Reply
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.operator_config import ACCESS_LOG
from meshproof.traffic.access_log import UNMATCHED
from meshproof.traffic.tls_question import TlsAnswer
from meshproof.workloads.sample import HOST, PORT, SNI
from suites.gateways.authorization import allowed, denied
from suites.gateways.claims import (
    calls_cross,
    the_gateway_refuses,
    the_workload_shows_its_own_certificate,
    the_workload_turns_away,
)
from suites.gateways.clients import PLAIN_HTTP, WITHOUT_ALPN
from suites.gateways.indifference import a_deny_all_changes_nothing, twins_are_accepted
from suites.gateways.manifests import GOVERNED_PORT, TWINS
from suites.gateways.telemetry import only_tcp_is_counted
from tests.claims.changes import (
    after,
    answering,
    changed,
    failing,
    forbidden,
    logged,
    unheard,
    unlogged,
)
from tests.claims.table import (
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
from tests.claims.world import Came
from tests.doubles.asked import RESET
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod

DENIED = "tcp.rbac.denied"
TAKEN, REJECTED = "cluster_manager.cds.update_success", "cluster_manager.cds.update_rejected"
ADMIN = "http.admin.downstream_rq_total"
OPENED = f"cluster.{SNI};.upstream_cx_total"
READ = f"tcp.{SNI};.downstream_cx_rx_bytes_total"


# --- handshakes


def gateways_own(stage: Stage) -> None:
    """The gateway ends TLS: it shows its own certificate."""

    def other(question: Question, answer: TlsAnswer) -> TlsAnswer:
        through = question.way == stage.world.way("west")
        chain = stage.tls.chain(stage.world.gateway("west"))
        return replace(answer, chain=chain) if through else answer

    stage.tls.changes.append(other)


def unwatched(stage: Stage) -> None:
    stage.tls.seen = False


def silent(stage: Stage) -> None:
    stage.tls.telling = False


def nobody_there(stage: Stage) -> None:
    stage.tls.changes.append(lambda *_: NOTHING)


def let_in(stage: Stage) -> None:
    """Whoever is asked shows the workload's certificate."""
    server = stage.world.servers("v2")[0]
    stage.tls.changes.append(lambda _, answer: replace(answer, chain=stage.tls.chain(server)))


def answered(stage: Stage) -> None:
    """The workload does not ask for a certificate."""
    stage.tls.changes.append(
        lambda _, answer: replace(answer, status=200, alert="", said="HTTP/1.1 200 OK")
    )


def asked_plainly(said: str) -> Doing:
    """What the gateway says to an HTTP request; it logs what it turns away."""

    def done(stage: Stage) -> None:
        world = stage.world

        def play(pod: PlayedPod, asked: asking.Question) -> Reply | None:
            if asked.kind != "tcp":
                return None
            failure = {"failure": "TLS_error|HTTP_REQUEST", "flags": "NR", "details": UNMATCHED}
            world.say(world.gateway("west"), json.dumps(dict.fromkeys(ACCESS_LOG) | failure))
            return Reply(payload=said.encode()) if said else RESET

        world.replies = play

    return done


# --- what is applied


def is_applied(stage: Stage, kind: str, name: str) -> bool:
    return any(
        (one["kind"], one["metadata"]["name"]) == (kind, name) for one in stage.world.applied
    )


def governed(stage: Stage) -> None:
    """The governed way leads to somebody while it is there, and a deny-all closes it."""
    world = stage.world

    def other(question: Question, answer: TlsAnswer) -> TlsAnswer:
        if question.way.port != GOVERNED_PORT or not is_applied(stage, "Gateway", "governed"):
            return answer
        if is_applied(stage, "AuthorizationPolicy", "deny-all"):
            world.stats[world.gateway("west").name][DENIED] += 1
            return NOTHING
        return replace(answer, chain=stage.tls.chain(world.servers("v2")[0]))

    stage.tls.changes.append(other)


def policy_does_not_come(stage: Stage) -> None:
    stage.tls.changes.append(
        lambda question, answer: (
            replace(answer, chain=stage.tls.chain(stage.world.servers("v2")[0]))
            if question.way.port == GOVERNED_PORT and is_applied(stage, "Gateway", "governed")
            else answer
        )
    )


def workload_denied_too(stage: Stage) -> None:
    def other(question: Question, answer: TlsAnswer) -> TlsAnswer:
        denying = is_applied(stage, "AuthorizationPolicy", "deny-all")
        return NOTHING if denying and question.way.port != GOVERNED_PORT else answer

    stage.tls.changes.append(other)


def also_counted(stage: Stage) -> None:
    """The gateway denies a connection of a call."""

    def count(_: Call, came: Came) -> Came:
        stage.world.stats[stage.world.gateway("west").name][DENIED] += 1
        return came

    changed(count, lambda call: call.number == 0)(stage)


def serving_twins(statistic: str = TAKEN, served: bool = True) -> Doing:
    """The gateway takes what is applied, or rejects it, and serves the subsets, or does not."""

    def done(stage: Stage) -> None:
        world = stage.world
        snis = {sni_of(HOST, PORT, name) for name in TWINS}
        counted = False

        def other(question: Question, answer: TlsAnswer) -> TlsAnswer:
            nonlocal counted
            if not is_applied(stage, "DestinationRule", "twins"):
                return NOTHING if question.sni in snis else answer
            if not counted and statistic:
                world.stats[world.gateway("west").name][statistic] += 1
            counted = True
            return answer if served or question.sni not in snis else NOTHING

        stage.tls.snis |= snis
        stage.tls.changes.append(other)

    return done


# --- statistics and policies


def counting(**risen: int) -> Doing:
    """What a handshake adds to the gateway's statistics, by a short name."""
    names = {"admin": ADMIN, "opened": OPENED, "read": READ, "http": "http.in.downstream_rq_total"}

    def done(stage: Stage) -> None:
        def count(question: Question, answer: TlsAnswer) -> TlsAnswer:
            statistics = stage.world.stats[stage.world.gateway("west").name]
            statistics.update({names[name]: number for name, number in risen.items()})
            return answer

        stage.tls.changes.append(count)

    return done


DENY, NONE = "ns[sample]-policy[deny-sleep]-rule[0]", "none"
CLOSED = "/closed"
CLAIMS = [
    *cases(
        the_workload_shows_its_own_certificate,
        on("east", "v2", topology=SPLIT),
        passes(),
        fails("istio-eastwestgateway-service-account", gateways_own),
        fails("no certificate, then 'nothing'", nobody_there),
        fails("0 TLS segments", unwatched),
    ),
    *cases(
        the_gateway_refuses,
        on("east", "v2", WITHOUT_ALPN, topology=SPLIT),
        passes("NR in the gateway's log"),
        fails("the gateway passed it on", let_in),
        unclear("the gateway's log knows nothing of it", silent),
        unclear("that even the right handshake fails", nobody_there),
    ),
    *cases(
        the_gateway_refuses,
        on("east", "v2", PLAIN_HTTP, topology=SPLIT),
        passes("connected, and no answer; NR in", asked_plainly("")),
        fails(
            "HTTP/1.1 400 Bad Request: the gateway passed",
            asked_plainly("HTTP/1.1 400 Bad Request"),
        ),
    ),
    *cases(
        the_workload_turns_away,
        on("east", "v2", topology=SPLIT),
        passes(),
        fails("'HTTP/1.1 200 OK' after", answered),
        fails("istio-eastwestgateway-service-account", gateways_own),
        unclear("no such line", silent),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        calls_cross,
        on("east", "v2", topology=SPLIT),
        passes(),
        fails("0 by v2", answering("v1")),
        fails("upstream_host is 10.9.9.9:5000", logged(upstream_host="10.9.9.9:5000")),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        a_deny_all_changes_nothing,
        on("east", "v2", topology=SPLIT),
        passes(doing=governed),
        fails("1 denied", after(governed, also_counted)),
        fails("no certificate, then 'nothing'", after(governed, workload_denied_too)),
        unclear("; now: the certificate of", policy_does_not_come),
        unclear("before: no certificate"),
    ),
    *cases(
        twins_are_accepted,
        on("east", "v2", topology=SPLIT),
        passes(doing=serving_twins()),
        fails("1 updates rejected", serving_twins(REJECTED)),
        fails("no certificate, then 'nothing'", serving_twins(served=False)),
        fails("1 x 503 [UH]", after(serving_twins(), failing(503, "UH", "no_healthy_upstream"))),
        unclear("0 taken, none rejected", serving_twins("")),
    ),
    *cases(
        only_tcp_is_counted,
        on("east", "v2", topology=SPLIT),
        passes(doing=counting(admin=1, opened=1, read=300)),
        fails("http.in.downstream_rq_total: 1", counting(admin=1, opened=1, read=300, http=1)),
        fails("300 bytes, 0 connections", counting(admin=1, read=300)),
        fails("3 bytes, 1 connections", counting(admin=1, opened=1, read=3)),
        unclear("such statistics are off", counting(opened=1, read=300)),
    ),
    *cases(
        denied,
        on(topology=SPLIT),
        passes(doing=forbidden(DENY)),
        fails("40 x 200"),
        fails("rbac_access_denied_matched_policy[none]", forbidden(NONE)),
        fails("sa/nobody", forbidden(DENY, peer="spiffe://cluster.local/ns/sample/sa/nobody")),
        unclear("40 of 40 requests in no server's log", after(forbidden(DENY), unheard())),
        unclear("no request came to v2", after(answering("v1"), forbidden(DENY))),
        unclear(NO_LINE, after(forbidden(DENY), unlogged())),
    ),
    *cases(
        allowed,
        on(topology=SPLIT),
        passes(doing=forbidden(NONE, CLOSED)),
        fails("40 x 200"),
        fails("40 x 403", forbidden(NONE)),
        fails(
            "rbac_access_denied_matched_policy[ns[sample]-policy[deny-sleep]-rule[0]]",
            forbidden(DENY, CLOSED),
        ),
        unclear("40 of 40 requests in no server's log", after(forbidden(NONE, CLOSED), unheard())),
        unclear(
            NO_LINE,
            after(forbidden(NONE, CLOSED), unlogged(lambda call: call.path != CLOSED)),
        ),
    ),
]


@pytest.mark.parametrize("case", CLAIMS, ids=str)
def test_gateways(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
