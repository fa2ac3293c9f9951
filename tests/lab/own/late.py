"""A load balancer for the clusters of a kept lab, in the place of a cloud's: it hands addresses out
late, each some seconds after its Service has come, and not in their order.

`python -m tests.lab.own.late LAB` takes the lab over until Ctrl-C, so that it can serve as somebody
else's clusters: `meshproof verify TOPOLOGY --cluster east=…/east.kubeconfig --cluster …`.
"""

from __future__ import annotations

import random
import sys
import time
from contextlib import suppress

from meshproof.cli.faults import _taken_over
from meshproof.console import say_line
from meshproof.kube import client
from meshproof.lab import Lab
from meshproof.run.session import orderly_end

_SOONEST, _LATEST = 4.0, 20.0
_EVERY = 0.5
_Key = tuple[str, str, str]


def hand_out(lab: Lab, due: dict[_Key, float], given: set[_Key], now: float) -> list[str]:
    """One look: note when each new LoadBalancer Service gets its address, give those their address
    whose time has come, and take it back of those that are gone. Returns what was done."""
    done: list[str] = []
    there: set[_Key] = set()
    for name, cluster in lab.clusters.items():
        for one in cluster.core.list_service_for_all_namespaces().items:
            if one.spec.type != "LoadBalancer":
                continue
            key = (name, one.metadata.namespace, one.metadata.name)
            there.add(key)
            due.setdefault(key, now + random.uniform(_SOONEST, _LATEST))
    for key in sorted(there - given, key=due.__getitem__):
        if due[key] <= now:
            address = lab.addresses[key[0]].give(*key[1:])
            given.add(key)
            done.append(f"{'/'.join(key)} has {address}")
    for key in [*given - there]:
        lab.addresses[key[0]].take_back(*key[1:])
        given.discard(key)
        due.pop(key, None)
        done.append(f"{'/'.join(key)} is gone")
    return done


def main(arguments: list[str]) -> None:
    """Hand out until Ctrl-C."""
    (lab_id,) = arguments
    due: dict[_Key, float] = {}
    given: set[_Key] = set()
    say = lambda text: say_line(text, err=True)  # noqa: E731
    with orderly_end(say), _taken_over(lab_id) as lab, suppress(KeyboardInterrupt):
        say_line(f"Lab {lab.id} has a load balancer; its kubeconfigs are in {lab.claim.folder}.")
        while True:
            with suppress(client.ApiException, client.HTTPError):
                for line in hand_out(lab, due, given, time.monotonic()):
                    say_line(line)
            time.sleep(_EVERY)


if __name__ == "__main__":
    main(sys.argv[1:])
