"""Calls that may pass by the caller's proxy, with what is needed to tell that they did.

That there is no log line means nothing by itself: a proxy writes late. So another call of the
same pod is made afterwards, on a way that leads through the proxy, and its line awaited first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from meshproof.kube.workload import Workload
from meshproof.traffic.access_log import entries_of
from meshproof.traffic.calls import Plan, answers, call
from meshproof.traffic.response import Response
from meshproof.traffic.wire import Watched, counted_since
from meshproof.workloads.sample import Sample

# Lines come in order: those of calls before the control's are there when its own is.
_GRACE = 0.5


@dataclass(frozen=True)
class Tried:
    """``watched``: the calls in question, and what the wire saw of them; ``responses``: the same
    calls with their log lines, as far as there are any; ``control``: calls made after them."""

    watched: Watched
    responses: Sequence[Response]
    control: Sequence[Response]

    @property
    def caller(self) -> Workload:
        """Who called."""
        return self.watched.caller


def try_past(sample: Sample, caller: Workload, plan: Plan, control: Plan) -> Tried:
    """Make the calls of ``plan``, then those of ``control``, and look for the lines of both.

    ``control``: calls that surely go through the caller's proxy.
    """
    before = sample.mesh.lab.counters()
    made = answers(sample, caller, plan)
    watched = Watched(sample, caller, made, counted_since(sample.mesh.lab, before))
    later = call(sample, caller, control)
    lines = entries_of(caller, [one.id for one in watched.responses], within=_GRACE)
    responses = [replace(one, log=lines.get(one.id)) for one in watched.responses]
    return Tried(watched, responses, later)
