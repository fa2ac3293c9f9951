"""When a mesh has settled: who reaches whom, and what is told of one that has not."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from meshproof.model import UNRELATED_ROOTS, Mtls
from meshproof.traffic import settle
from meshproof.traffic.drain import passed_unread
from meshproof.traffic.settle import await_healed, mtls_mode, reachable
from tests.claims.changes import always, answering, cut_off, failing, logged
from tests.claims.substitutes import world
from tests.claims.table import FLAT, MIXED, REMOTE, SPLIT, Doing, Stage

ROOTS = (UNRELATED_ROOTS,)


@pytest.mark.parametrize(
    ("topology", "mtls", "variants", "caller", "reached"),
    [
        (SPLIT, Mtls.STRICT, (), "east", {"v1": "east", "v2": "west"}),
        (SPLIT, Mtls.DISABLED, (), "east", {"v1": "east"}),
        (FLAT, Mtls.DISABLED, (), "east", {"v1": "east", "v2": "west"}),
        (SPLIT, Mtls.STRICT, ROOTS, "east", {"v1": "east"}),
        (FLAT, Mtls.DISABLED, ROOTS, "west", {"v1": "east", "v2": "west"}),
        (REMOTE, Mtls.STRICT, (), "west", {"v1": "east", "v2": "west"}),
        (MIXED, Mtls.DISABLED, (), "north", {"v1": "east", "v2": "north"}),
        (MIXED, Mtls.STRICT, ROOTS, "north", {"v1": "east", "v2": "north"}),
    ],
)
def test_what_a_caller_can_reach(
    topology: str,
    mtls: Mtls,
    variants: Collection[str],
    caller: str,
    reached: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, _ = world(monkeypatch, topology, mtls, variants)
    assert reachable(made.sample, caller) == reached


def stage(
    monkeypatch: pytest.MonkeyPatch, topology: str = SPLIT, mtls: Mtls = Mtls.STRICT
) -> Stage:
    made, tls = world(monkeypatch, topology, mtls)
    return Stage(made, tls, monkeypatch)


@pytest.mark.parametrize("mtls", list(Mtls))
@pytest.mark.parametrize("topology", [SPLIT, FLAT, MIXED])
def test_a_mesh_that_is_as_it_should_be_has_settled(
    topology: str, mtls: Mtls, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settle.settle(stage(monkeypatch, topology, mtls).world.sample).came_about


@pytest.mark.parametrize(
    "unsettled",
    [
        answering("v1"),
        failing(503, "UH", "no_healthy_upstream", always),
        cut_off(always),
        logged(upstream_peer=None),
    ],
    ids=["a version is missing", "a call fails", "a call is cut off", "without mTLS"],
)
def test_a_mesh_that_is_not_has_not(unsettled: Doing, monkeypatch: pytest.MonkeyPatch) -> None:
    on = stage(monkeypatch)
    unsettled(on)
    assert not settle.settle(on.world.sample).came_about


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([{"id": "west", "syncStatus": "syncing"}], "; west is syncing to east's istiod"),
        ([{"id": "elsewhere", "syncStatus": "synced"}], "; west is unknown to east's istiod"),
        ([{"id": "west", "syncStatus": "synced"}], ""),
    ],
)
def test_a_mesh_that_does_not_settle_tells_which_cluster_is_not_read(
    said: list[dict[str, str]], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = stage(monkeypatch)
    answering("v1")(on)
    read = on.world.debug["clusterz"]
    on.world.debug["clusterz"] = lambda reader: said if reader == "east" else read(reader)
    missing = settle.settle(on.world.sample).missing
    assert missing == f"east does not reach v2; west does not reach v2{told}"


def test_connections_from_before_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    on = stage(monkeypatch)
    drains = {"listener_manager.total_listeners_draining": 1}
    on.world.stats["helloworld-v2-0"].update(drains)
    assert not settle.settle(on.world.sample).came_about


@pytest.mark.parametrize(
    ("held", "told"),
    [({}, False), ({5000: 0, 8080: 1}, False), ({5000: 1}, True), ({9000: 2}, True)],
)
def test_a_server_that_passes_on_connections_unread_is_named(
    held: dict[int, int], told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = stage(monkeypatch)
    on.world.unread["helloworld-v2-0"] = held
    assert ("helloworld-v2-0 of west" in passed_unread(on.world.sample)) is told


def test_what_is_not_undone_marks_the_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = stage(monkeypatch).world.sample
    await_healed(sample, lambda: True, "the end of a policy")
    assert sample.mesh.dirty is None
    await_healed(sample, lambda: False, "the end of a policy")
    assert sample.mesh.dirty == "the end of a policy did not come about"


def test_what_does_not_arrive_is_noted_in_the_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = stage(monkeypatch).world.sample.mesh
    assert settle.arrive(mesh, lambda: True, what="a policy")
    assert mesh.unmet == []
    assert not settle.arrive(mesh, lambda: False, what="a policy")
    assert mesh.unmet == ["a policy"]


def test_a_mesh_has_its_own_mode_again_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = stage(monkeypatch).world.sample
    with mtls_mode(sample, Mtls.PERMISSIVE):
        inside = sample.mesh.deployment.mtls
    assert (inside, sample.mesh.deployment.mtls) == (Mtls.PERMISSIVE, Mtls.STRICT)


def test_who_has_a_way_to_nobody_has_settled_although_calls_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cluster alone on its network, without a version and without mTLS."""
    on = stage(monkeypatch, SPLIT, Mtls.DISABLED)
    failing(503, "UH", "no_healthy_upstream", always)(on)
    assert not settle.settle(on.world.sample).came_about
    monkeypatch.setattr(settle, "reachable", lambda *_: {})
    monkeypatch.setattr(type(on.world.sample), "homes", ())
    assert settle.settle(on.world.sample).came_about
