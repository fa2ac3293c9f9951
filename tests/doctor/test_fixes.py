"""What the fixes would do, and that they are not offered twice."""

from __future__ import annotations

import tomllib
from dataclasses import replace

from meshproof.doctor import fixes
from meshproof.doctor.facts import (
    Cgroups,
    ContainersConf,
    EngineFacts,
    Facts,
    Limits,
    Outcome,
    Trial,
)
from meshproof.doctor.findings import Fix, Level, Run, Write

from .healthy import HEALTHY, PODMAN, WORKS, finding

NARROW = replace(
    HEALTHY,
    limits=Limits(may_raise=False, nofile=20000, nproc=96365),
    cgroups=Cgroups("hybrid", HEALTHY.cgroups.controllers),
    engine=replace(PODMAN, container=Trial(Outcome.REFUSED, "error setting rlimit type 7")),
)


def _written(fix: Fix | None) -> str:
    assert fix is not None
    (write,) = [step for step in fix.steps if isinstance(step, Write)]
    return write.text


def test_podman_is_kept_within_the_hard_limits() -> None:
    fix = fixes.containers_conf(NARROW)
    assert fix is not None
    said = tomllib.loads(_written(fix))
    assert said["containers"]["default_ulimits"] == ["nofile=20000:20000", "nproc=32768:32768"]
    assert said["engine"]["runtime"] == "runc"
    assert str(fixes.CONTAINERS_CONF) in fix.says
    assert finding(NARROW, "ulimits").fix == finding(NARROW, "container").fix == fix


def test_limits_of_the_users_own_are_repeated_in_the_drop_in() -> None:
    conf = ContainersConf(ulimits=("memlock=1024:1024", "nofile=1048576:1048576"))
    said = tomllib.loads(_written(fixes.containers_conf(replace(NARROW, containers_conf=conf))))
    ulimits = said["containers"]["default_ulimits"]
    assert ulimits == ["memlock=1024:1024", "nofile=20000:20000", "nproc=32768:32768"]


def test_nothing_is_written_once_it_is_configured() -> None:
    conf = ContainersConf(("nofile=20000:20000", "nproc=32768:32768"), "runc")
    assert fixes.containers_conf(replace(NARROW, containers_conf=conf)) is None


def test_a_container_that_starts_settles_it() -> None:
    engine = replace(PODMAN, container=WORKS)
    assert fixes.containers_conf(replace(NARROW, engine=engine)) is None


def test_a_host_that_may_raise_its_limits_gets_the_runtime_only() -> None:
    facts = replace(
        NARROW, limits=HEALTHY.limits, engine=replace(PODMAN, runtime="crun", container=WORKS)
    )
    assert finding(facts, "engine runtime").level is Level.FAIL
    assert tomllib.loads(_written(fixes.containers_conf(facts))) == {"engine": {"runtime": "runc"}}


def test_a_bare_machine_is_mended_in_one_round() -> None:
    bare = replace(NARROW, tools=frozenset({"sysctl"}), engine=EngineFacts(refusal="no engine"))
    assert finding(bare, "engine").fix == fixes.packages(bare) is not None
    assert finding(bare, "ulimits").fix == fixes.containers_conf(bare) is not None


def test_docker_is_left_alone() -> None:
    docker = EngineFacts(name="docker", version="28.0.0")
    assert fixes.containers_conf(replace(NARROW, engine=docker)) is None


def test_missing_runc_is_installed_where_crun_would_refuse() -> None:
    facts = replace(NARROW, tools=HEALTHY.tools - {"runc"})
    assert fixes.missing_packages(facts) == ["runc"]
    assert finding(facts, "runc").fix == fixes.packages(facts)
    assert fixes.missing_packages(replace(facts, cgroups=HEALTHY.cgroups)) == []


def test_inotify_is_raised_and_never_lowered() -> None:
    facts = replace(HEALTHY, inotify_instances=128, inotify_watches=1048576)
    fix = finding(facts, "inotify").fix
    assert fix is not None
    run = fix.steps[0]
    assert isinstance(run, Run)
    assert run.argv[2:] == (
        "fs.inotify.max_user_instances=512",
        "fs.inotify.max_user_watches=1048576",
    )
    assert "fs.inotify.max_user_instances = 512\n" in _written(fix)


def test_every_fix_says_one_sentence() -> None:
    ill: Facts = replace(NARROW, tools=frozenset({"sysctl"}), lib_modules=False, inotify_watches=1)
    offered = (
        fixes.packages(ill),
        fixes.containers_conf(ill),
        fixes.lib_modules(ill),
        fixes.inotify(ill),
    )
    for fix in offered:
        assert fix is not None
        assert fix.says.endswith(".")
        assert fix.steps
