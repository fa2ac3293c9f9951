"""What is claimed of whom proxies are served by on the way to another Istio."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import pytest

from meshproof.files import topology_named
from meshproof.kube.workload import Workload
from meshproof.mesh.operator_config import GATEWAY
from meshproof.model import State, Version
from meshproof.model.upgrade import begin
from meshproof.traffic.connected import Serving, proxy_id
from meshproof.workloads.sample import HELLOWORLD, SLEEP
from suites.upgrade import served
from suites.upgrade.served import served_by_its_own
from tests.claims.table import (
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

OLD, NEW = Version(1, 31, 0), Version(1, 31, 1)
Serves = Callable[[Workload], Collection[str]]
"""The istiods, such as "east 1.31.1", that a proxy is connected to."""


def at_home(pod: Workload) -> Collection[str]:
    """The new one of its own cluster."""
    return [f"{pod.cluster} {NEW}"]


def to(*istiods: str, app: str = SLEEP, cluster: str = "west", others: Serves = at_home) -> Serves:
    """The pods of an app in a cluster are connected to these, and all others as they should be."""

    def serves(pod: Workload) -> Collection[str]:
        theirs = pod.cluster == cluster and pod.name.startswith(f"{app}-")
        return istiods if theirs else others(pod)

    return serves


def saying(serves: Serves, *running: str) -> Doing:
    """What istiods say. ``running``: those that there are, by default a new one in each cluster."""

    def done(stage: Stage) -> None:
        known = running or tuple(f"{name} {NEW}" for name in stage.world.clusters)
        proxies = [
            one for one in stage.world.pods if one.name.startswith((SLEEP, HELLOWORLD, GATEWAY))
        ]

        def serving(_: object, plane: str) -> list[Serving]:
            return [
                Serving(
                    f"istiod of {where}",
                    where.partition(" ")[2],
                    frozenset((p.cluster, proxy_id(p)) for p in proxies if where in serves(p)),
                )
                for where in known
                if where.startswith(f"{plane} ")
            ]

        stage.monkeypatch.setattr(served, "serving", serving)

    return done


def state(topology: str = SPLIT, **changed: dict[str, object]) -> State:
    """All is new, but for what is ``changed`` of it, by cluster."""
    as_begun = begin(topology_named(topology), NEW)
    fields = {name: {**getattr(as_begun, name), **values} for name, values in changed.items()}
    return replace(as_begun, **fields)


BESIDE = state(installed={"west": (OLD, NEW)}, sidecars={"west": OLD})
"""Of a canary: west's sidecars are to be restarted yet, its gateway is new."""
BOTH = ("east 1.31.1", "west 1.31.0", "west 1.31.1")


def old_sidecars(pod: Workload) -> Collection[str]:
    """As it should be in the midst of a canary."""
    new = pod.cluster == "east" or pod.name.startswith(GATEWAY)
    return at_home(pod) if new else [f"{pod.cluster} {OLD}"]


def of_east(_: Workload) -> Collection[str]:
    return [f"east {NEW}"]


CASES = [
    *cases(
        served_by_its_own,
        on(state()),
        passes("they are, to 1.31.1 in east, 1.31.1 in west", saying(at_home)),
        fails("of west (10.20.0.6) is connected to no istiod", saying(to())),
        fails("is served by istiod of east 1.31.1, which is 1.31.1", saying(to("east 1.31.1"))),
        fails(
            "is served by istiod of east 1.31.1",
            saying(to("west 1.31.1", "east 1.31.1", app=GATEWAY)),
        ),
        fails("and 3 more", saying(lambda _: [])),
        unclear("no istiod runs in west", saying(at_home, "east 1.31.1")),
    ),
    *cases(
        served_by_its_own,
        on(BESIDE),
        passes("to 1.31.1 in east, 1.31.0 in west, 1.31.1 in west", saying(old_sidecars, *BOTH)),
        fails(
            "which is 1.31.1, not one of west that is 1.31.0",
            saying(to("west 1.31.1", others=old_sidecars), *BOTH),
        ),
        fails(
            "which is 1.31.0, not one of west that is 1.31.1",
            saying(to("west 1.31.0", app=GATEWAY, others=old_sidecars), *BOTH),
        ),
    ),
    # In place: what was not restarted yet is served by the istiod that is there.
    *cases(
        served_by_its_own,
        on(state(sidecars={"east": OLD, "west": OLD}, gateways={"west": OLD})),
        passes("", saying(at_home)),
    ),
    *cases(
        served_by_its_own,
        on(state(REMOTE), topology=REMOTE),
        passes("they are, to 1.31.1 in east", saying(of_east)),
        fails("is connected to no istiod", saying(to(others=of_east))),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_upgrade_served(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
