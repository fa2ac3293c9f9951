"""What is claimed of meshes that stay apart: of names, addresses, SNIs and istiods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.kube.audit import ApiRequest
from meshproof.kube.names import NameAnswer
from meshproof.mesh.gateways import sni_of
from meshproof.model import Mtls
from meshproof.workloads.sample import PORT
from suites.federation.apart import (
    fails_rather_than_crosses,
    its_istiod_knows_its_own_mesh_alone,
    nobody_asks_from,
    the_plain_name_stays_local,
)
from suites.federation.claims import (
    weighs_the_same,
)
from suites.federation.naming import (
    names_have_addresses_apart,
    resolves_only_where_it_is_imported,
)
from suites.federation.selective import (
    no_address_leads_there,
    no_name_leads_there,
    no_sni_leads_there,
    snis_of_the_unexposed,
)
from suites.federation.setting import gateways_of
from tests.claims.changes import (
    failing,
    unlogged,
)
from tests.claims.exposing import (
    FEDERATION,
    FOUND,
    GATEWAY,
    IMPORTED,
    SERVICE,
    SNIS,
    answered_in_west,
    by_name,
    instead,
    knowing,
    of,
    plainly,
    reading_everything,
    saying,
    served_by,
    shown,
    silent,
    told,
    without_instances,
)
from tests.claims.substitutes import world
from tests.claims.table import (
    NO_LINE,
    Case,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.claims.tls import but
from tests.claims.told import NXDOMAIN
from tests.claims.world import World

_UP = 1_800_000_000.0


def asked(account: str, source: str, at: float = 1.0) -> ApiRequest:
    """A request as an API server writes it down. ``at``: seconds after istiods came up."""
    user = f"system:serviceaccount:istio-system:{account}"
    return ApiRequest(_UP + at, user, (source,), "watch", "pods", "", "", "/api/v1/pods", 200)


OWN = asked("istiod", "172.30.2.2")
READ = asked("istio-reader-service-account", "172.30.1.2")


def audit(*written: ApiRequest, topology: str = FEDERATION) -> Setting:
    """What west's API server has written down, and whether east's istiod asked it."""

    def before(stage: Stage) -> None:
        def since(_: object, moment: float, words: Sequence[str]) -> list[ApiRequest]:
            assert '"172.30.1.2"' in words
            return [one for one in written if one.at >= moment]

        stage.monkeypatch.setattr("suites.federation.apart.requests_since", since)
        stage.monkeypatch.setattr("suites.federation.apart.up_since", lambda *_: _UP)

    return on("east", "west", topology=topology, before=before)


CASES = [
    *cases(nobody_asks_from, audit(OWN), passes("none, and 1 of its own istiod's")),
    *cases(
        nobody_asks_from,
        audit(OWN, READ, topology="hybrid"),
        fails("istio-reader-service-account from 172.30.1.2: watch pods"),
    ),
    *cases(
        nobody_asks_from,
        audit(OWN, asked("istiod", "172.30.1.2", -9.0)),
        passes("none, and 1"),
    ),
    *cases(nobody_asks_from, audit(), unclear("the control did not hold")),
    *cases(
        nobody_asks_from,
        audit(asked("istiod", "172.30.2.2", -9.0)),
        unclear("the control did not hold"),
    ),
    *cases(
        weighs_the_same,
        of([GATEWAY], 1),
        passes("weights of [1]"),
        fails("weights of [3]", knowing(replace(GATEWAY, weight=3), of_host=IMPORTED.host)),
        fails("weights of []", knowing(of_host=IMPORTED.host)),
    ),
    *cases(weighs_the_same, of([GATEWAY], 3), unclear("1 pods behind the gateway, 1 endpoints")),
    *cases(
        the_plain_name_stays_local,
        of(),
        passes(),
        fails("v2 from west", served_by("v2", plainly)),
        fails("172.30.2.200:15443 among 1 endpoints", knowing(GATEWAY)),
        unclear("none among 0 endpoints", knowing()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        fails_rather_than_crosses,
        of(before=without_instances),
        passes(),
        fails("20 x 200", served_by("v2", plainly)),
        unclear("the control did not hold", failing(503, "UH", "no_healthy_upstream", by_name)),
    ),
    *cases(
        its_istiod_knows_its_own_mesh_alone,
        of(),
        passes("it lists east, has read east"),
        fails("it knows west", saying("clusterz", {"id": "west", "syncStatus": "syncing"})),
        fails("it knows west", reading_everything),
        fails(
            "it has gateways to net-west",
            saying("networkz", {"Network": "net-west", "Addr": "172.30.2.200", "Port": 15443}),
        ),
        unclear("not even its own", instead("endpointShardz", {})),
        unclear("not even its own", instead("clusterz", [])),
    ),
    *cases(
        no_name_leads_there,
        of(),
        passes(),
        fails("private-west.sample.global exists in east", told(FOUND, "private-west.sample.gl")),
        unclear("SERVFAIL", told(NameAnswer("SERVFAIL"), "private-west")),
        unclear("the server proves nothing", told(NXDOMAIN, IMPORTED.host)),
    ),
    *cases(
        no_sni_leads_there,
        of(SNIS),
        passes(),
        fails(f"1 were passed on, such as {SNIS[0]}", lambda stage: stage.tls.snis.add(SNIS[0])),
        unclear("the gateway's log lacks", silent),
        unclear("the control did not hold", lambda stage: stage.tls.snis.clear()),
        unclear(
            "the control did not hold",
            shown(lambda asked, answer: but(answer, chain=()) if asked.sni else answer),
        ),
    ),
    *cases(no_sni_leads_there, of([]), unclear("the gateway's log lacks")),
    *cases(
        no_address_leads_there,
        of(SERVICE, before=answered_in_west),
        passes("calls that came to 503"),
        fails("5 of 5 calls from east did", served_by("v2", lambda _: True)),
        unclear(
            "the control did not hold",
            failing(503, "UH", "no_healthy_upstream", lambda call: call.caller.cluster == "west"),
        ),
    ),
    *cases(
        resolves_only_where_it_is_imported,
        of(),
        passes(),
        fails("NXDOMAIN", told(NXDOMAIN, IMPORTED.host, "east")),
        fails("exists in west", told(FOUND, IMPORTED.host, "west")),
        unclear("the proxy was not needed", told(FOUND, IMPORTED.host, "east", proxied=False)),
    ),
    *cases(
        names_have_addresses_apart,
        of(),
        passes("2 names, an address each"),
        fails("nobody is 240.0.0.3", told(FOUND, IMPORTED.host)),
        fails(
            "helloworld.sample.svc.cluster.local, helloworld.sample.global is 240.0.0.3",
            told(NameAnswer("NOERROR", (IPv4Address("240.0.0.3"),)), "svc.cluster"),
        ),
        unclear("helloworld.sample.global is NXDOMAIN", told(NXDOMAIN, IMPORTED.host)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_apart(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_snis_are_of_every_encoding_and_none_is_exposed() -> None:
    world = World(FEDERATION, Mtls.STRICT, ())
    snis = snis_of_the_unexposed(world.sample, IMPORTED)
    assert {*SNIS, sni_of("helloworld.alpha.global", PORT), IMPORTED.host} <= set(snis)
    assert sni_of("private-west.sample.svc.cluster.local", PORT, "v2") in snis
    assert sni_of(IMPORTED.host, PORT) not in snis


def test_a_gateway_between_networks_is_not_asked_for_what_it_must_lead_to() -> None:
    world = World("hybrid", Mtls.STRICT, ())
    near, away = world.deployment.topology.exposes
    local = [one for one in snis_of_the_unexposed(world.sample, near) if one.endswith(".local")]
    assert [one for one in local if one.startswith("outbound_")] == []
    assert sni_of(away.host, PORT) in snis_of_the_unexposed(world.sample, near)
    private = sni_of("private-far.sample.svc.cluster.local", PORT)
    assert private in snis_of_the_unexposed(world.sample, away)


def test_what_several_clusters_expose_is_entered_by_each_of_their_gateways(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = world(monkeypatch, "hybrid", Mtls.STRICT, ())[0].sample
    near, away = sample.topology.exposes
    assert [one.cluster for one in gateways_of(sample, near).values()] == ["east", "west"]
    assert [one.cluster for one in gateways_of(sample, away).values()] == ["far"]
