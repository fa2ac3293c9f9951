"""Remote secrets that are changed while calls go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace

from meshproof.errors import EvidenceError
from meshproof.faults.discovery import unread
from meshproof.kube.cluster import RunningCluster
from meshproof.mesh.routes import destination_rule
from meshproof.traffic.routing import ruled
from meshproof.traffic.stream import Stream, StreamPlan
from meshproof.traffic.stream_history import History
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.sample import HOST, Sample
from meshproof.workloads.scale import scaled, usual
from suites.change.claims import AWAY, BACK

Change = Callable[[RunningCluster, RunningCluster], AbstractContextManager[object]]
"""Changes the remote secret in the first cluster by which that one's istiod reads the second."""

Gone = Mapping[str, Collection[str]]
"""By caller the versions that it is not to be answered by for a while."""

A_MINUTE = 60.0
WITHIN = 60.0
"""Seconds until a cluster is forgotten, or read again: nobody promises a time."""
_AFTERWARDS = 10.0
_SILENT = 80
"""So many answered calls without a version: then it is forgotten."""


def read_by_secret(sample: Sample) -> list[tuple[str, str]]:
    """Each cluster whose istiod reads another by a remote secret, with that one."""
    topology = sample.topology
    return [(one, home) for home in sample.homes for one in topology.readers(home)]


def over_a_change(
    sample: Sample, change: Change, what: str, secrets: Sequence[tuple[str, str]]
) -> Found:
    """What comes of calls while remote secrets are changed, all at once; then a version that is
    read by one of them gets another instance, and a minute goes by.

    ``what``: what is done, for people; ``secrets``: the reader's cluster and the one that is read.
    Raises EvidenceError where nobody reads anything by a secret, and as ``over``.
    """
    if not secrets:
        raise EvidenceError("no istiod reads another cluster by a remote secret")
    homes = [home for _, home in secrets]
    version = next((one for one, home in sample.versions.items() if home in homes), "")
    if not version:
        raise EvidenceError(f"no version runs in {' or '.join(homes)} that could get an instance")

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(what):
            for reader, home in secrets:
                clusters = sample.mesh.cluster(reader), sample.mesh.cluster(home)
                stack.enter_context(change(*clusters))
        stream.flow_for(_AFTERWARDS)
        with stream.mark(f"{version} gets another instance"):
            stack.enter_context(scaled(sample, version, usual(sample, version) + 1))
        stream.flow_for(A_MINUTE)

    return over(sample, doing, more={version: 1})


def away_and_back(sample: Sample) -> tuple[History, list[str], tuple[str, ...]]:
    """What comes of calls while a remote secret is removed, and given again; the callers that are
    served by the istiod that has it, and the versions that it is read for. Raises EvidenceError as
    ``over_a_change``."""
    caller, home = sample.read_from_elsewhere
    reader = sample.topology[caller].primary
    callers = [
        one for one in sample.clusters if sample.topology[one].primary == reader and one != home
    ]
    versions = sample.versions_in(home)
    gone = dict.fromkeys(callers, versions)
    clusters = sample.mesh.cluster(reader), sample.mesh.cluster(home)

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as secret:
            with stream.mark(AWAY):
                secret.enter_context(unread(*clusters))
            stream.flow_until(lambda: are_silent(stream, gone), AWAY, WITHIN)
            with stream.mark(BACK):
                secret.close()
        begin = stream.marks[-1].begin
        stream.flow_until(lambda: are_heard(stream, gone, begin), BACK, WITHIN)
        stream.flow_for(_AFTERWARDS)

    plan = plan_without(sample, home)
    with connections_of_their_own(sample, plan):
        return over(sample, doing, plan=plan).history, callers, versions


def connections_of_their_own(sample: Sample, plan: StreamPlan) -> AbstractContextManager[None]:
    """Inside the block each request of a stream is a connection, where none of its calls is one of
    its own. A connection through a gateway stays with one pod behind it: else nobody might ever
    meet the others. Raises EvidenceError as ``ruled``."""
    if any(not one.is_http for one in plan.kinds):
        return nullcontext()
    return ruled(sample, [destination_rule(HOST, (), short=True)])


def plan_without(sample: Sample, cluster: str) -> StreamPlan:
    """The calls of a stream over a time in which an istiod elsewhere does not read a cluster.

    Where that istiod serves the cluster's own proxies it does not know any more which services they
    stand before (``GetProxyServiceTargets`` in Istio's pilot/pkg/serviceregistry/aggregate): it
    takes the services' filter chains off their listeners, and with those go the connections that
    came by them. It tells the cluster's gateway at the same time as callers that there is nobody to
    lead to: who learns of it later than the gateway calls somebody else, for which nothing but a
    request can be sent again. So there are no others there.
    """
    plan = StreamPlan()
    if sample.topology[cluster].primary == cluster:
        return plan
    return replace(plan, kinds=tuple(one for one in plan.kinds if one.is_http))


def are_silent(stream: Stream, gone: Gone) -> bool:
    """Whether those versions have answered none of the last calls of each caller."""
    for caller, versions in gone.items():
        calls = sorted(
            (one for one in stream.calls_of(caller) if one.answered and one.kind.chooses),
            key=lambda one: one.at,
        )[-_SILENT:]
        if any(one.version in versions for one in calls):
            return False
    return True


def are_heard(stream: Stream, gone: Gone, since: float) -> bool:
    """Whether each of those versions has answered each caller since then."""
    return all(
        set(versions) <= {one.version for one in stream.calls_of(caller) if one.at >= since}
        for caller, versions in gone.items()
    )
