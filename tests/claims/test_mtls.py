"""What is claimed of the wire between sidecars, of callers without one, and of other modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from meshproof.kube.asking import Failed, Failure, Reply
from meshproof.model import Mtls
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.tls_question import TlsAnswer
from meshproof.workloads.sample import Sample
from suites.mtls.claims import encrypted_on_the_wire, plain_on_the_wire
from suites.mtls.modes import (
    answered_from_the_other_network,
    crosses_by_the_gateway,
    no_instance_is_left,
    only_its_own_networks_versions_answer,
    sidecars_encrypt_and_everybody_is_answered,
)
from suites.mtls.outsiders import (
    PlainCall,
    at_an_undeclared_port,
    at_other_clusters_pods,
    at_other_networks_gateways,
    everybody_is_answered,
    in_its_own_cluster,
    no_service_names_the_port,
    nobody_gets_in_without_a_certificate,
    plain_text_is_turned_away_at_the_gateway,
    strict_alone_refuses,
    turned_away,
)
from tests.claims.changes import (
    after,
    always,
    answering,
    by_sidecars,
    changed,
    cut_off,
    failing,
    logged,
    seen_as,
    unheard,
    unlogged,
    unseen,
)
from tests.claims.table import (
    FLAT,
    MIXED,
    NO_LINE,
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

DISABLED, PERMISSIVE, STRICT = Mtls.DISABLED, Mtls.PERMISSIVE, Mtls.STRICT


def by_others(call: Call) -> bool:
    return not call.caller.sidecar


def body(change: Callable[[str], str]) -> Doing:
    """helloworld was told something else of its caller."""

    def other(_: Call, came: Came) -> Came:
        return replace(came, reply=replace(came.reply, body=change(came.reply.body)))

    return changed(other)


def without_certificate(text: str) -> str:
    return text.partition("x-forwarded-client-cert")[0]


def with_certificate(text: str) -> str:
    return f"{text}x-forwarded-client-cert: By=spiffe://a;URI=spiffe://somebody\n"


def also_frames(_: Call, came: Came) -> Came:
    """Beside TLS, somebody speaks plain text that is no HTTP/1 in the same conversation."""
    frames = tuple((place, "plain", flow) for place, _, flow in came.crossed)
    return replace(came, crossed=came.crossed + frames)


def elsewhere(_: Call, came: Came) -> Came:
    """What crossed was between others of the same addresses, in another cluster."""
    crossed = tuple(("north", kind, flow) for _, kind, flow in came.crossed)
    return replace(came, crossed=crossed)


def also_to_the_gateway(stage: Stage) -> None:
    """Something sets out for the other network, whatever came of it."""
    world = stage.world
    far = world.servers("v3")[0]

    def more(call: Call, came: Came) -> Came:
        return replace(came, crossed=came.crossed + world.segments(call, far, "http")[:1])

    changed(more, lambda call: call.caller.cluster == "east")(stage)


def let_in(stage: Stage) -> None:
    """Whoever shakes hands is answered."""

    def answered(question: Question, answer: TlsAnswer) -> TlsAnswer:
        return replace(answer, status=200, alert="", said="HTTP/1.1 200 OK")

    stage.tls.changes.append(answered)


def shut_out(stage: Stage) -> None:
    """Whoever shows a certificate gets no answer."""
    stage.tls.changes.append(lambda asked, answer: NOTHING if asked.shown else answer)


def silent(stage: Stage) -> None:
    """No proxy logs why it refuses."""
    stage.tls.telling = False


def unwatched(stage: Stage) -> None:
    """The wire does not see handshakes."""
    stage.tls.seen = False


def refused_when_permissive(stage: Stage) -> None:
    mesh = stage.world.mesh
    reset = cut_off(lambda call: mesh.deployment.mtls is PERMISSIVE)
    reset(stage)


def refused_by_status(stage: Stage) -> None:
    """A permissive server's own program refuses calls by gRPC."""
    failure = Failure(Failed.GRPC, "grpc-status 12 (Unimplemented): unknown service")
    mesh = stage.world.mesh
    changed(
        lambda _, came: replace(came, reply=Reply(failure)),
        lambda _: mesh.deployment.mtls is PERMISSIVE,
    )(stage)


_HELLO = "Hello version: v2, instance: helloworld-v2-0\n"


def answered_plainly(_: Call, came: Came) -> Came:
    return replace(came, reply=Reply(status=200, body=_HELLO))


def by_grpc(stage: Stage) -> None:
    """Servers' proxies take what comes in plain text by gRPC, or turn it away, as the mode says."""
    world = stage.world
    reset = Failure(Failed.GRPC, "grpc-status 14 (Unavailable): connection reset by peer")

    def asked(call: Call, _: Came) -> Came:
        server = next(one for one in world.servers() if one.address == call.address)
        came = world._plainly(call, server, answered=world.mesh.deployment.mtls is not STRICT)
        return came if came.server else replace(came, reply=replace(came.reply, failure=reset))

    changed(asked, lambda call: call.url.startswith("grpc://"))(stage)


def knowing(*ports: int) -> Doing:
    """helloworld's proxies have filter chains for these ports."""

    def done(stage: Stage) -> None:
        chains = [{"filter_chain_match": {"destination_port": one}} for one in ports]
        inbound = {"name": "virtualInbound", "filter_chains": chains}
        for one in stage.world.servers():
            stage.world.dumps[one.name] = [{"active_state": {"listener": inbound}}]

    return done


