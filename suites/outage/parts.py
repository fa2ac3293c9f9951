"""Parts of a mesh that are away while calls go on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from meshproof.errors import EvidenceError
from meshproof.faults.api_server import api_server_stopped
from meshproof.faults.between import partitioned
from meshproof.faults.dns import load_balancers_unnamed
from meshproof.faults.gateway import gateway_scaled, kill_gateway_pod
from meshproof.faults.istiod import istiod_stopped, restart_istiod
from meshproof.faults.node import node_drained, nodes_stopped
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.lab.restart import restart_node
from meshproof.model import Pair
from meshproof.traffic.connected import await_proxies
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.transitions.recovery import make_anew
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled, usual
from suites.outage.claims import NAMED, UNNAMED

Broken = Callable[[RunningCluster], AbstractContextManager[None]]
"""A fault of a cluster."""

_AWAY = 20.0
_AFTERWARDS = 20.0
_SILENT = 80
"""So many answered calls without a version: then callers do not know of it."""
BACK_WITHIN = 60.0
"""Seconds until a mesh whose part is back is as before: connections that were silent meanwhile are
found out by their keepalive, after half a minute."""
READ_WITHIN = 75.0
"""Seconds until an istiod has read a cluster that could not be read for a while: Kubernetes' client
tries again after ever longer times, up to a minute (``NewReflectorWithOptions`` in client-go)."""
RIDDEN_OUT_WITHIN = 30.0
"""Seconds in which what was led by a gateway that died comes to its end: a caller gives up after
five, and makes a connection anew, which another gateway leads."""


def without_istiod(sample: Sample) -> Found:
    """What comes of calls while no istiod runs, and when proxies are served by new ones. Raises
    WaitTimeoutError when they are not."""

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as away:
            for member in sample.topology.control_planes:
                with stream.mark(f"istiod in {member.name} is stopped"):
                    cluster = sample.mesh.cluster(member.name)
                    away.enter_context(istiod_stopped(cluster, sample.mesh.shell))
            stream.flow_for(_AWAY)
            with stream.mark("istiod is there again"):
                away.close()
                # Else the stream might end before any proxy was told anything by the new ones.
                await_proxies(sample)
        stream.flow_for(_AFTERWARDS)

    return over(sample, doing)


def restarted_without(sample: Sample, what: str, broken: Broken) -> Found:
    """What comes of calls while something is away without which an istiod cannot read another
    cluster, and that istiod is restarted meanwhile: it starts without having read it.

    ``what`` is away, for people; ``broken``: takes it away from the cluster that is read.
    """
    caller, home = sample.read_from_elsewhere
    reader = sample.mesh.cluster(sample.topology[caller].primary)

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as away:
            with stream.mark(f"{what} of {home} is away"):
                away.enter_context(broken(sample.mesh.cluster(home)))
            stream.flow_for(_AWAY / 2)
            with stream.mark(f"istiod in {reader.name} is restarted"):
                restart_istiod(reader, sample.mesh.shell)
            stream.flow_for(_AWAY)
            with stream.mark(f"{what} of {home} is there again"):
                away.close()
        stream.flow_for(READ_WITHIN + _AFTERWARDS)

    return over(sample, doing)


def with_an_api_server_away(sample: Sample) -> Found:
    """What comes of calls while the API server of a cluster that an istiod reads elsewhere is away
    for a while, and nobody restarts that istiod; then a version there gets another instance."""
    _, home = sample.read_from_elsewhere
    version = sample.versions_in(home)[0]

    def doing(stream: Stream, stack: ExitStack) -> None:
        with ExitStack() as away:
            with stream.mark(f"the API server of {home} is stopped"):
                away.enter_context(api_server_stopped(sample.mesh.cluster(home)))
            stream.flow_for(_AWAY)
            with stream.mark(f"the API server of {home} is there again"):
                away.close()
        with stream.mark(f"{version} gets another instance"):
            stack.enter_context(scaled(sample, version, usual(sample, version) + 1))
        stream.flow_for(BACK_WITHIN + _AFTERWARDS)

    return over(sample, doing, more={version: 1})


def without_one_of_two_gateways(sample: Sample) -> Found:
    """What comes of calls when one of a gateway's two pods dies, the one that was there first."""
    cluster = sample.mesh.cluster(sample.far_gateway)

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(f"the gateway of {cluster.name} gets another pod"):
            stack.enter_context(gateway_scaled(cluster, 2, sample.mesh.shell))
        stream.flow_for(_AFTERWARDS / 2)
        with stream.mark(f"the first pod of the gateway of {cluster.name} is killed"):
            kill_gateway_pod(cluster)
        stream.flow_for(RIDDEN_OUT_WITHIN + _AFTERWARDS)

    return over(sample, doing)


