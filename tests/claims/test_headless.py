"""What is claimed of single pods' names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.kube.names import NameAnswer
from meshproof.kube.workload import Workload
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.stateful import SERVICE, pod_name
from suites.headless.claims import found_by_name, nowhere_by_name
from suites.headless.pool_claims import pools_found_by_name
from suites.headless.pools import full_name as pool_name
from suites.headless.sets import full_name
from tests.claims.changes import changed, cut_off, logged
from tests.claims.table import (
    FLAT,
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
from tests.claims.world import Came
from tests.doubles.calls import Call

SILENCE = NameAnswer("SILENCE")
ELSEWHERE = NameAnswer("NOERROR", (IPv4Address("10.99.0.9"),))
Answers = Callable[[Workload, str], NameAnswer | None]


def with_pods(stage: Stage) -> None:
    """Each cluster has a pod of a StatefulSet, and a sleep whose sidecar answers names; each of
    the pods answers by its name."""
    world = stage.world
    for cluster in world.sample.clusters:
        server = next(one for one in world.servers() if one.cluster == cluster)
        own = replace(server, name=pod_name(cluster), address=server.address + 60, version="")
        sleep = world.pod("sleep", cluster)
        asking = replace(sleep, name=f"{DNS_SLEEP}-{cluster}", address=sleep.address + 50)
        world.pods += [own, asking]
    pods = {one.cluster: one for one in world.pods if one.name.startswith(f"{SERVICE}-")}
    topology = world.deployment.topology

    def answer(who: Workload, name: str) -> NameAnswer:
        there = next((one for one in pods if name == full_name(one)), "")
        by_proxy = who.name.startswith(DNS_SLEEP)
        near = there and topology.same_network(who.cluster, there) and by_proxy
        if there and (there == who.cluster or near):
            return NameAnswer("NOERROR", (pods[there].address,))
        return NXDOMAIN

    def by_name(call: Call, came: Came) -> Came:
        pod = next(one for one in pods.values() if call.host == full_name(one.cluster))
        return world.served(call, replace(pod, version="v1")).logged(
            upstream_host=f"{pod.address}:5000"
        )

    world.names = answer
    changed(by_name)(stage)


def told(answers: Answers) -> Doing:
    """Something else is said of some names."""

    def done(stage: Stage) -> None:
        before = stage.world.names
        stage.world.names = lambda who, name: answers(who, name) or before(who, name)

    return done


def by_proxies(answer: NameAnswer, cluster: str) -> Doing:
    """DNS proxies say this of the pod of a cluster."""

    def answers(who: Workload, name: str) -> NameAnswer | None:
        theirs = who.name.startswith(DNS_SLEEP) and name == full_name(cluster)
        return answer if theirs else None

    return told(answers)


def by_clusters(answer: NameAnswer, cluster: str) -> Doing:
    """The clusters' own DNS says this of the pod of a cluster."""

    def answers(who: Workload, name: str) -> NameAnswer | None:
        theirs = not who.name.startswith(DNS_SLEEP) and name == full_name(cluster)
        return answer if theirs else None

    return told(answers)


def other_pod(_: Call, came: Came) -> Came:
    body = came.reply.body.replace(f"instance: {SERVICE}", "instance: somebody")
    return replace(came, reply=replace(came.reply, body=body))


def pooled(second: NameAnswer, first: NameAnswer = ELSEWHERE) -> Doing:
    """The DNS proxy says this of pods that have the first, and the second port alone."""
    answers = {pool_name("first", "west"): first, pool_name("second", "west"): second}
    return told(lambda _, name: answers.get(name))


CASES = [
    *cases(
        pools_found_by_name,
        on("east", "west", topology=FLAT, before=with_pods),
        passes(doing=pooled(ELSEWHERE)),
        fails("but not the one with the second port alone", pooled(NXDOMAIN)),
        fails(f"{pool_name('first', 'west')} is NXDOMAIN", pooled(ELSEWHERE, NXDOMAIN)),
        unclear("SILENCE", pooled(SILENCE)),
    ),
    *cases(
        found_by_name,
        on("east", "west", topology=FLAT, before=with_pods),
        passes(),
        fails(f"NXDOMAIN for {DNS_SLEEP} of east", by_proxies(NXDOMAIN, "west")),
        fails("is 10.99.0.9", by_proxies(ELSEWHERE, "west")),
        fails("connection reset", cut_off(lambda _: True)),
        fails("somebody-west-0 answered", changed(other_pod)),
        fails("upstream_host is 10.99.0.9:5000", logged(upstream_host="10.99.0.9:5000")),
        fails("4 by nobody", logged(upstream_peer=None)),
        fails("sent 2 times", logged(attempts=2)),
        unclear("the proxy was not needed", by_clusters(ELSEWHERE, "west")),
        unclear("SILENCE", by_proxies(SILENCE, "west")),
    ),
    *cases(
        nowhere_by_name,
        on("east", "west", topology=SPLIT, before=with_pods),
        passes(),
        fails(f"{full_name('west')} exists in", by_proxies(ELSEWHERE, "west")),
        fails("connection reset", cut_off(lambda _: True)),
        unclear("the server proves nothing", by_proxies(NXDOMAIN, "east")),
        unclear("SILENCE", by_proxies(SILENCE, "west")),
        unclear("NXDOMAIN", by_clusters(NXDOMAIN, "west")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_headless(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