WIRE = [
    *cases(
        encrypted_on_the_wire,
        on("east", topology=SPLIT),
        passes(),
        fails("plain text on the wire", seen_as("http")),
        fails("plain text on the wire", changed(also_frames, by_sidecars)),
        fails("0 segments of 'tls'", unseen()),
        fails("0 segments of 'tls'", changed(elsewhere, by_sidecars)),
        fails("the client is nobody", body(without_certificate)),
        fails("the server nobody", logged(upstream_peer=None)),
        fails("v2 never answered", answering("v1")),
        unclear("0 segments", unseen(by_others)),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(encrypted_on_the_wire, on("east", topology=FLAT), passes()),
    *cases(
        plain_on_the_wire,
        on("east", topology=FLAT, mtls=DISABLED),
        passes(),
        fails("TLS on the wire", seen_as("tls")),
        fails("0 segments of 'http'", unseen()),
        fails("the client is spiffe://somebody", body(with_certificate)),
        unclear("0 segments", unwatched),
        unclear(NO_LINE, unlogged()),
    ),
]


def calls_of(
    kind: Callable[[Sample], Sequence[PlainCall]],
    topology: str,
    mtls: Mtls = STRICT,
    before: Doing = lambda _: None,
) -> Setting:
    """Calls of callers without a sidecar."""

    def given(stage: Stage) -> tuple[object, ...]:
        return stage.world.sample, kind(stage.world.sample)

    return Setting(given, topology, mtls, before=before)


OUTSIDERS = [
    *cases(
        strict_alone_refuses,
        calls_of(in_its_own_cluster, SPLIT),
        passes(),
        unclear("0 lines in its log", unheard(by_others)),
        unclear("3 x connection reset", refused_when_permissive),
    ),
    *cases(
        strict_alone_refuses,
        calls_of(in_its_own_cluster, SPLIT, PERMISSIVE),
        fails("3 calls in plain text were answered, such as: 200 by v1"),
    ),
    *cases(strict_alone_refuses, calls_of(at_other_clusters_pods, FLAT), passes()),
    *cases(
        strict_alone_refuses,
        calls_of(at_an_undeclared_port, FLAT, before=by_grpc),
        passes(),
        unclear("0 lines in its log", unheard(by_others)),
        unclear("another status than OK", after(by_grpc, refused_by_status)),
    ),
    *cases(
        no_service_names_the_port,
        on(),
        passes(doing=knowing(5000, 9000)),
        unclear("one does at helloworld-v1-0 of east", knowing(5000, 5001)),
        unclear("has no chain for 5000 either"),
    ),
    *cases(
        turned_away,
        calls_of(in_its_own_cluster, SPLIT),
        passes(),
        unclear("0 lines in its log", unheard(by_others)),
        fails("3 calls in plain text were answered", changed(answered_plainly, by_others)),
    ),
    *cases(
        plain_text_is_turned_away_at_the_gateway,
        calls_of(at_other_networks_gateways, SPLIT),
        passes(),
        fails("3 calls in plain text were answered", changed(answered_plainly, by_others)),
        unclear("0 lines in its log", unheard(by_others)),
        unclear("no certificate, then 'nothing'", shut_out),
    ),
    *cases(
        everybody_is_answered,
        calls_of(in_its_own_cluster, SPLIT, PERMISSIVE),
        passes(),
        fails("spiffe://somebody in call", body(with_certificate)),
    ),
    *cases(
        everybody_is_answered,
        calls_of(in_its_own_cluster, SPLIT, STRICT),
        fails("6 x connection reset"),
    ),
    *cases(everybody_is_answered, calls_of(lambda _: [], SPLIT, PERMISSIVE), unclear("no calls")),
    *cases(
        nobody_gets_in_without_a_certificate,
        on("east", topology=SPLIT),
        passes(),
        fails("no certificate was asked for", let_in),
        unclear("and nothing of it in its own log", silent),
        unclear("no certificate, then 'nothing'", shut_out),
    ),
]


def to_the_other_network(stage: Stage) -> tuple[object, ...]:
    """What the caller got of the version on another network, before."""
    sample = stage.world.sample
    url = "http://only-v2.sample:5000/hello"
    return ({"east to v2": call(sample, sample.caller("east"), Plan(url, times=5))},)


MODES = [
    *cases(
        sidecars_encrypt_and_everybody_is_answered,
        on(topology=FLAT, mtls=PERMISSIVE),
        passes(),
        fails("plain text on the wire", seen_as("http")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        sidecars_encrypt_and_everybody_is_answered,
        on(topology=FLAT, mtls=STRICT),
        fails("connection reset"),
    ),
    *cases(
        only_its_own_networks_versions_answer,
        on("east", topology=MIXED, mtls=DISABLED),
        passes(),
        fails("answered otherwise", answering("v1", "v3")),
        fails("segments on the wire: {'tls': 0, 'plain': 69}", also_to_the_gateway),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        crosses_by_the_gateway,
        on("east", "v2", topology=SPLIT),
        passes(),
        unclear("0 segments", unseen()),
        unclear("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
    ),
    *cases(
        answered_from_the_other_network,
        Setting(to_the_other_network, SPLIT),
        passes(),
        unclear("5 x 503 [UH]", failing(503, "UH", "no_healthy_upstream", always)),
    ),
    *cases(
        no_instance_is_left,
        on(topology=SPLIT, mtls=DISABLED),
        passes(),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(no_instance_is_left, on(topology=SPLIT), fails("10 x 200")),
]


@pytest.mark.parametrize("case", WIRE + OUTSIDERS + MODES, ids=str)
def test_mtls(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
