"""What is claimed of who is let in to what a mesh exposes, and of who may expose it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from meshproof.files import topology_named
from meshproof.kube.asking import Reply as CallReply
from meshproof.mesh.account import Right
from meshproof.mesh.credentials import issue
from meshproof.mesh.gateways import sni_of
from meshproof.traffic.tls_question import TlsAnswer, uris
from meshproof.workloads.sample import PORT
from suites.federation.access import (
    alike_is_let_in,
    nobody_outside_is_let_in,
    one_consumer_is_let_in,
    one_namespace_is_let_in,
    unchosen_mesh_is_refused,
)
from suites.federation.rights import (
    steps_of_a_team,
    steps_of_an_administrator,
    takes_an_administrator_or_not,
)
from suites.federation.strangers import consumers_of_one, strangers
from tests.claims.changes import after, changed, failing, unheard, unlogged
from tests.claims.exposing import (
    IMPORTED,
    by_name,
    heard_as,
    of,
    served_by,
    shown,
    with_askers,
)
from tests.claims.table import (
    NO_LINE,
    Case,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)
from tests.claims.test_outside import ANOTHER, answering, closed
from tests.claims.test_privilege import PlayedAccount
from tests.claims.tls import Question, but
from tests.claims.world import Came, World
from tests.doubles.calls import Call

OF_THREE = "federation-of-three"
"""A topology with a mesh to which a service is not exposed."""
SHARED = topology_named(OF_THREE).exposes[0]
"""A service that is exposed to two other meshes."""
DENIED = "RBAC: access denied"


def by_host(call: Call) -> bool:
    """Calls that say by a header whom they are for."""
    return call.headers.get("host") in (IMPORTED.host, SHARED.host)


def by_far(call: Call) -> bool:
    """Calls of the third mesh."""
    return by_name(call) and call.caller.cluster == "far"


def refusing(stage: Stage) -> None:
    """Servers refuse those calls, and log whose they are."""
    with_askers(stage)
    world = stage.world

    def refused(call: Call, _: Came) -> Came:
        (server,) = world.servers("v1" if call.headers["host"] == SHARED.host else "v2")
        came = world.failed(call, 403, "-", "via_upstream", server)
        line = {"request_id": call.id, "status": 403, "peer": world.identity(call.caller)}
        reply = CallReply(status=403, body=DENIED)
        return Came(reply, None, came.line, ((server, line),), came.crossed)

    changed(refused, by_host)(stage)


def turned_away(stage: Stage) -> None:
    """The workload refuses the third mesh's certificates."""
    with_askers(stage)
    world = stage.world
    (server,) = world.servers("v2")

    def refused(call: Call, _: Came) -> Came:
        return world.failed(call, 503, "UC", "upstream_reset", server)

    changed(refused, by_far)(stage)


def of_the_stranger(stage: Stage) -> tuple[object, ...]:
    return stage.world.sample, "far", IMPORTED, "east"


def from_outside(stage: Stage) -> tuple[object, ...]:
    sample = stage.world.sample
    shown = issue(ANOTHER, sample.caller_identity("east"))
    return sample, "east", IMPORTED, sample.outsider("east"), shown


def of_the_other_consumer(stage: Stage) -> tuple[object, ...]:
    return stage.world.sample, "west", SHARED, "far"


def all_alike(stage: Stage) -> None:
    """Both consumers of a service are answered, and their other accounts refused."""
    refusing(stage)
    stage.tls.snis = {sni_of(SHARED.host, PORT)}


def by_far_alike(call: Call) -> bool:
    """Calls of the third mesh by the name."""
    return call.host == SHARED.host and call.caller.cluster == "far"


def within(stage: Stage) -> None:
    """The workload refuses accounts of all namespaces but one."""
    with_askers(stage)

    def screened(question: Question, answer: TlsAnswer) -> TlsAnswer:
        own = not question.shown or "/ns/sample/" in uris(question.shown[0])[0]
        said = "HTTP/1.1 403 Forbidden"
        return answer if own else but(answer, status=403, body=f"{said}\r\n\r\n{DENIED}", said=said)

    shown(screened)(stage)


