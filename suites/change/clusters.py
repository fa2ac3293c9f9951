"""A cluster that leaves a running mesh, and joins it again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack

from meshproof.errors import EvidenceError
from meshproof.faults.discovery import unread
from meshproof.model import Pair
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled, usual
from suites.change.claims import JOINED, LEFT
from suites.change.secrets import (
    A_MINUTE,
    WITHIN,
    Gone,
    are_heard,
    are_silent,
    connections_of_their_own,
    plan_without,
)


def secrets_between(sample: Sample, cluster: str) -> list[Pair]:
    """The remote secrets by which a cluster is part of its mesh, each by the cluster whose istiod
    has it and the one that this reads: those of this cluster, and those that its own istiod has."""
    topology = sample.topology
    control_planes = [one.name for one in topology.control_planes]
    own = topology.reads(cluster) if cluster in control_planes else ()
    return [(one, cluster) for one in topology.readers(cluster)] + [(cluster, one) for one in own]


def lost_without(sample: Sample, secrets: Sequence[Pair]) -> dict[str, tuple[str, ...]]:
    """By caller the versions that it does not know without these remote secrets. Raises
    EvidenceError where one would know none."""
    gone: dict[str, tuple[str, ...]] = {}
    for caller in sample.clusters:
        reader, known = sample.topology[caller].primary, sample.reached_from(caller)
        lost = tuple(one for one, home in known.items() if (reader, home) in secrets)
        if len(lost) == len(known):
            raise EvidenceError(f"nobody would be left whom {caller} could call")
        gone |= {caller: lost} if lost else {}
    return gone


def over_an_absence(sample: Sample) -> tuple[Found, Gone]:
    """What comes of calls while a cluster is no part of the mesh, and after it has joined again: a
    version of it gets another instance then, and a minute goes by. And by caller the versions that
    it loses meanwhile. Raises EvidenceError as ``lost_without``, where nobody reads anything by a
    secret, and as ``ruled``."""
    _, cluster = sample.read_from_elsewhere
    secrets, version = secrets_between(sample, cluster), sample.versions_in(cluster)[0]
    gone = lost_without(sample, secrets)

    def doing(stream: Stream, stack: ExitStack) -> None:
        with ExitStack() as absent:
            with stream.mark(LEFT):
                for pair in secrets:
                    absent.enter_context(without(sample, pair))
            stream.flow_until(lambda: are_silent(stream, gone), LEFT, WITHIN)
            with stream.mark(JOINED):
                absent.close()
        begin = stream.marks[-1].begin
        stream.flow_until(lambda: are_heard(stream, gone, begin), JOINED, WITHIN)
        with stream.mark(f"{version} gets another instance"):
            stack.enter_context(scaled(sample, version, usual(sample, version) + 1))
        stream.flow_for(A_MINUTE)

    plan = plan_without(sample, cluster)
    with connections_of_their_own(sample, plan):
        return over(sample, doing, more={version: 1}, plan=plan), gone


def without(sample: Sample, pair: Pair) -> AbstractContextManager[None]:
    """The istiod of the first cluster has no remote secret of the second inside the block."""
    reader, read = pair
    return unread(sample.mesh.cluster(reader), sample.mesh.cluster(read))
