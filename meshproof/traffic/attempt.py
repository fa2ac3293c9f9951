"""A question across the router, with what is needed to believe its outcome: a control and counters.

The control is the same question asked inside the target's own cluster: only when that was
answered does an answer that did not come mean anything.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from meshproof.errors import WaitTimeoutError
from meshproof.kube.workload import PodWorkload
from meshproof.lab.base import Lab
from meshproof.lab.network.counters import Counters
from meshproof.traffic.probe import BRIEF, PATIENT, Answer, Target, probe
from meshproof.traffic.wire import counted_since
from meshproof.wait import eventually

# kube-proxy serves a Service, or a NodePort, a moment after there is one.
_CONTROL_WITHIN = 30.0


@dataclass(frozen=True)
class Attempt:
    """A question from one cluster to another. ``counted``: what router and nodes saw of it."""

    caller: PodWorkload
    called: str
    target: Target
    answer: Answer
    control: Answer
    counted: Counters

    @property
    def pair(self) -> tuple[str, str]:
        """The clusters: who called, who was called."""
        return self.caller.cluster, self.called

    @property
    def dropped(self) -> int:
        """Packets for this very target that the router dropped meanwhile."""
        return self.counted.dropped_for(self.pair, self.target.address, self.target.port)

    @property
    def strayed(self) -> int:
        """Packets for this very target that left the cluster meanwhile and got nowhere."""
        here, target = self.caller.cluster, self.target
        return self.counted.strayed(here, target.address, target.port)


@dataclass(frozen=True)
class Outward:
    """A question to an address outside the lab. ``dropped``: packets for this very target that the
    router dropped meanwhile."""

    caller: PodWorkload
    target: Target
    answer: Answer
    dropped: int


def outward(lab: Lab, caller: PodWorkload, target: Target, *, patience: float = BRIEF) -> Outward:
    """Ask ``target``, which is nowhere in the lab, from ``caller``; ``patience`` as for
    ``attempt``."""
    before = lab.counters()
    answer = probe(caller, target, patience)
    counted = lab.counters() - before
    dropped = counted.strayed(caller.cluster, target.address, target.port)
    return Outward(caller, target, answer, dropped)


def attempt(
    lab: Lab, caller: PodWorkload, target: Target, control: PodWorkload, *, patience: float = BRIEF
) -> Attempt:
    """Ask ``target`` from ``control`` (in the target's cluster) until that is answered, or half a
    minute has passed, then from ``caller``.

    ``patience``: seconds to wait for the caller's answer, PATIENT where one should come.
    Nothing else may use the router between the same clusters meanwhile: the counters are
    read before and after.
    """
    answered = _answer_inside(control, target)
    before = lab.counters()
    answer = probe(caller, target, patience)
    counted = counted_since(lab, before)
    return Attempt(caller, control.cluster, target, answer, answered, counted)


def _answer_inside(control: PodWorkload, target: Target) -> Answer:
    """The control's answer as soon as there is one, or else what came of it in the end."""
    last: list[Answer] = []

    def answered() -> bool:
        last[:] = [probe(control, target, PATIENT)]
        return last[0].refusal is None

    with suppress(WaitTimeoutError):  # whoever judges is told that it did not answer
        eventually(answered, what=f"{target}, asked by {control}", within=_CONTROL_WITHIN)
    return last[0]
