"""What is claimed of the cluster set's names."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.kube.names import NameAnswer
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from suites.mcs.claims import cluster_name_stays, exporters_answer
from suites.mcs.clusterset import ADDRESS, CLUSTER_SET_HOST
from tests.claims.changes import after, answering, failing, logged, retried, unlogged
from tests.claims.table import (
    FLAT,
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
from tests.claims.told import NXDOMAIN
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod


def resolving(answer: NameAnswer) -> Doing:
    """What sleeps are told of the name in the cluster set."""

    def done(stage: Stage) -> None:
        before = stage.world.names
        stage.world.names = lambda pod, name: (
            answer if name == CLUSTER_SET_HOST else before(pod, name)
        )

    return done


def kept(stage: Stage) -> None:
    """Calls stay in their own cluster."""

    def chosen(call: Call, pods: list[PlayedPod]) -> list[PlayedPod]:
        return [one for one in pods if one.cluster == call.caller.cluster]

    stage.world.chosen = chosen


def sleeping(stage: Stage) -> None:
    """Each cluster has a sleep with a DNS proxy."""
    made = stage.world
    for cluster in made.sample.clusters:
        sleep = made.pod("sleep", cluster)
        pod = replace(sleep, name=f"{DNS_SLEEP}-{cluster}", address=sleep.address + 50)
        made.pods.append(pod)


RIGHT = resolving(NameAnswer("NOERROR", (ADDRESS,)))
ANOTHER = resolving(NameAnswer("NOERROR", (IPv4Address("10.110.0.9"),)))
BOTH = ("east", "west")

CASES = [
    *(
        line
        for topology in (SPLIT, FLAT)
        for line in cases(
            exporters_answer,
            on("east", BOTH, topology=topology, before=after(sleeping, RIGHT)),
            passes(),
            fails("v2 never answered east", answering("v1")),
            fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
            fails("a hidden retry", retried()),
            fails("upstream_host is 10.9.9.9:5000", logged(upstream_host="10.9.9.9:5000")),
            fails("east: NXDOMAIN", resolving(NXDOMAIN)),
            fails("10.110.0.9", ANOTHER),
            unclear(NO_LINE, unlogged()),
        )
    ),
    *cases(
        exporters_answer,
        on("east", ("east",), before=after(sleeping, RIGHT)),
        passes(doing=kept),
        fails("v2 from west answered east, and exports nothing"),
    ),
    *cases(
        exporters_answer,
        on("west", ("east",), before=after(sleeping, RIGHT)),
        passes("all of it"),
        passes("all of it", answering("v1")),
        fails("v1 never answered west", answering("v2")),
    ),
    *cases(
        cluster_name_stays,
        on("east", before=after(sleeping, kept)),
        passes(),
        fails("x v2 from west", answering("v2")),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear(NO_LINE, unlogged()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_mcs(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
