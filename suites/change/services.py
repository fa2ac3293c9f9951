"""A version that moves from one cluster to another while it is called."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from meshproof.errors import EvidenceError
from meshproof.mesh.routes import destination_rule
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import healed
from meshproof.traffic.stream import Stream, StreamPlan
from meshproof.traffic.stream_history import CallKind
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.moving import also_in, ended, ends_gracefully
from meshproof.workloads.sample import HOST, Sample
from meshproof.workloads.scale import usual

_WITHIN = 60.0
_AFTERWARDS = 20.0
# A gateway may learn earlier than its callers that it leads to nobody any more. A proxy calls
# somebody else then, for which nothing but a request can be sent again: so there are no others.
_PLAN = StreamPlan(rate=30.0, kinds=(CallKind.HTTP_KEPT, CallKind.HTTP_FRESH))


@dataclass(frozen=True, slots=True)
class Move:
    """A version that moves, and from which cluster to which."""

    version: str
    home: str
    to: str


def move_of(sample: Sample) -> Move:
    """A version that every caller knows, to the cluster of another such. Raises EvidenceError where
    all of them are in one cluster."""
    for version in sample.common:
        home = sample.versions[version]
        for other in sample.common:
            if sample.versions[other] != home:
                return Move(version, home, sample.versions[other])
    raise EvidenceError(f"no version of {sample.topology.name} could move to another cluster")


def over_a_service_that_moves(sample: Sample) -> tuple[Found, Move]:
    """What comes of calls while a version comes up in another cluster, and ends in its own once
    every caller was answered from there; and what moved. Raises EvidenceError as ``move_of``, and
    where the rule by which gateways lead to everybody behind them does not come into force."""
    move = move_of(sample)

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(f"{move.version} comes up in {move.to} as well"):
            stack.enter_context(also_in(sample, move.version, move.to))
        what = f"an answer by {move.version} from {move.to} to everybody"
        stream.flow_until(lambda: _heard_by_all(stream, move), what, _WITHIN)
        with stream.mark(f"{move.version} ends in {move.home}"):
            stack.enter_context(ended(sample, move.version))
        stream.flow_for(_AFTERWARDS)

    more = {move.version: usual(sample, move.version)}
    try:
        with (
            ends_gracefully(sample, move.version),
            ruled(sample, [destination_rule(HOST, (), short=True)]),
        ):
            healed(sample)  # its pods are others by now
            found = over(sample, doing, more=more, plan=_PLAN)
    except Exception:
        healed(sample)
        raise
    healed(sample)  # whoever interrupts does not wait for it
    return found, move


def _heard_by_all(stream: Stream, move: Move) -> bool:
    return all(
        any(one.answered and stream.clusters.get(one.pod) == move.to for one in calls)
        for calls in (
            [one for one in stream.calls_of(caller) if one.version == move.version]
            for caller in stream.callers
        )
    )