def without_the_nodes_of_a_control_plane(sample: Sample) -> tuple[Found, list[str]]:
    """What comes of calls from other clusters while the nodes of a control plane's cluster are
    away, as by a power failure, and after they have started again; and from which those are. Raises
    EvidenceError where there are no others."""
    cluster = sample.topology.control_planes[0].name
    others = [one for one in sample.clusters if one != cluster]
    if not others:
        raise EvidenceError(f"nobody makes calls elsewhere than in {cluster}")

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as away:
            with stream.mark(f"the nodes of {cluster} are stopped"):
                away.enter_context(nodes_stopped(sample.mesh.lab, cluster))
            stream.flow_for(_AWAY)
            with stream.mark(f"the nodes of {cluster} run again"):
                away.close()
                sample.forget_callers(cluster)
        stream.flow_for(BACK_WITHIN + _AFTERWARDS)

    return over(sample, doing, callers=others), others


def without_a_cluster(sample: Sample) -> tuple[Found, list[str]]:
    """What comes of calls from other clusters while a cluster that an istiod reads elsewhere is
    lost with all that it held, and after it was made anew; and from which those are."""
    _, lost = sample.read_from_elsewhere
    others = [one for one in sample.clusters if one != lost]

    def doing(stream: Stream, _: ExitStack) -> None:
        with stream.mark(f"{lost} is lost"):
            sample.mesh.lab.lose(lost)
        try:
            stream.flow_for(_AWAY)
        finally:
            with stream.mark(f"{lost} is made anew"):
                make_anew(sample, lost)
        stream.flow_for(BACK_WITHIN + _AFTERWARDS)

    return over(sample, doing, callers=others), others


def without_names_of_gateways(sample: Sample) -> tuple[Found, str, str]:
    """What comes of calls while an istiod that was restarted finds no address of gateways that are
    announced by host names, and after DNS knows the names again; a caller that it serves, and a
    version that is led by such a gateway."""
    caller, version = sample.topology.named_ways[0]
    cluster = sample.mesh.cluster(sample.topology[caller].primary)

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as away:
            with stream.mark(UNNAMED):
                away.enter_context(load_balancers_unnamed(cluster))
                # One that runs on remembers them.
                restart_istiod(cluster, sample.mesh.shell)
                what = f"calls of {caller} that {version} does not answer"
                stream.flow_until(lambda: _is_silent(stream, caller, version), what, BACK_WITHIN)
            stream.flow_for(_AWAY)
            with stream.mark(NAMED):
                away.close()
        stream.flow_for(BACK_WITHIN + _AFTERWARDS)

    return over(sample, doing), caller, version


def without_a_worker(sample: Sample) -> tuple[Found, str]:
    """What comes of calls from other clusters while a node of a cluster that has several is
    drained, started anew, and let in again; and which that is. Raises EvidenceError where no other
    cluster calls what runs on it."""
    cluster, node = _a_worker(sample)
    others = [one for one in sample.clusters if one != cluster.name]
    if not others:
        raise EvidenceError(f"nobody makes calls elsewhere than in {cluster.name}")

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as drained:
            with stream.mark(f"{node.container} is drained"):
                # Its pods stay where they went, and are not spread over zones any more.
                sample.mesh.mark_dirty(f"pods of {node.container} were moved to other nodes")
                drained.enter_context(node_drained(cluster, node))
                sample.forget_callers(cluster.name)
            stream.flow_for(_AFTERWARDS / 2)
            with stream.mark(f"{node.container} is started anew"):
                restart_node(sample.mesh.lab, cluster.name, node.container)
            with stream.mark(f"{node.container} takes pods again"):
                drained.close()
        stream.flow_for(RIDDEN_OUT_WITHIN + _AFTERWARDS)

    return over(sample, doing, callers=others), node.container


def _a_worker(sample: Sample) -> tuple[RunningCluster, Node]:
    """A node beside a control plane's on which helloworld runs, and its cluster. Raises
    EvidenceError where there is none beside which there is another."""
    for one in sample.servers().values():
        cluster = sample.mesh.cluster(one.cluster)
        workers = [node for node in cluster.nodes if not node.control_plane]
        if len(workers) > 1 and one.node in workers:
            return cluster, one.node
    raise EvidenceError("no version runs in a cluster of several workers")


def partition(sample: Sample) -> tuple[Found, Pair]:
    """What comes of calls while nothing passes between two clusters, one of which calls the
    other; and which those are."""
    caller, version = sample.topology.pairs[0]
    pair = caller, sample.versions[version]

    def doing(stream: Stream, _: ExitStack) -> None:
        lost = partitioned(sample.mesh.lab, [pair, pair[::-1]])
        with stream.mark(f"nothing passes between {' and '.join(pair)}"), lost:
            stream.flow_for(_AWAY)
        stream.flow_for(BACK_WITHIN + _AFTERWARDS)

    return over(sample, doing), pair


def _is_silent(stream: Stream, caller: str, version: str) -> bool:
    """Whether a version has answered none of a caller's last calls."""
    chosen = [one for one in stream.calls_of(caller) if one.answered and one.kind.chooses]
    last = sorted(chosen, key=lambda one: one.at)[-_SILENT:]
    return len(last) == _SILENT and all(one.version != version for one in last)
