"""What is claimed of the clusters that endpoints are told to be in."""

from __future__ import annotations

import pytest

from meshproof.mesh.proxy import outbound
from meshproof.workloads.sample import HOST, PORT
from suites.endpoints.claims import endpoints_tell_their_cluster
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


def told(*more: tuple[str, str], without: str | None = None) -> Doing:
    """East's sleep knows helloworld's endpoints, with their clusters, and ``more``."""

    def done(stage: Stage) -> None:
        world = stage.world
        found: dict[str, str] = {}
        for server in world.servers():
            near = world.sample.topology.same_network("east", server.cluster)
            ways = world.mesh.ways_to(server.cluster)
            found |= (
                {f"{server.address}:{PORT}": server.cluster}
                if near
                else {str(way): name for name, way in ways.items()}
            )
        endpoints = [
            endpoint(at, name) for at, name in {**found, **dict(more)}.items() if name != without
        ]
        config = {"cluster_name": outbound(HOST, PORT), "endpoints": [{"lb_endpoints": endpoints}]}
        world.dumps["sleep-east"] = [{"endpoint_config": config}]

    return done


def endpoint(at: str, cluster: str) -> dict[str, object]:
    address, _, port = at.rpartition(":")
    socket = {"address": address, "port_value": int(port)}
    workload = f"helloworld;sample;helloworld;;{cluster}" if cluster else ""
    metadata = {"filter_metadata": {"istio": {"workload": workload}}}
    return {"endpoint": {"address": {"socket_address": socket}}, "metadata": metadata}


CASES = [
    *(
        line
        for topology in (SPLIT, FLAT, REMOTE, MIXED)
        for line in cases(
            endpoints_tell_their_cluster,
            on("east", topology=topology, before=told()),
            passes(),
            fails("10.10.9.9:5000 of east", told(("10.10.9.9:5000", "east"))),
            fails("there is no", told(without="west")),
            unclear("0 endpoints in east", lambda stage: stage.world.dumps.clear()),
        )
    ),
    *cases(
        endpoints_tell_their_cluster,
        on("east", topology=SPLIT),
        fails("of no cluster", told(("172.30.2.200:15443", ""))),
        fails("172.30.2.200:15443 of east", told(("172.30.2.200:15443", "east"))),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_endpoints(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
