"""Judges the container engine, and what podman needs to start a container on this host."""

from __future__ import annotations

import re

from packaging.version import Version

from meshproof.doctor import fixes
from meshproof.doctor.facts import Facts, Outcome
from meshproof.doctor.findings import Finding, Level

# podman 4.3 is the oldest the lab was run with; 4.0 brought netavark.
PODMAN_AT_LEAST = Version("4.3")
# kind's known issues: older ones lack private cgroup name spaces.
DOCKER_AT_LEAST = Version("20.10")
# Docker 26.1 with runc 1.1.5 ran systemd in a container on hybrid cgroups; 20.10 did not.
DOCKER_ON_OLD_CGROUPS = Version("26.1")
# A node with a mesh has been seen to work with this many; fewer have not been tried.
NOFILE_SEEN_TO_WORK = 20000


def judge_engine(facts: Facts) -> list[Finding]:
    """The engine, then its networks, runtime and limits."""
    if facts.engine.is_docker:
        return [_engine(facts), _docker_container(facts)]
    return [
        _engine(facts),
        *([_backend(facts)] if facts.engine.name else []),
        *_runc(facts),
        _runtime(facts),
        _limits(facts),
        _container(facts),
    ]


def release(text: str) -> Version:
    """The leading numbers of a version: distributions write "4.9.4-rhel" or "28.2.2+dfsg"."""
    match = re.match(r"\d+(\.\d+)*", text)
    return Version(match.group()) if match else Version("0")


def _engine(facts: Facts) -> Finding:
    engine = facts.engine
    if not engine.name:
        return _no_engine(facts)
    least = DOCKER_AT_LEAST if engine.is_docker else PODMAN_AT_LEAST
    found = f"{engine.name} {engine.version}"
    if release(engine.version) >= least:
        return Finding("engine", Level.OK, found)
    return Finding(
        "engine",
        Level.FAIL,
        f"{found} is older than {least}",
        f"install {engine.name} {least} or newer, from a newer release of your distribution",
    )


def _no_engine(facts: Facts) -> Finding:
    packages = fixes.packages(facts)
    installs = packages is not None and "podman" in fixes.missing_packages(facts)
    if not facts.root:
        remedy = "run meshproof as root, then see what the doctor says"
    elif facts.engine.remedy:
        remedy = facts.engine.remedy
    elif facts.engine.is_docker:
        remedy = "start the docker daemon, or use '--engine podman'"
    else:
        remedy = f"start the docker daemon, or install podman {PODMAN_AT_LEAST} with netavark"
    return Finding(
        "engine", Level.FAIL, facts.engine.refusal, remedy, packages if installs else None
    )


def _backend(facts: Facts) -> Finding:
    backend = facts.engine.network_backend
    if backend == "netavark":
        return Finding("engine networks", Level.OK, "podman makes its networks with netavark")
    return Finding(
        "engine networks",
        Level.FAIL,
        f"podman makes its networks with '{backend or 'unknown'}', where netavark is needed",
        'install netavark and aardvark-dns, then set network_backend = "netavark" below '
        "[network] in containers.conf (networks made before are then no longer seen)",
        fixes.packages(facts) if "netavark" in fixes.missing_packages(facts) else None,
    )


def _runc(facts: Facts) -> list[Finding]:
    """runc itself, where it is needed and missing; being there it is not worth a line."""
    if not fixes.needs_runc(facts) or "runc" in facts.tools:
        return []
    return [
        Finding(
            "runc",
            Level.FAIL,
            f"runc is not on this machine, and crun refuses {facts.cgroups.mode} cgroups",
            "install the package runc",
            fixes.packages(facts),
        )
    ]


def _runtime(facts: Facts) -> Finding:
    name = facts.engine.runtime or facts.containers_conf.runtime or "podman's default"
    if not fixes.lacks_runc(facts):
        return Finding("engine runtime", Level.OK, name)
    return Finding(
        "engine runtime",
        Level.FAIL,
        f"{name} on {facts.cgroups.mode} cgroups, which crun refuses",
        'set runtime = "runc" below [engine] in containers.conf',
        fixes.containers_conf(facts),
    )


def _limits(facts: Facts) -> Finding:
    limits = facts.limits
    shown = f"nofile {limits.nofile or 'unlimited'}, nproc {limits.nproc or 'unlimited'}"
    if limits.may_raise:
        return Finding("ulimits", Level.OK, f"{shown}, and they may be raised")
    if fixes.lacks_ulimits(facts):
        return Finding(
            "ulimits",
            Level.FAIL,
            f"{shown}; podman would set more, which takes CAP_SYS_RESOURCE: no container starts",
            f"set {fixes.default_ulimits(facts)} below [containers] in containers.conf",
            fixes.containers_conf(facts),
        )
    if limits.nofile is not None and limits.nofile < NOFILE_SEEN_TO_WORK:
        return Finding(
            "ulimits",
            Level.WARN,
            f"{shown}; {NOFILE_SEEN_TO_WORK} open files are known to be enough, fewer are untried",
            "raise the hard limit of open files ('ulimit -Hn') for the session",
        )
    return Finding("ulimits", Level.OK, f"{shown}; podman stays within them")


def _container(facts: Facts) -> Finding:
    trial = facts.engine.container
    if trial.outcome is Outcome.WORKS:
        return Finding("container", Level.OK, "a privileged container started and ended")
    if trial.outcome is Outcome.NOT_TRIED:
        why = trial.said or "no engine to try it with"
        return Finding("container", Level.WARN, f"starting a container was not tried: {why}")
    explained = fixes.lacks_ulimits(facts) or fixes.lacks_runc(facts)
    return Finding(
        "container",
        Level.FAIL,
        f"podman cannot start a privileged container: {trial.said}",
        "mend 'ulimits' and 'engine runtime' first" if explained else "see what podman says",
        fixes.containers_conf(facts),
    )


def _docker_container(facts: Facts) -> Finding:
    engine = facts.engine
    if not engine.name:
        return Finding("container", Level.WARN, "starting a container was not tried")
    if facts.cgroups.mode == "v2" or release(engine.version) >= DOCKER_ON_OLD_CGROUPS:
        return Finding("container", Level.OK, "docker's daemon sets limits and runtime")
    return Finding(
        "container",
        Level.WARN,
        f"docker {engine.version} with {facts.cgroups.mode} cgroups: systemd in a node may not "
        "start (20.10 failed, 26.1 worked)",
        f"install docker {DOCKER_ON_OLD_CGROUPS} or newer, or use '--engine podman'",
    )
