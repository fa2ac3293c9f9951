"""What is claimed of helloworld's plain port, and of policies for one port."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.lab.network.counters import FlowKey
from meshproof.workloads.sample import PORT, TCP_PORT
from suites.ports.claims import encrypted_on_the_wire, every_version_greets
from suites.ports.policies import denied_at, plain_text_at
from tests.claims.changes import after, changed, cut_off, failing
from tests.claims.greeting import Met, ended, greeter, heard_as, logging, of_sidecars
from tests.claims.table import (
    FLAT,
    MIXED,
    REMOTE,
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
from tests.claims.world import Came
from tests.doubles.calls import Call

POLICY = {"termination": f"rbac_access_denied_matched_policy[policy[deny-port-{TCP_PORT}]]"}


def by_v1(stage: Stage) -> None:
    """v1 alone greets."""
    first = stage.world.servers("v1")[0]
    greeter(lambda met: replace(met, server=first))(stage)


def another_pod(met: Met) -> Met:
    """v2's pod says that it is v1."""
    lie = replace(met.server, version="v1")
    return replace(met, server=lie)


def in_plain_text(met: Met) -> Met:
    return replace(met, crossed=tuple((at, "http", flow) for at, _, flow in met.crossed))


def also_raw(met: Met) -> Met:
    """Beside TLS, lines in plain text in the same conversation."""
    raw = tuple((at, "plain", flow) for at, _, flow in met.crossed)
    return replace(met, crossed=met.crossed + raw)


def uncounted(met: Met) -> Met:
    return replace(met, crossed=())


def unlogged(met: Met) -> Met:
    return replace(met, line=None)


def unheard(met: Met) -> Met:
    return replace(met, others=())


def denied(met: Met) -> Met:
    """A policy of the server's denies it."""
    return heard_as(**POLICY)(met)


def denying(_: Call, came: Came) -> Came:
    return replace(came, reply=replace(came.reply, body="RBAC: access denied"))


def forbidden(stage: Stage) -> None:
    """A policy denies sleep the port for HTTP."""
    failing(403, "", "rbac_access_denied", lambda call: call.caller.sidecar)(stage)
    changed(denying)(stage)


def answered_at_http(stage: Stage) -> None:
    """Callers without a sidecar are answered at the port for HTTP."""
    world = stage.world

    def answered(call: Call, came: Came) -> Came:
        if call.caller.sidecar:
            return came
        servers = [one for one in world.servers() if one.cluster == call.caller.cluster]
        return world._plainly(call, servers[0], answered=True)

    changed(answered)(stage)


def http_only(*more: Doing) -> Doing:
    """The port for HTTP takes plain text, the other does not."""
    return after(greeter(), answered_at_http, *more)


def to_the_plain_port(call: Call, came: Came) -> Came:
    """The wire sees what somebody without a sidecar asks of the plain port by HTTP."""
    if call.address is None or call.port != TCP_PORT:
        return came
    flow = FlowKey(call.caller.address, call.address, call.port)
    return replace(came, crossed=((call.caller.cluster, "http", flow),))


CASES = [
    *(
        line
        for topology in (SPLIT, FLAT, REMOTE, MIXED)
        for line in cases(
            every_version_greets,
            on("east", topology=topology, before=greeter()),
            passes(),
            fails("otherwise, such as", greeter(ended)),
            fails("never greeted", by_v1),
            fails("did not, such as", greeter(logging(upstream_host="10.9.9.9:9000"))),
            fails(
                "spiffe://cluster.local/ns/sample/sa/x",
                greeter(logging(upstream_peer="spiffe://cluster.local/ns/sample/sa/x")),
            ),
            fails("of nobody", greeter(heard_as(peer=None))),
            unclear("without a line in the caller's access log", greeter(unlogged)),
            unclear("none", greeter(unheard)),
        )
    ),
    *cases(
        encrypted_on_the_wire,
        on("east", before=after(greeter(), changed(to_the_plain_port))),
        passes(),
        fails("0 of TLS", greeter(in_plain_text)),
        fails("of plain text on the wire", greeter(of_sidecars(also_raw))),
        fails("0 of TLS and 0 of plain text", greeter(of_sidecars(uncounted))),
        unclear("0 segments", changed(lambda _, came: replace(came, crossed=()))),
    ),
    *cases(
        denied_at,
        on(TCP_PORT, before=greeter(denied)),
        passes(),
        fails("let in at port 9000", greeter()),
        unclear("0 denied and 0 let in", greeter(unheard)),
        unclear("did not", failing(503, "UH", "no_healthy_upstream")),
    ),
    *cases(
        denied_at,
        on(PORT, before=after(greeter(), forbidden)),
        passes(),
        unclear("denied and 0 let in", greeter(denied)),
    ),
    *cases(denied_at, on(PORT, before=greeter()), fails("200")),
    *cases(
        plain_text_at,
        on(TCP_PORT, before=greeter(opened=True)),
        passes(),
        fails("0 of 3 let in at port 9000", greeter()),
        fails("3 of 3 let in at port 5000", answered_at_http),
        unclear("0 turned away", changed(lambda _, came: replace(came, heard=()))),
    ),
    *cases(
        plain_text_at,
        on(PORT, before=http_only()),
        passes(),
        fails("3 of 3 let in at port 9000", greeter(opened=True)),
        fails("0 of 3 let in at port 5000", cut_off(lambda _: True)),
        unclear("0 turned away", greeter(unheard)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_ports(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
