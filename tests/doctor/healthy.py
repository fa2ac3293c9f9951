"""A machine on which nothing is missing, as facts; tests change one thing at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from meshproof.doctor.facts import (
    Cgroups,
    Clock,
    Disk,
    EngineFacts,
    Facts,
    Kernel,
    Limits,
    Outcome,
    Trial,
)
from meshproof.doctor.findings import Finding
from meshproof.doctor.machine import PROGRAMS
from meshproof.doctor.rules import judge

GIB = 2**30
WORKS = Trial(Outcome.WORKS)

PODMAN = EngineFacts(
    name="podman",
    version="4.3.1",
    network_backend="netavark",
    runtime="runc",
    storage=Path("/var/lib/containers/storage"),
    container=WORKS,
)
HEALTHY = Facts(
    root=True,
    apt=True,
    published=False,
    engine=PODMAN,
    limits=Limits(may_raise=True, nofile=1048576, nproc=None),
    cgroups=Cgroups("v2", frozenset({"cpu", "cpuset", "io", "memory", "pids"})),
    kernel=Kernel(WORKS, WORKS, WORKS, WORKS, WORKS, True, True),
    clock=Clock(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)),
    tools=frozenset(PROGRAMS),
    memory=16 * GIB,
    cpus=4,
    disks=(
        Disk("store", Path("/cache"), 1, 60 * GIB),
        Disk("engine", Path("/var/lib/containers/storage"), 1, 60 * GIB),
    ),
    store_filled=False,
    lib_modules=True,
    inotify_instances=1024,
    inotify_watches=524288,
    go="1.26.8",
    venv=True,
    pools={"172.30.0.0/16": 256, "172.29.0.0/16": 256, "172.24.0.0/16": 1},
)


def finding(facts: Facts, name: str) -> Finding:
    """The finding called ``name``; there must be exactly one."""
    (found,) = [one for one in judge(facts) if one.name == name]
    return found
