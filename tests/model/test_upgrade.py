"""The steps of an upgrade, derived from every topology: what each changes, and that it is due."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from meshproof.errors import ModelError
from meshproof.files import topology_named, topology_names
from meshproof.model import (
    REVISION,
    Deed,
    Deployment,
    Stage,
    State,
    Strategy,
    Topology,
    Upgrade,
    Version,
    revision_of,
)
from meshproof.model.upgrade import LAST, begin, course

OLD, NEW = Version(1, 31, 0), Version(1, 31, 1)
ALL = [
    (name, strategy)
    for name in topology_names()
    for strategy in Strategy
    if strategy is Strategy.IN_PLACE or not topology_named(name).externals
]
SPLIT, REMOTE = "multi-primary-split-horizon", "primary-remote-split-horizon"


def stages(name: str, strategy: Strategy, first: str = "", back: int | None = None) -> list[Stage]:
    return list(course(topology_named(name), OLD, Upgrade(NEW, strategy, first, back)))


def told(found: list[Stage]) -> list[str]:
    return [one.name for one in found]


def changed(before: State, after: State) -> set[str]:
    """What of a state a step has changed."""
    return {
        name for name in State.__dataclass_fields__ if getattr(before, name) != getattr(after, name)
    }


def ends_at(topology: Topology, state: State, version: Version) -> bool:
    """Whether everything is of one Istio, and nothing of another is there."""
    return state == begin(topology, version)


@pytest.mark.parametrize(("name", "strategy"), ALL)
def test_all_of_a_mesh_comes_to_the_new_one(name: str, strategy: Strategy) -> None:
    topology, found = topology_named(name), stages(name, strategy)
    assert [one.number for one in found] == list(range(len(found)))
    assert found[0].step is None and ends_at(topology, found[0].state, OLD)
    assert ends_at(topology, found[-1].state, NEW)


@pytest.mark.parametrize(("name", "strategy"), ALL)
def test_each_step_changes_what_it_is_about(name: str, strategy: Strategy) -> None:
    about = {
        Deed.TAG: {"injecting"},
        Deed.CONTROL_PLANE: {"installed", "injecting"},
        Deed.PROFILE: {"installed"},
        Deed.GATEWAY: {"gateways"},
        Deed.WORKLOADS: {"sidecars"},
        Deed.MACHINES: {"machines"},
        Deed.REMOVAL: {"installed"},
    }
    found = stages(name, strategy)
    for before, after in pairwise(found):
        assert after.step is not None
        what = changed(before.state, after.state)
        first_tag = after.step.deed is Deed.TAG and after.step.version == OLD
        assert first_tag or what
        assert what <= about[after.step.deed]
        if strategy is Strategy.CANARY and after.step.deed is Deed.CONTROL_PLANE:
            assert what == {"installed"}, "a revision beside the other one injects nobody"


@pytest.mark.parametrize(("name", "strategy"), ALL)
@pytest.mark.parametrize("back", [None, LAST])
def test_proxies_are_always_served_by_an_istiod(
    name: str, strategy: Strategy, back: int | None
) -> None:
    """No proxy is newer than the control plane that is there for it, but on the way back; and by a
    canary none is left without its own revision's."""
    topology = topology_named(name)
    for stage in stages(name, strategy, back=back):
        state = stage.state
        for proxies in (state.sidecars, state.gateways):
            for cluster, version in proxies.items():
                planes = state.installed[topology[cluster].primary]
                if strategy is Strategy.CANARY:
                    assert version in planes and version in state.installed[cluster], stage.name
                elif back is None:
                    assert version <= max(planes), stage.name
        for cluster, version in state.injecting.items():
            assert version in state.installed[topology[cluster].primary], stage.name


@pytest.mark.parametrize(("name", "strategy"), ALL)
def test_after_any_step_it_goes_back_to_where_it_began(name: str, strategy: Strategy) -> None:
    topology = topology_named(name)
    forth = stages(name, strategy)
    for number in (*range(1, len(forth)), LAST):
        found = stages(name, strategy, back=number)
        assert told(found)[: (number or len(forth) - 1) + 1] == told(forth)[: (number or 99) + 1]
        assert ends_at(topology, found[-1].state, OLD), number
        assert len(found) < 2 * len(forth) + 2


def test_back_after_the_first_step_undoes_that_step_alone() -> None:
    assert told(stages(SPLIT, Strategy.IN_PLACE, back=1))[1:] == [
        "control plane of east: 1.31.1",
        "control plane of east: 1.31.0",
    ]
    assert told(stages(SPLIT, Strategy.CANARY, back=3))[3:] == [
        "control plane of east: 1.31.1",
        "removal of 1.31.1 from east",
    ]


@pytest.mark.parametrize(("name", "strategy"), ALL)
def test_either_control_plane_can_be_the_first(name: str, strategy: Strategy) -> None:
    topology = topology_named(name)
    for plane in topology.control_planes:
        found = stages(name, strategy, first=plane.name)
        steps = [one.step for one in found if one.step is not None]
        deeds = [one for one in steps if one.deed is Deed.CONTROL_PLANE]
        assert deeds[0].cluster == plane.name
        assert {one.cluster for one in deeds} == {one.name for one in topology.control_planes}
        assert ends_at(topology, found[-1].state, NEW)