GROUP = "networking.istio.io"
TEAM = frozenset(Right("create", one, GROUP) for one in ("serviceentries", "destinationrules"))
MIGHTY = frozenset({Right("*", "*", "*")})


def tried_with(may: frozenset[Right], *, nothing: bool = False) -> Setting:
    """Steps that an account tries. ``nothing``: a team has none to take."""

    def given(stage: Stage) -> tuple[object, ...]:
        sample, cluster = stage.world.sample, stage.world.clusters["east"]
        account = PlayedAccount("east", cluster, "x:y", may, lambda _, reply: reply)
        steps = [] if nothing else steps_of_a_team(sample, "east")
        return account, steps, steps_of_an_administrator([IMPORTED.host])

    return Setting(given, "federation")


SCREENED = Setting(of_the_stranger, OF_THREE, before=with_askers)
CASES = [
    *cases(
        one_consumer_is_let_in,
        of("east", before=refusing),
        passes(),
        fails("20 with 403 for nobody", heard_as(peer=None)),
        fails("20 x 503", failing(503, "UF", "upstream_reset", by_name)),
        unclear("20 of 20 in no server's log", unheard()),
        unclear(NO_LINE, unlogged(by_name)),
    ),
    *cases(one_consumer_is_let_in, of("east"), fails("20 x 200")),
    *cases(
        one_consumer_is_let_in,
        Setting(of_the_other_consumer, OF_THREE, before=all_alike),
        passes(),
        fails("20 with 403 for nobody", heard_as(peer=None)),
    ),
    *cases(
        alike_is_let_in,
        Setting(of_the_other_consumer, OF_THREE, before=all_alike),
        passes(),
        fails("20 x 403", failing(403, "-", "via_upstream", by_far_alike)),
        unclear("the control did not hold", served_by("v1", by_host)),
    ),
    *cases(
        one_namespace_is_let_in,
        of(before=within),
        passes(),
        fails("20 x 503", failing(503, "UF", "upstream_reset", by_name)),
        unclear("the control did not hold", closed),
        unclear(NO_LINE, unlogged(by_name)),
    ),
    *cases(one_namespace_is_let_in, of(), fails("outside: the certificate of")),
    *cases(
        unchosen_mesh_is_refused,
        SCREENED,
        passes(doing=turned_away),
        fails("20 of 20 were"),
        fails("upstream_host is none", failing(503, "UH", "no_healthy_upstream", by_far)),
        unclear(
            "the control did not hold",
            after(turned_away, failing(503, "UF", "upstream_reset", lambda one: not by_far(one))),
        ),
    ),
    *cases(
        nobody_outside_is_let_in,
        Setting(from_outside, "federation", before=with_askers),
        passes(),
        fails("without a certificate: ", answering(shown=False)),
        fails("with the certificate of another root: ", answering(shown=True)),
        unclear("the control did not hold", closed),
    ),
    *cases(takes_an_administrator_or_not, tried_with(TEAM), passes()),
    *cases(takes_an_administrator_or_not, tried_with(MIGHTY), fails("create gateways")),
    *cases(takes_an_administrator_or_not, tried_with(frozenset()), fails("create serviceentries")),
    *cases(takes_an_administrator_or_not, tried_with(TEAM, nothing=True), unclear("no requests")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_access(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_a_stranger_is_of_a_mesh_that_a_service_is_not_exposed_to() -> None:
    assert strangers(World(OF_THREE, cast(Any, "strict"), ()).sample) == [("far", IMPORTED)]
    assert strangers(World("federation", cast(Any, "strict"), ()).sample) == []


def test_consumers_of_one_service_are_of_different_meshes() -> None:
    found = consumers_of_one(World(OF_THREE, cast(Any, "strict"), ()).sample)
    assert found == [("west", SHARED, "far"), ("far", SHARED, "west")]
    assert consumers_of_one(World("hybrid", cast(Any, "strict"), ()).sample) == []
