"""What is claimed of calls that go on from proxy to proxy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.kube.asking import Reply
from meshproof.mesh.proxy import outbound
from meshproof.workloads.sample import OUTSIDE
from suites.hops.claims import in_and_on, out_by_the_relay, refused_for_the_relay
from suites.hops.proxies import Proxies
from suites.hops.ways import BEYOND, ENTRANCE, EXTERNAL, RELAY_HOST, WAY_PORT
from tests.claims.changes import answering, by_sidecars, changed, failing, unlogged
from tests.claims.table import Case, Doing, Setting, Stage, cases, fails, judge, passes, unclear
from tests.claims.world import Came
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod

WAY = outbound(RELAY_HOST, WAY_PORT)
INGRESS_ID, RELAY_ID = (
    f"spiffe://cluster.local/ns/sample/sa/{name}" for name in ("ingress", "relay")
)
DIRECTLY = {"upstream_cluster": outbound(BEYOND, 5000), "upstream_peer": None}


def on_the_way(*, refusing: bool = False) -> Setting:
    """The gateways and the server outside are there, and calls take the ways that rules name.
    ``refusing``: servers refuse what the relay passes on."""

    def found(stage: Stage) -> Proxies:
        east, west = stage.world.pod("sleep", "east"), stage.world.pod("sleep", "west")
        ingress = replace(east, name="ingress-0", account="ingress", address=east.address + 70)
        relay = replace(west, name="relay-0", account="relay", address=west.address + 70)
        external = replace(west, name="external-0", address=west.address + 80, namespace=OUTSIDE)
        return Proxies(ingress, relay, external)

    def before(stage: Stage) -> None:
        proxies = found(stage)
        changed(lambda call, came: passed_on(stage, proxies, call, came))(stage)
        if refusing:
            changed(refused, from_outside)(stage)

    return Setting(lambda one: (one.world.sample, found(one)), before=before)


def passed_on(stage: Stage, proxies: Proxies, call: Call, came: Came) -> Came:
    """What comes of a call when the relay has passed it on."""
    world, relay = stage.world, proxies.relay
    assert isinstance(relay, PlayedPod)
    if call.headers.get("host") == ENTRANCE:
        pods = world.chosen(call, world.servers())
        server = pods[call.number % len(pods)]
        xfcc = f"By=a;URI={INGRESS_ID},By=b;URI={RELAY_ID}"
        way = sorted(world.sample.ways(relay.cluster, server))[0]
        line = world.line(call, 200, server) | {"upstream_host": str(way), "peer": INGRESS_ID}
        return Came(
            Reply(status=200, body=world.body(call, server, xfcc)), server, None, ((relay, line),)
        )
    if call.headers.get("host") == BEYOND:
        body = f"Hello version: {EXTERNAL}, instance: external-0\nx-request-id: {call.id}\n"
        to = {"upstream_host": f"{proxies.external.address}:5000"}
        line = world.line(call, 200) | to | {"peer": world.identity(call.caller)}
        sent = came.logged(upstream_cluster=WAY, upstream_peer=RELAY_ID, status=200)
        return replace(sent, reply=Reply(status=200, body=body), heard=((relay, line),))
    return came


def from_outside(call: Call) -> bool:
    return call.headers.get("host") == ENTRANCE


def refused(_: Call, came: Came) -> Came:
    return replace(came, reply=Reply(status=403, body="RBAC: access denied"))


def let_in(call: Call, came: Came) -> Came:
    if not from_outside(call):
        return came
    return replace(came, reply=Reply(status=200, body="Hello version: v1, instance: v1-0"))


def by_relay(**fields: object) -> Doing:
    """The relay logs something else."""

    def other(_: Call, came: Came) -> Came:
        return replace(came, heard=tuple((who, {**line, **fields}) for who, line in came.heard))

    return changed(other)


def twice(_: Call, came: Came) -> Came:
    return replace(came, heard=came.heard * 2)


def unheard_of(_: Call, came: Came) -> Came:
    return replace(came, heard=())


def without_the_relay(_: Call, came: Came) -> Came:
    body = came.reply.body.replace(f",By=b;URI={RELAY_ID}", "")
    return replace(came, reply=replace(came.reply, body=body))


def told_by(version: str) -> Doing:
    """Somebody in the mesh answers."""

    def other(_: Call, came: Came) -> Came:
        body = came.reply.body.replace(f"version: {EXTERNAL}", f"version: {version}")
        return replace(came, reply=replace(came.reply, body=body))

    return changed(other)


def sent(**fields: object) -> Doing:
    return changed(lambda _, came: came.logged(**fields))


def nobody_answers(_: Call, came: Came) -> Came:
    return replace(came, reply=Reply(status=503, body="no healthy upstream"), heard=())


CASES = [
    *cases(
        in_and_on,
        on_the_way(),
        passes(),
        fails(
            "40 calls came by spiffe://cluster.local/ns/sample/sa/ingress",
            changed(without_the_relay),
        ),
        fails("v2 never answered", answering("v1", when=lambda _: True)),
        fails("40 x 503", changed(nobody_answers)),
        fails("to 10.0.0.9:5000 for", by_relay(upstream_host="10.0.0.9:5000")),
        fails("2 times", by_relay(attempts=2)),
        fails("40 lines for 20 calls: a retry", changed(twice)),
        unclear("0 of 20 calls are in the relay's log", changed(unheard_of)),
    ),
    *cases(
        refused_for_the_relay,
        on_the_way(refusing=True),
        passes(),
        fails("40 x 200", changed(let_in)),
        fails("1 x 200", changed(let_in, lambda call: call.number == 3)),
        fails("40 x 503", changed(nobody_answers, from_outside)),
        fails("v2 never answered", answering("v1", when=by_sidecars)),
        fails("40 x 503 [UF]", failing(503, "UF", "upstream_reset", when=by_sidecars)),
        unclear("40 answered calls have no line in the caller's access log", unlogged()),
    ),
    *cases(
        out_by_the_relay,
        on_the_way(),
        passes(),
        fails(f"4 went to {outbound(BEYOND, 5000)} (nobody)", sent(**DIRECTLY)),
        fails("one was sent 2 times", sent(attempts=2)),
        fails("4 were answered by v1", told_by("v1")),
        fails("for nobody, 1 times", by_relay(peer=None)),
        fails("to 10.0.0.9:5000 for", by_relay(upstream_host="10.0.0.9:5000")),
        unclear("4 have no line in the caller's access log", unlogged()),
        unclear("0 of 4 calls are in the relay's log", changed(unheard_of)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hops(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
