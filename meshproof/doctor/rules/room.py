"""Judges the room there is: memory, processors, disk, addresses."""

from __future__ import annotations

from meshproof.doctor.facts import Disk, Facts
from meshproof.doctor.findings import Finding, Level
from meshproof.lab.room import CLUSTER_MEMORY, GIB

# Two clusters with the router and pytest fit in 3; builds link two programs side by side, at up to
# 2 GiB each.
MEMORY_LEAST = 3 * GIB
MEMORY_AMPLE = 6 * GIB
# A first build fills Go's module and build caches and holds the node image in several forms.
BUILD_STORE = 20 * GIB
# The engine's copy of the node image, its layers, and what a few nodes write while they run.
ENGINE_STORAGE = 5 * GIB
# Downloaded or already built: archives of the images, and room for runs' evidence.
FILLED_STORE = 3 * GIB
CPUS = 2
TWO_CLUSTERS = 2
"""Networks: each cluster of a lab has one of its own."""


def judge_room(facts: Facts) -> list[Finding]:
    """Whether the clusters fit in, and what a build writes."""
    return [_memory(facts), _cpus(facts), *_disks(facts), _pools(facts)]


def _memory(facts: Facts) -> Finding:
    clusters = int(facts.memory // CLUSTER_MEMORY)
    found = f"{facts.memory / GIB:.1f} GiB available, 0.65 of it a cluster: room for {clusters}"
    if facts.memory >= MEMORY_AMPLE:
        return Finding("memory", Level.OK, found)
    remedy = "end other programs, delete clusters that are not needed, or add memory"
    level = Level.FAIL if facts.memory < MEMORY_LEAST else Level.WARN
    return Finding("memory", level, f"{found}; a lab needs 3 GiB, 6 are ample", remedy)


def _cpus(facts: Facts) -> Finding:
    if facts.cpus >= CPUS:
        return Finding("processors", Level.OK, str(facts.cpus))
    return Finding(
        "processors",
        Level.WARN,
        f"{facts.cpus}: clusters come up slowly, and waits may run out of time",
        f"give this machine {CPUS} processors or more",
    )


def _pools(facts: Facts) -> Finding:
    if facts.pools is None:
        remedy = "see what 'ip route' and 'meshproof status' say"
        return Finding("pools", Level.WARN, "which are free cannot be read", remedy)
    usable = {pool: free for pool, free in facts.pools.items() if free >= TWO_CLUSTERS}
    if not usable:
        return Finding(
            "pools",
            Level.WARN,  # with --pool a lab comes up all the same
            f"none of {', '.join(facts.pools)} has two free networks for a lab's clusters: this "
            "machine's routes and other labs take them",
            "name a private range that you can spare with --pool, or remove labs",
        )
    pool, free = next(iter(usable.items()))
    others = f", then {', '.join([*usable][1:])}" if len(usable) > 1 else ""
    found = f"labs' networks come out of {pool}, which has {free} free{others}"
    return Finding("pools", Level.OK, found)


def _disks(facts: Facts) -> list[Finding]:
    """One finding a file system: store and engine often share one, and then their needs add up."""
    devices = dict.fromkeys(disk.device for disk in facts.disks)
    return [
        _disk([disk for disk in facts.disks if disk.device == device], facts) for device in devices
    ]


def _disk(disks: list[Disk], facts: Facts) -> Finding:
    name = f"disk ({' and '.join(disk.use for disk in disks)})"
    free = disks[0].free
    cold = sum(_need(disk, cold=True) for disk in disks)
    warm = sum(_need(disk, cold=False) for disk in disks)
    builds = not facts.published
    found = f"{free / GIB:.0f} GiB free at {disks[0].path}"
    remedy = "free some, or set MESHPROOF_STORE to a folder on a larger disk"
    if free >= (cold if builds else warm):
        return Finding(name, Level.OK, found)
    if builds and free >= warm and facts.store_filled:
        why = f"a first build takes about {cold / GIB:.0f}, but the store is filled already"
        return Finding(name, Level.WARN, f"{found}; {why}", remedy)
    need = (cold if builds else warm) / GIB
    return Finding(name, Level.FAIL, f"{found}, where about {need:.0f} are needed", remedy)


def _need(disk: Disk, *, cold: bool) -> int:
    if disk.use == "engine":
        return ENGINE_STORAGE
    return BUILD_STORE if cold else FILLED_STORE
