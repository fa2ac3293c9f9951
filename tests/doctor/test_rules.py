"""Each rule, given facts on which it must speak up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from meshproof.doctor.facts import Cgroups, Clock, Disk, EngineFacts, Limits, Outcome, Trial
from meshproof.doctor.findings import Level, Run
from meshproof.doctor.rules import judge
from meshproof.doctor.rules.engine import release

from .healthy import GIB, HEALTHY, PODMAN, finding

REFUSED = Trial(Outcome.REFUSED, "Operation not supported")


def test_a_healthy_machine_has_only_good_findings() -> None:
    assert {one.level for one in judge(HEALTHY)} == {Level.OK}
    assert all(one.fix is None for one in judge(HEALTHY))


def test_every_failure_says_what_to_do() -> None:
    ill = replace(
        HEALTHY,
        root=False,
        engine=replace(PODMAN, version="4.2.0", network_backend="cni", container=REFUSED),
        limits=Limits(may_raise=False, nofile=1024, nproc=1024),
        cgroups=Cgroups("none"),
        kernel=replace(HEALTHY.kernel, nft=REFUSED, links=REFUSED, overlay=REFUSED),
        tools=frozenset(),
        memory=GIB,
        disks=(Disk("store", Path("/cache"), 1, GIB),),
        lib_modules=False,
        clock=Clock(datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        venv=False,
    )
    failures = [one for one in judge(ill) if one.level is Level.FAIL]
    assert len(failures) >= 14
    assert [one.name for one in failures if not one.remedy] == []


def test_without_root_no_finding_carries_a_fix() -> None:
    ill = replace(HEALTHY, root=False, tools=frozenset(), lib_modules=False, inotify_instances=1)
    assert finding(ill, "root").level is Level.FAIL
    assert all(one.fix is None for one in judge(ill))


def test_all_missing_packages_go_into_one_apt_call() -> None:
    bare = replace(HEALTHY, tools=frozenset(), engine=EngineFacts(refusal="no engine"))
    fix = finding(bare, "programs").fix
    assert fix is not None
    assert fix == finding(bare, "engine").fix == finding(bare, "conntrack").fix
    update, install = fix.steps
    assert isinstance(update, Run)
    assert update.argv == ("apt-get", "update")
    assert isinstance(install, Run)
    assert {"podman", "netavark", "runc", "iptables", "iproute2"} < set(install.argv)
    assert len(install.argv) == len(set(install.argv))


def test_packages_are_not_promised_where_there_is_no_apt() -> None:
    bare = replace(HEALTHY, apt=False, tools=frozenset())
    assert finding(bare, "apt").level is Level.WARN
    assert finding(bare, "programs").fix is None
    assert "debootstrap" in finding(bare, "programs").remedy


def test_published_artifacts_need_no_build_tools() -> None:
    tools = HEALTHY.tools - {"debootstrap", "git"}
    facts = replace(HEALTHY, published=True, tools=tools, go=None, venv=True)
    assert finding(facts, "programs").level is Level.OK
    assert "go" not in {one.name for one in judge(facts)}


@pytest.mark.parametrize("go", [None, "1.26.7", "1.9"])
def test_an_absent_or_old_go_is_a_warning_because_one_is_fetched(go: str | None) -> None:
    found = finding(replace(HEALTHY, go=go), "go")
    assert found.level is Level.WARN
    assert "PyPI" in found.found


@pytest.mark.parametrize(
    ("version", "level"), [("4.2.1", Level.FAIL), ("4.3.0", Level.OK), ("5.4.2-rhel", Level.OK)]
)
def test_podman_must_be_4_3_or_newer(version: str, level: Level) -> None:
    facts = replace(HEALTHY, engine=replace(PODMAN, version=version))
    assert finding(facts, "engine").level is level


def test_versions_of_distributions_are_read() -> None:
    assert str(release("4.9.4-rhel")) == "4.9.4"
    assert str(release("28.2.2+dfsg1")) == "28.2.2"
    assert str(release("")) == "0"


def test_missing_iptables_fails_podman_4_but_only_warns_for_podman_5() -> None:
    tools = HEALTHY.tools - {"iptables"}
    assert finding(replace(HEALTHY, tools=tools), "programs").level is Level.FAIL
    newer = replace(HEALTHY, tools=tools, engine=replace(PODMAN, version="5.4.2"))
    assert finding(newer, "programs").level is Level.WARN


def test_docker_that_does_not_answer_is_not_replaced_by_podman() -> None:
    facts = replace(HEALTHY, engine=EngineFacts(wanted="docker", refusal="docker does not answer"))
    found = finding(facts, "engine")
    assert (found.level, found.fix) == (Level.FAIL, None)
    assert "docker daemon" in found.remedy
    known = replace(facts.engine, remedy="use '--engine podman', which works here")
    assert finding(replace(facts, engine=known), "engine").remedy == known.remedy


@pytest.mark.parametrize(("version", "level"), [("20.10.24", Level.WARN), ("26.1.5", Level.OK)])
def test_old_docker_on_hybrid_cgroups_is_a_warning(version: str, level: Level) -> None:
    hybrid = Cgroups("hybrid", HEALTHY.cgroups.controllers)
    facts = replace(HEALTHY, cgroups=hybrid, engine=EngineFacts(name="docker", version=version))
    assert finding(facts, "container").level is level
    assert finding(facts, "cgroups").level is Level.OK


def test_published_node_images_on_old_cgroups_are_a_warning() -> None:
    facts = replace(HEALTHY, published=True, cgroups=Cgroups("v1", HEALTHY.cgroups.controllers))
    assert finding(facts, "cgroups").level is Level.WARN


def test_a_missing_cgroup_controller_is_named() -> None:
    found = finding(
        replace(HEALTHY, cgroups=Cgroups("v2", frozenset({"cpu", "cpuset"}))), "cgroups"
    )
    assert found.level is Level.FAIL
    assert "memory, pids" in found.found


def test_what_podman_says_is_shown_when_no_container_starts() -> None:
    facts = replace(HEALTHY, engine=replace(PODMAN, container=REFUSED))
    found = finding(facts, "container")
    assert found.level is Level.FAIL
    assert "Operation not supported" in found.found


@pytest.mark.parametrize(("gib", "level"), [(2, Level.FAIL), (4, Level.WARN), (6, Level.OK)])
def test_memory(gib: int, level: Level) -> None:
    assert finding(replace(HEALTHY, memory=gib * GIB), "memory").level is level


def _disks(store: int, engine: int | None = None) -> tuple[Disk, ...]:
    return (
        Disk("store", Path("/cache"), 1, store * GIB),
        Disk("engine", Path("/lib"), 1 if engine is None else 2, (engine or store) * GIB),
    )


def test_needs_on_one_file_system_add_up() -> None:
    shared = finding(replace(HEALTHY, disks=_disks(22)), "disk (store and engine)")
    assert shared.level is Level.FAIL
    apart = replace(HEALTHY, disks=_disks(22, 6))
    assert finding(apart, "disk (store)").level is Level.OK
    assert finding(apart, "disk (engine)").level is Level.OK


def test_a_filled_store_needs_less_and_published_artifacts_too() -> None:
    tight = replace(HEALTHY, disks=_disks(10))
    name = "disk (store and engine)"
    assert finding(replace(tight, store_filled=True), name).level is Level.WARN
    assert finding(replace(tight, published=True), name).level is Level.OK


def test_a_kernel_without_netem_is_only_a_warning() -> None:
    facts = replace(HEALTHY, kernel=replace(HEALTHY.kernel, netem=REFUSED))
    found = finding(facts, "kernel: netem")
    assert found.level is Level.WARN
    assert found.found == "delay faults are not available; loss by nft is"


def test_what_was_not_tried_is_unverified_not_good() -> None:
    untried = Trial(Outcome.NOT_TRIED, "only root can try this")
    facts = replace(HEALTHY, kernel=replace(HEALTHY.kernel, nft=untried))
    assert finding(facts, "kernel: nft").level is Level.WARN


def test_dropping_chains_are_told_but_no_fault() -> None:
    kernel = replace(HEALTHY.kernel, dropping_chains=("forward of ip filter",))
    found = finding(replace(HEALTHY, kernel=kernel), "firewall")
    assert found.level is Level.OK
    assert "forward of ip filter" in found.found


@pytest.mark.parametrize(
    ("off", "level"),
    [
        (timedelta(seconds=2), Level.OK),
        (timedelta(hours=-5, minutes=-30), Level.OK),  # kept in India's local time
        (timedelta(minutes=22), Level.WARN),
        (timedelta(days=30), Level.WARN),
    ],
)
def test_the_hardware_clock_may_be_in_local_time_only(off: timedelta, level: Level) -> None:
    clock = replace(HEALTHY.clock, hardware=HEALTHY.clock.now + off)
    assert finding(replace(HEALTHY, clock=clock), "time").level is level


def test_a_clock_before_meshproofs_own_files_is_wrong() -> None:
    clock = replace(HEALTHY.clock, now=datetime(2020, 1, 1, tzinfo=UTC))
    assert finding(replace(HEALTHY, clock=clock), "time").level is Level.FAIL


def test_unreadable_inotify_limits_are_a_warning_without_a_fix() -> None:
    found = finding(replace(HEALTHY, inotify_watches=None), "inotify")
    assert (found.level, found.fix) == (Level.WARN, None)


def test_the_pool_that_labs_come_out_of_is_told_and_the_next() -> None:
    found = finding(HEALTHY, "pools")
    assert found.level is Level.OK
    assert "172.30.0.0/16, which has 256 free, then 172.29.0.0/16" in found.found
    taken = replace(HEALTHY, pools={"172.30.0.0/16": 0, "172.29.0.0/16": 9})
    assert "172.29.0.0/16, which has 9 free" in finding(taken, "pools").found


def test_without_room_in_any_pool_the_remedy_is_to_name_one() -> None:
    found = finding(replace(HEALTHY, pools={"172.30.0.0/16": 1}), "pools")
    assert found.level is Level.WARN
    assert "--pool" in found.remedy
    assert "cannot be read" in finding(replace(HEALTHY, pools=None), "pools").found
