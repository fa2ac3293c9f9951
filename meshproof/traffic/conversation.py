"""A connection that stays open while something is done to the network."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from meshproof.lab.lab import Lab
from meshproof.lab.spot import Spot
from meshproof.model import Pair
from meshproof.process import Finished
from meshproof.traffic.probe import Target
from meshproof.wait import eventually

FIRST, SECOND = "before", "after"
_PAUSE = 2.0
# Handshake and the first words: the connection is open and in use.
_BEGUN = 3


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a caller heard of the two words it said; ``ended``: the packets that the router
    answered with a reset."""

    heard: tuple[str, ...]
    ended: int


def converse(
    lab: Lab, spot: Spot, target: Target, pair: Pair, meanwhile: Callable[[], object]
) -> Conversation:
    """Say a word over TCP to ``target``, which says back what it hears; do ``meanwhile`` when
    that has passed the router as pod traffic; then say another over the same connection.

    Raises WaitTimeoutError when the connection does not come about.
    """
    words = f"{{ echo {FIRST}; sleep {_PAUSE}; echo {SECOND}; sleep 0.5; }}"
    talk = f"{words} | socat -t 1 - TCP4:{target.address}:{target.port},connect-timeout=2"
    before = lab.counters()
    with ThreadPoolExecutor(max_workers=1) as pool:
        talking = pool.submit(_run, spot, talk)
        eventually(
            lambda: (lab.counters() - before).between(pair, "pod"),
            until=lambda packets: packets >= _BEGUN,
            what=f"a connection from {spot} to {target}",
            within=_PAUSE,
            every=0.05,
        )
        meanwhile()
        talked = talking.result()
    ended = (lab.counters() - before).between(pair, "ended")
    return Conversation(tuple(talked.stdout.split()), ended)


def _run(spot: Spot, script: str) -> Finished:
    return spot.run("sh", input=script, check=False)
