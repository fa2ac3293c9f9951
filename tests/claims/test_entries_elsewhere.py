"""What is claimed of entries that are for other pods, other places and istiod itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

import pytest

from meshproof.mesh import istiod
from meshproof.mesh.istiod import Endings
from meshproof.mesh.proxy import Endpoint, outbound
from suites.entries.machines import MACHINE
from suites.entries.machines_claims import announced_where_they_are
from suites.entries.selected import SELECTED
from suites.entries.selected_claims import pods_are_told
from suites.entries.sites import SITES
from suites.entries.sites_claims import istiods_bear_it
from tests.claims.changes import after, answering, failing
from tests.claims.substitutes import everywhere
from tests.claims.table import (
    FLAT,
    REMOTE,
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
from tests.doubles.played import PlayedPod

ALL_ALIKE = 5000
BEFORE = {"east": Endings(1), "west": Endings(0)}
SERVED = "whose istiod takes east for its own"
PANIC = "runtime error: index out of range [1] with length 1"


def with_selected(*clusters: str, more: bool = False) -> Doing:
    """Each cluster has the selected pod, and its proxy is told in these. ``more``: each has another
    beside it that is told."""

    def done(stage: Stage) -> None:
        world = stage.world
        sleeps = [world.pod("sleep", name) for name in world.sample.clusters]
        names = [f"{SELECTED}-{one.cluster}" for one in sleeps]
        for one, name in zip(sleeps, names, strict=True):
            world.pods.append(_renamed(one, name))
            chains = [{"filter_chain_match": {"destination_port": 15006}}]
            if one.cluster in clusters:
                chains.append({"filter_chain_match": {"destination_port": 5000}})
            world.dumps[name] = _inbound(*chains)
            if more:
                world.pods.append(_renamed(one, f"{name}-more"))
                world.dumps[f"{name}-more"] = _inbound(
                    {"filter_chain_match": {"destination_port": 5000}}
                )

    return done


def _inbound(*chains: Mapping[str, object]) -> list[dict[str, object]]:
    inbound = {"name": "virtualInbound", "filter_chains": [*chains, {}]}
    return [{"active_state": {"listener": inbound}}]


def _renamed(pod: PlayedPod, name: str) -> PlayedPod:
    return PlayedPod(
        name,
        pod.namespace,
        pod.running,
        pod.node,
        pod.address + 60,
        account=name,
        sidecar=True,
        player=pod.player,
    )


def knowing(*clusters: str) -> Doing:
    """The sleeps of these clusters know the service of two sites."""

    def done(stage: Stage) -> None:
        for name in stage.world.sample.clusters:
            known = [{"cluster": {"name": outbound(SITES, 5000)}}] if name in clusters else []
            stage.world.dumps[f"sleep-{name}"] = known

    return done


def ended(**clusters: Endings) -> Doing:
    """The istiods have ended so often."""

    def done(stage: Stage) -> None:
        now = {**BEFORE, **clusters}
        for original in (istiod.endings, *_stand_ins()):
            everywhere(stage.monkeypatch, original, _StandIn(now))

    return done


class _StandIn:
    """In place of ``mesh.istiod.endings``."""

    def __init__(self, now: dict[str, Endings]) -> None:
        self.now = now

    def __call__(self, mesh: object, control_plane: str) -> Endings:
        return self.now[control_plane]


def _stand_ins() -> list[Callable[..., Endings]]:
    """Those that an earlier change has put there."""
    module = sys.modules["suites.entries.sites_claims"]
    known = vars(module)["endings"]
    return [known] if isinstance(known, _StandIn) else []


def announced(*versions: str) -> Doing:
    """Proxies know the announced instances of these versions alone, which answer."""

    def done(stage: Stage) -> None:
        world = stage.world
        world.further[MACHINE] = lambda pod: world.known(pod, MACHINE, "")
        before = world.known

        def known(pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
            pods = world.servers(*versions)
            ways = {str(way) for one in pods for way in world.sample.ways(pod.cluster, one)}
            found = before(pod, service, version)
            return [one for one in found if f"{one.address}:{one.port}" in ways]

        world.known = known
        answering(*versions)(stage)

    return done


def given(*addresses: str) -> Doing:
    """Proxies know these addresses of the service, whoever is there."""

    def done(stage: Stage) -> None:
        found = [Endpoint(one, ALL_ALIKE, 1, True) for one in addresses]
        stage.world.known = lambda *_: found

    return done


def of_versions(caller: str, *versions: str, topology: str) -> Setting:
    """The claim of the first pods of these versions."""

    def of(stage: Stage) -> tuple[object, ...]:
        pods = {one.cluster: one for one in stage.world.servers(*versions)}
        return stage.world.sample, caller, pods

    return Setting(of, topology, before=announced(*versions))


CASES = [
    *cases(
        announced_where_they_are,
        of_versions("west", "v1", topology=REMOTE),
        passes(),
        fails(
            "west calls 10.10.0.5 of net-east itself, not the gateway 172.30.1.200:15443",
            given("10.10.0.5"),
        ),
        fails("west calls it at 10.10.0.9:5000", given("10.10.0.9")),
        fails("1 did not: 1 x 503 [UF]", failing(503, "UF", "upstream_reset")),
        unclear("machines.entries.local has no instance in west", given()),
    ),
    *cases(announced_where_they_are, of_versions("east", "v1", topology=REMOTE), passes()),
    *cases(announced_where_they_are, of_versions("east", "v1", "v2", topology=SPLIT), passes()),
    *cases(
        pods_are_told,
        on(topology=REMOTE, before=with_selected("east", "west")),
        passes(),
        fails(f"none of 1 in west, {SERVED}, is told: selected-west", with_selected("east")),
        fails("none of 1 in east is told: selected-east", with_selected()),
        fails(
            f"1 of 2 in west, {SERVED}, are not: selected-west", with_selected("east", more=True)
        ),
        unclear(
            "nothing",
            lambda one: one.monkeypatch.setattr(type(one.world.sample), "clusters", ()),
        ),
    ),
    *cases(
        istiods_bear_it,
        on(BEFORE, topology=FLAT, before=after(knowing("east", "west"), ended())),
        passes("all 2 istiods run"),
        fails(
            f"the istiod in east ended in a panic: {PANIC}",
            after(ended(east=Endings(2, PANIC)), knowing()),
        ),
        fails("the istiod in west ended", ended(west=Endings(1))),
        unclear("the service is not known in west", knowing("east")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_entries_elsewhere(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
