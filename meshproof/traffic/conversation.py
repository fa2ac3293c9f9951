"""A connection that stays open while something is done to the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meshproof.kube.workload import PodWorkload
from meshproof.lab.base import Lab
from meshproof.model import Pair
from meshproof.traffic.probe import Target
from meshproof.wait import eventually

FIRST, SECOND = "before", "after"
_WITHIN = 30.0
_ENDS_WITHIN = 60.0
# Handshake, the first word, and the caller's acknowledgement of its echo: SYN, ACK, data, ACK.
_BEGUN = 4


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a caller heard of the two words it said; ``ended``: the packets that the router
    answered with a reset."""

    heard: tuple[str, ...]
    ended: int

    def __str__(self) -> str:
        words = " and ".join(f"'{word}'" for word in self.heard) or "nothing"
        return f"{words} heard, {self.ended} packets answered with a reset"


def converse(
    lab: Lab, caller: PodWorkload, target: Target, pair: Pair, meanwhile: Callable[[], object]
) -> Conversation:
    """Say a word over TCP to ``target``, which says back what it hears; do ``meanwhile`` when
    that has passed the router as pod traffic; then say another over the same connection.

    Raises WaitTimeoutError when the connection does not come about, LabError when the talking
    program cannot be run, or is lost.
    """
    before = lab.counters()
    with caller.start("probe", "converse", f"{target.address}:{target.port}") as talking:
        talking.say(f"{FIRST}\n")
        eventually(
            lambda: (lab.counters() - before).between(pair, "pod"),
            until=lambda packets: packets >= _BEGUN,
            what=f"a connection from {caller} to {target}",
            within=_WITHIN,
            every=0.05,
        )
        meanwhile()
        talking.say(f"{SECOND}\n\n")
        talked = talking.ended(_ENDS_WITHIN)
    ended = (lab.counters() - before).between(pair, "ended")
    return Conversation(tuple(talked.stdout.split()), ended)
