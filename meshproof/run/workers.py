"""How many workers share out a run: each has a lab of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import psutil

from meshproof.errors import UsageError
from meshproof.lab.room import CLUSTER_MEMORY, GIB
from meshproof.model import RunRequest, Topology
from meshproof.model.request import AUTO, has_own_clusters

_NUMBER = re.compile("[1-9][0-9]{0,8}")
_CLUSTERS = 2
# What a mesh adds to each of its clusters; what the worker's own process and a router take.
_MESH_MEMORY = 0.35 * GIB
_OWN_MEMORY = 0.25 * GIB


def labs_at_once(cpus: int, memory: int, clusters: int) -> int:
    """How many labs of so many ``clusters`` a machine has room for, but one at least: one a core,
    since a lab's own waits leave a good part of two cores to another.

    ``memory``: bytes available.
    """
    return min(cpus, labs_in(memory, clusters))


def labs_in(memory: int, clusters: int) -> int:
    """How many labs of so many clusters, each with a mesh, go into ``memory`` bytes; one at
    least."""
    lab = clusters * (CLUSTER_MEMORY + _MESH_MEMORY) + _OWN_MEMORY
    return max(1, int(memory // lab))


def labs_here(topologies: Sequence[Topology]) -> int:
    """How many labs the topologies are worth on this machine, for which there is room now: one a
    topology at most, as a second lab of the same has to be made before it is of any use."""
    clusters = max((len(one.members) for one in topologies), default=_CLUSTERS)
    cpus, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory().available
    return min(labs_at_once(cpus, memory, clusters), max(1, len(topologies)))


def chosen_workers(request: RunRequest, topologies: Sequence[Topology]) -> int:
    """How many workers the run has that was asked for: a number, or "auto" for what there is room.

    One test needs one. Raises UsageError for what is no number above 0, for several workers with an
    option that is about one lab, and for more labs than the machine has memory for.
    """
    asked = request.workers
    if asked == AUTO:
        alone = request.only is not None or one_lab_option(request) is not None
        return 1 if alone else labs_here(topologies)
    if not _NUMBER.fullmatch(asked):
        raise UsageError(f"--workers is '{asked}'", f"give a number from 1, or {AUTO}")
    count = int(asked)
    check_one_lab(count, request)
    clusters = max((len(one.members) for one in topologies), default=_CLUSTERS)
    most = labs_in(psutil.virtual_memory().total, clusters)
    if count > most:
        raise UsageError(
            f"--workers is {count}, and this machine's memory holds {most} labs of {clusters} "
            "clusters at most",
            f"give a number up to {most}, or {AUTO}",
        )
    return count if request.only is None else 1


def check_one_lab(workers: int, request: RunRequest) -> None:
    """Raise UsageError when several workers are to have the one lab that an option is about."""
    option = one_lab_option(request)
    if workers > 1 and option:
        raise UsageError(
            f"{option} is about one lab, and each of {workers} workers has its own",
            "leave the number of workers out, or make it 1",
        )


def one_lab_option(request: RunRequest) -> str | None:
    """Which of the options that are about a single lab is given."""
    if has_own_clusters(request):
        return "--cluster"
    return "--keep" if request.keep else "--reuse" if request.reuse is not None else None
