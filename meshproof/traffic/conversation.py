"""A connection that stays open while something is done to the network."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from meshproof.kube.workload import Workload
from meshproof.lab.lab import Lab
from meshproof.model import Pair
from meshproof.process import Finished
from meshproof.traffic.probe import Target
from meshproof.wait import eventually

FIRST, SECOND = "before", "after"
_WITHIN = 10.0
# Handshake, the first word, and the caller's acknowledgement of its echo: SYN, ACK, data, ACK.
_BEGUN = 4


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a caller heard of the two words it said; ``ended``: the packets that the router
    answered with a reset."""

    heard: tuple[str, ...]
    ended: int


def converse(
    lab: Lab, caller: Workload, target: Target, pair: Pair, meanwhile: Callable[[], object]
) -> Conversation:
    """Say a word over TCP to ``target``, which says back what it hears; do ``meanwhile`` when
    that has passed the router as pod traffic; then say another over the same connection.

    Raises WaitTimeoutError when the connection does not come about.
    """
    go_on = f"/run/meshproof-{secrets.token_hex(6)}"
    pause = f"until [ -e {go_on} ] || [ $((n += 1)) -gt 300 ]; do sleep 0.1; done"
    words = f"{{ echo {FIRST}; n=0; {pause}; echo {SECOND}; sleep 0.5; }}"
    reach = f"TCP4:{target.address}:{target.port},connect-timeout={_WITHIN}"
    talk = f"{words} | socat -t 1 - {reach}; rm -f {go_on}"
    before = lab.counters()
    with ThreadPoolExecutor(max_workers=1) as pool:
        talking = pool.submit(_run, caller, talk)
        try:
            eventually(
                lambda: (lab.counters() - before).between(pair, "pod"),
                until=lambda packets: packets >= _BEGUN,
                what=f"a connection from {caller} to {target}",
                within=_WITHIN,
                every=0.05,
            )
            meanwhile()
        finally:
            caller.run_from_node("touch", go_on, check=False)
        talked = talking.result()
    ended = (lab.counters() - before).between(pair, "ended")
    return Conversation(tuple(talked.stdout.split()), ended)


def _run(caller: Workload, script: str) -> Finished:
    return caller.run_from_node("sh", input=script, check=False, timeout=60)
