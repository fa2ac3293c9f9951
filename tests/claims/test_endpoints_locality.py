"""What is claimed of the regions and zones that endpoints are said to be in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.mesh.proxy import Endpoint
from suites.endpoints.localities import endpoints_tell_their_locality
from tests.claims.table import FLAT, Case, Doing, Stage, cases, fails, judge, on, passes, unclear
from tests.doubles.played import PlayedPod

REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
EAST, WEST = {REGION: "r2"}, {REGION: "r1", ZONE: "r1-a"}
PLACES = {"east": "r2", "west": "r1/r1-a"}


def located(
    places: Mapping[str, str] = PLACES, labels: Mapping[str, Mapping[str, str]] | None = None
) -> Doing:
    """Nodes have these labels, and istiods and proxies know each pod where its cluster is said to
    be; istiod tells three parts of each place, as getPodLocality in Istio's controller.go does."""

    def done(stage: Stage) -> None:
        world = stage.world
        for name, cluster in world.clusters.items():
            told = (labels or {"east": EAST, "west": WEST}).get(name, {})
            node = SimpleNamespace(metadata=SimpleNamespace(labels=dict(told)))
            api: Any = SimpleNamespace(read_node=lambda _, found=node: found)
            cluster.core = api
        world.zones = {one.name: _three(places.get(one.cluster, "")) for one in world.servers()}
        at = {str(one.address): places.get(one.cluster, "") for one in world.servers()}

        def known(pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
            found = world.endpoints(pod, service, version)
            return [replace(one, locality=at.get(one.address, "")) for one in found]

        world.known = known

    return done


def _three(place: str) -> str:
    return "/".join([*place.split("/"), "", ""][:3]) if place else ""


def elsewhere_to_istiod(stage: Stage) -> None:
    stage.world.zones["helloworld-v2-1"] = "r1//"


def elsewhere_to_the_proxy(stage: Stage) -> None:
    as_it_is = stage.world.known

    def known(pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
        found = as_it_is(pod, service, version)
        return [replace(one, locality="r9" if one.locality else "") for one in found]

    stage.world.known = known


def unknown_to_istiod(stage: Stage) -> None:
    as_it_is = stage.world.debug["endpointShardz"]
    stage.world.debug["endpointShardz"] = lambda name: {
        host: {
            namespace: {
                **told,
                "Shards": {key: [] for key in told["Shards"]},
            }
            for namespace, told in found.items()
        }
        for host, found in as_it_is(name).items()
    }


CASES = [
    *cases(
        endpoints_tell_their_locality,
        on("east", topology="zones", before=located()),
        passes(),
        fails("helloworld-v2-1 of west is in r1, not in r1/r1-a", elsewhere_to_istiod),
        fails("by sleep's proxy in east helloworld-v1-0 of east is in r9", elsewhere_to_the_proxy),
        fails("helloworld-v1-0 of east is not known", unknown_to_istiod),
        fails("helloworld-v1-0 of east is nowhere, not in r2", located({"west": "r1/r1-a"})),
        unclear(
            "node east-control-plane does not say topology.kubernetes.io/region=r2",
            located(labels={"west": WEST}),
        ),
    ),
    *cases(
        endpoints_tell_their_locality,
        on("west", topology="zones", before=located()),
        passes(),
    ),
    # What nothing is said of is nowhere.
    *cases(
        endpoints_tell_their_locality,
        on("east", topology=FLAT, before=located({}, {"nobody": {}})),
        passes(),
        fails("helloworld-v2-0 of west is in r1/r1-a, not nowhere", located(labels={"nobody": {}})),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_localities(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