def test_in_place_a_control_plane_comes_before_what_it_serves() -> None:
    assert told(stages(REMOTE, Strategy.IN_PLACE)) == [
        "as installed",
        "control plane of east: 1.31.1",
        "remote profile of west: 1.31.1",
        "gateway of east: 1.31.1",
        "gateway of west: 1.31.1",
        "workloads of east: 1.31.1",
        "workloads of west: 1.31.1",
    ]
    assert told(stages(SPLIT, Strategy.IN_PLACE, first="west"))[1:4] == [
        "control plane of west: 1.31.1",
        "gateway of west: 1.31.1",
        "workloads of west: 1.31.1",
    ]


def test_machines_come_after_all_that_their_istiod_serves_in_clusters() -> None:
    found = stages("vm-expansion", Strategy.IN_PLACE)
    assert told(found)[1:] == [
        "control plane of east: 1.31.1",
        "gateway of east: 1.31.1",
        "workloads of east: 1.31.1",
        "machines of east: 1.31.1",
        "control plane of west: 1.31.1",
        "gateway of west: 1.31.1",
        "workloads of west: 1.31.1",
        "machines of west: 1.31.1",
    ]
    assert found[3].state.machines == dict.fromkeys(("shop", "till", "depot"), OLD)
    assert found[4].state.machines == {"shop": NEW, "till": OLD, "depot": NEW}


def test_by_a_canary_the_old_one_goes_when_nobody_is_left_on_it() -> None:
    found = told(stages(REMOTE, Strategy.CANARY))
    assert found[1:6] == [
        "tag of east: 1.31.0",
        "tag of west: 1.31.0",
        "control plane of east: 1.31.1",
        "remote profile of west: 1.31.1",
        "tag of east: 1.31.1",
    ]
    assert found[-2:] == ["removal of 1.31.0 from east", "removal of 1.31.0 from west"]


def test_an_external_control_plane_takes_its_config_cluster_along() -> None:
    found = stages("external-control-plane", Strategy.IN_PLACE)
    assert told(found)[1:3] == [
        "control plane of control: 1.31.1",
        "remote profile of west: 1.31.1",
    ]
    assert found[1].state.installed["east"] == (NEW,)
    assert "control" not in found[1].state.sidecars


@pytest.mark.parametrize(
    ("upgrade", "said"),
    [
        (Upgrade(OLD), "an upgrade from 1.31.0 to 1.31.0 changes nothing: name two versions"),
        (Upgrade(NEW, first="west"), "no control plane of .* runs in 'west': name east"),
        (Upgrade(NEW, back_after=7), "there is no step 7: .* has 6: give one from 1 to 6"),
        (Upgrade(NEW, back_after=-1), "there is no step -1"),
    ],
)
def test_what_cannot_be_is_refused(upgrade: Upgrade, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        course(topology_named(REMOTE), OLD, upgrade)


def test_a_control_plane_outside_is_upgraded_in_place_alone() -> None:
    with pytest.raises(ModelError, match="istioctl removes no revision of a control plane outside"):
        stages("external-control-plane", Strategy.CANARY)


def deployment(upgrade: Upgrade | None, revision: str = "", **istio: Version) -> Deployment:
    topology = topology_named(SPLIT)
    versions = dict.fromkeys(topology.names, OLD) | istio
    variants = frozenset({REVISION} if revision else ())
    return Deployment(
        topology, versions, Version(1, 36, 3), variants=variants, revision=revision, upgrade=upgrade
    )


@pytest.mark.parametrize(
    ("upgrade", "revision", "name"),
    [
        (Upgrade(NEW), "", "1.31.0-to-1.31.1+strict+in-place"),
        (Upgrade(NEW, first="west"), "", "1.31.0-to-1.31.1+strict+in-place+west-first"),
        (Upgrade(NEW, back_after=2), "", "1.31.0-to-1.31.1+strict+in-place+back-after-2"),
        (
            Upgrade(NEW, Strategy.CANARY, back_after=LAST),
            "1-31-0",
            "1.31.0-to-1.31.1+strict+canary+back",
        ),
    ],
)
def test_a_deployment_tells_the_way_by_its_name(upgrade: Upgrade, revision: str, name: str) -> None:
    one = deployment(upgrade, revision)
    assert str(one) == f"{SPLIT}+{name}"
    assert one.course[0].name == "as installed"
    assert one != deployment(None) and replace(one) == one


def test_what_a_deployment_cannot_be_on_the_way_from() -> None:
    assert deployment(None).course == ()
    with pytest.raises(ModelError, match=r"begins with east-.*: let it begin with"):
        deployment(Upgrade(Version(1, 32, 0)), west=NEW)
    with pytest.raises(ModelError, match="by canary begins with the revision '1-31-0', not ''"):
        deployment(Upgrade(NEW, Strategy.CANARY))
    with pytest.raises(ModelError, match="by in-place begins with the revision '', not 'x'"):
        deployment(Upgrade(NEW), "x")


def test_a_revisions_name_has_no_points() -> None:
    assert revision_of(Version(1, 31, 0, "Rc.1")) == "1-31-0-rc-1"
