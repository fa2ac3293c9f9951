"""Parts of a mesh that are away while calls go on."""

from __future__ import annotations

from contextlib import ExitStack

from meshproof.faults.api_server import api_server_stopped
from meshproof.faults.between import partitioned
from meshproof.faults.istiod import istiod_stopped, restart_istiod
from meshproof.model import Pair
from meshproof.traffic.connected import await_proxies
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.sample import Sample

_AWAY = 20.0
_AFTERWARDS = 20.0
BACK_WITHIN = 60.0
"""Seconds until a mesh whose part is back is as before: connections that were silent meanwhile are
found out by their keepalive, after half a minute."""


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


def without_an_api_server(sample: Sample) -> Found:
    """What comes of calls while the API server of a cluster that an istiod reads elsewhere is
    away, and that istiod is restarted meanwhile: it starts without having read it."""
    caller, home = sample.read_from_elsewhere
    reader = sample.mesh.cluster(sample.topology[caller].primary)

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as away:
            with stream.mark(f"the API server of {home} is stopped"):
                away.enter_context(api_server_stopped(sample.mesh.cluster(home)))
            stream.flow_for(_AWAY / 2)
            with stream.mark(f"istiod in {reader.name} is restarted"):
                restart_istiod(reader, sample.mesh.shell)
            stream.flow_for(_AWAY)
            with stream.mark(f"the API server of {home} is there again"):
                away.close()
        stream.flow_for(BACK_WITHIN + _AFTERWARDS)

    return over(sample, doing)


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
