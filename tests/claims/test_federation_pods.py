"""What is claimed of a headless Service behind a global name, and of one of its pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.kube.names import NameAnswer
from meshproof.kube.workload import Workload
from meshproof.workloads.stateful import SERVICE, pod_name
from suites.federation.pods import REPLICAS, headless_is_one_service, one_pod_alone_answers
from tests.claims.changes import changed, failing, logged, unheard, unlogged
from tests.claims.exposing import GATEWAY, of, with_askers
from tests.claims.table import Case, Doing, Stage, cases, fails, judge, passes, unclear
from tests.claims.told import NXDOMAIN
from tests.claims.world import Came
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod

ALL = f"{SERVICE}.beta.global"
ONE = f"{pod_name('west')}.{ALL}"
OTHER = f"{pod_name('west', 1)}.{ALL}"
HERE = NameAnswer("NOERROR", (IPv4Address("240.0.0.240"),))
FIRST = (0,)


def for_pods(call: Call) -> bool:
    return call.host.endswith(ALL)


def pods_of(stage: Stage) -> list[PlayedPod]:
    return [one for one in stage.world.pods if one.name.startswith(f"{SERVICE}-")]


def answered_by(numbers: Sequence[int], host: str) -> Doing:
    """These pods answer calls by a name."""

    def done(stage: Stage) -> None:
        world = stage.world

        def served(call: Call, _: Came) -> Came:
            pods = pods_of(stage)
            pod = pods[numbers[call.number % len(numbers)]]
            came = world.served(call, replace(pod, version="v2"))
            return came.logged(upstream_host=f"{GATEWAY.address}:{GATEWAY.port}")

        changed(served, lambda call: call.host == host)(stage)

    return done


def exposed(stage: Stage) -> None:
    """West has the pods, and each name leads to its own."""
    with_askers(stage)
    world = stage.world
    server = next(one for one in world.servers() if one.cluster == "west")
    for number in range(REPLICAS):
        address = server.address + 60 + number
        name = pod_name("west", number)
        world.pods.append(replace(server, name=name, address=address, version=""))
    answered_by(range(REPLICAS), ALL)(stage)
    answered_by(FIRST, ONE)(stage)
    before = world.names
    world.names = lambda who, name: HERE if name in (ALL, ONE) else before(who, name)


def named(name: str, answer: NameAnswer) -> Doing:
    def done(stage: Stage) -> None:
        before = stage.world.names

        def other(who: Workload, asked: str) -> NameAnswer:
            return answer if asked == name else before(who, asked)

        stage.world.names = other

    return done


CASES = [
    *cases(
        headless_is_one_service,
        of(before=exposed),
        passes(),
        fails(f"{pod_name('west', 1)} never answered", answered_by(FIRST, ALL)),
        fails("503 [UH]", failing(503, "UH", "no_healthy_upstream", for_pods)),
        fails("upstream_host is 10.0.0.9:5000", logged(for_pods, upstream_host="10.0.0.9:5000")),
        fails(f"{OTHER} exists", named(OTHER, HERE)),
        unclear("in no pod's log", unheard(for_pods)),
        unclear("the caller's access log", unlogged(for_pods)),
        unclear("the server proves nothing", named(ONE, NXDOMAIN)),
    ),
    *cases(
        one_pod_alone_answers,
        of(before=exposed),
        passes(),
        fails(f"were answered by {pod_name('west', 1)}", answered_by(range(REPLICAS), ONE)),
        fails("503 [UH]", failing(503, "UH", "no_healthy_upstream", for_pods)),
        fails("upstream_host is 10.0.0.9:5000", logged(for_pods, upstream_host="10.0.0.9:5000")),
        unclear("in no pod's log", unheard(for_pods)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_pods(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
