"""What is claimed of routing, and of the TLS mode in a DestinationRule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from meshproof.mesh.proxy import Endpoint
from meshproof.model import Mtls
from suites.routing.claims import (
    all_answered_by,
    asked_for_by_name,
    shared_by_weight,
    told_apart_by_header,
)
from suites.routing.rules import FRIEND, HEADER
from suites.routing.tls_claims import (
    encrypted_as_the_mesh_says,
    other_network_is_left_alone,
    other_network_is_reached,
    own_policy_overrides,
    plain_text_is_not_answered,
    tls_is_not_understood,
    works,
)
from tests.claims.changes import (
    after,
    always,
    answering,
    changed,
    failing,
    retried,
    seen_as,
    unheard,
    unlogged,
    unseen,
)
from tests.claims.table import (
    FLAT,
    NO_LINE,
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
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod

BOTH = answering("v1", "v2")


def routed(which: Callable[[Call], list[str]]) -> Doing:
    """A rule says which versions answer a call, as often as they are named."""

    def done(stage: Stage) -> None:
        by_version = {one.version: one for one in stage.world.servers()}

        def chosen(call: Call, pods: list[PlayedPod]) -> list[PlayedPod]:
            return [by_version[version] for version in which(call)]

        stage.world.chosen = chosen

    return done


def asked_for_as(subset: str) -> Doing:
    def done(stage: Stage) -> None:
        stage.world.subset = lambda *_: subset

    return done


def by_friends(call: Call) -> list[str]:
    return ["v2" if call.headers.get(HEADER) == FRIEND[HEADER] else "v1"]


def by_wish(call: Call) -> list[str]:
    return [call.headers.get(HEADER, "v1")]


def wishing(version: str) -> Callable[[Call], bool]:
    return lambda call: call.headers.get(HEADER) == version


def refused_for(version: str) -> Doing:
    """Calls for a version set out in plain text, and are cut off."""
    return failing(503, "UC", "connection_termination", wishing(version))


def without_endpoints(stage: Stage) -> None:
    stage.world.known = lambda *_: []


def with_endpoints(stage: Stage) -> None:
    stage.world.known = lambda *_: [Endpoint("172.30.2.200", 15443, 1, True)]


def failing_but_crossing(stage: Stage) -> None:
    world = stage.world
    crossing = changed(
        lambda call, came: replace(
            came, crossed=world.segments(call, world.servers("v2")[0], "http")
        ),
        lambda call: call.caller.cluster == "east",
    )
    crossing(stage)


VERSIONS = [
    *cases(
        all_answered_by,
        on("v2", before=answering("v2")),
        passes(),
        fails("answered otherwise: 15 x v1 from east", BOTH),
        fails("1 x 503 [NC]", failing(503, "NC", "cluster_not_found")),
        fails("a hidden retry", retried()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        asked_for_by_name,
        on("v2", before=after(answering("v2"), asked_for_as("v2"))),
        passes(),
        fails("'outbound_.5000_._.helloworld.sample.svc.cluster.local'", asked_for_as("")),
        fails("answered otherwise: 15 x v1 from east", BOTH),
        unclear("only 0 have a line in the log of helloworld-v2-0 of west", unheard()),
    ),
    *cases(
        shared_by_weight,
        on({"v2": 0.8, "v1": 0.2}, before=routed(lambda _: ["v2", "v2", "v1", "v2", "v2"])),
        passes(),
        fails("calls from east, answered by v2: ", BOTH),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        told_apart_by_header,
        on("v2", "v1", before=routed(by_friends)),
        passes(),
        fails("30 x v1 from east", answering("v1")),
        fails("30 x v2 from west", answering("v2")),
        unclear(NO_LINE, unlogged()),
    ),
]
NOT_UNDERSTOOD = "upstream_reset_before_response_started{WRONG_VERSION_NUMBER}"
NOT_ANSWERED = "upstream_reset_before_response_started{connection_termination}"
MODES = [
    *cases(
        works,
        on(),
        passes(),
        fails("v2 never answered", answering("v1")),
        fails("1 x 503 [UF]", failing(503, "UF", "upstream_reset")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        encrypted_as_the_mesh_says,
        on(),
        passes(),
        fails("0 segments", seen_as("http")),
        fails("v2 never answered", answering("v1")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        encrypted_as_the_mesh_says,
        on(topology=FLAT, mtls=Mtls.DISABLED),
        passes(),
        fails("0 segments", seen_as("tls")),
    ),
    *cases(
        tls_is_not_understood,
        on(topology=FLAT, mtls=Mtls.DISABLED),
        passes(doing=failing(503, "UF", NOT_UNDERSTOOD, always)),
        fails("20 x 200"),
        fails("20 x 503 [UH]", failing(503, "UH", "no_healthy_upstream", always)),
        unclear(
            "without a line in the caller's access log",
            after(failing(503, "UF", NOT_UNDERSTOOD, always), unlogged()),
        ),
    ),
    *cases(
        plain_text_is_not_answered,
        on(),
        passes(doing=failing(503, "UC", NOT_ANSWERED, always)),
        fails("20 x 200"),
        unclear(
            "without a line in the caller's access log",
            after(failing(503, "UC", NOT_ANSWERED, always), unlogged()),
        ),
    ),
    *cases(
        own_policy_overrides,
        on(("v1", "v2"), "v2", before=after(routed(by_wish), refused_for("v1"))),
        passes(),
        fails("20 x 503 [UC]", refused_for("v2")),
        fails("20 x v1 from east", answering("v1", when=wishing("v2"))),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        own_policy_overrides,
        on(("v1", "v2"), "v2", before=routed(by_wish)),
        unclear("20 x 200"),
    ),
    *cases(
        other_network_is_reached,
        on(before=routed(by_wish)),
        passes(),
        fails("0 segments", unseen()),
        fails("20 x 503 [UH]", failing(503, "UH", "no_healthy_upstream", always)),
    ),
    *cases(other_network_is_reached, on(topology=FLAT), unclear("nothing")),
    *cases(
        other_network_is_left_alone,
        on(before=after(without_endpoints, failing(503, "UH", "no_healthy_upstream", always))),
        passes(),
        fails("0 segments crossed, and 1 endpoints are known", with_endpoints),
        fails("20 segments crossed", failing_but_crossing),
        unclear("without a line in the caller's access log", unlogged()),
    ),
    *cases(other_network_is_left_alone, on(before=without_endpoints), fails("20 x 200")),
]


@pytest.mark.parametrize("case", VERSIONS + MODES, ids=str)
def test_routing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
