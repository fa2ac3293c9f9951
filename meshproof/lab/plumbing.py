"""Says what of the lab's own making was not as it should be when a kept lab is taken over: rules
and routes of router, nodes and host, the nodes' names and further addresses.

What was amiss is found by looking before and after: all of it is written anew as it should be, and
what is another thing then was not. Pods' own routes come and go, and are none of this.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from meshproof.engine import Engine
from meshproof.lab.network.rules import TABLE
from meshproof.lab.ownership import table_name
from meshproof.process import side_by_side

# Neither counters nor what sets have gathered.
_LIST = "nft --stateless --terse list table"
_ROUTES = "ip -4 route show | grep ' via '"
_ROUTER = {"rules": f"{_LIST} inet {TABLE}", "routes": "ip -4 route show"}
_NODE = {
    "rules": f"{_LIST} ip {TABLE}",
    "routes": _ROUTES,
    "addresses": "ip -4 -oneline address show dev eth0",
    "name servers": "cat /etc/resolv.conf",
    "names of nodes": "cat /etc/hosts",
}
_MARK = "== "
_RULES = "the rules of "
Plumbing = Mapping[str, str]
"""What the lab's parts say, by what they are called; "" where one does not answer."""


def look(engine: Engine, lab_id: str, router: str, nodes: Mapping[str, str]) -> dict[str, str]:
    """What the lab's parts say now, whether they run or not. ``router``: its container; ``nodes``:
    the cluster of each node, by its container."""
    places = {router: ("the router", _ROUTER)}
    places |= {node: (f"{cluster}'s node {node}", _NODE) for node, cluster in nodes.items()}

    def said(container: str) -> dict[str, str]:
        place, parts = places[container]
        script = "\n".join(f"echo '{_MARK}{part}'; {line}" for part, line in parts.items())
        answer = engine.exec(container, ["sh", "-c", script], check=False)
        told = _sections(answer.stdout)
        return {f"the {part} of {place}": told.get(part, "") for part in parts}

    argv = shlex.split(f"{_LIST} inet {table_name(lab_id)}")
    found = {"the lab's rules on this machine": engine.shell.run(argv, check=False).stdout}
    for one in side_by_side(engine.shell, said, list(places)):
        found |= one
    return found


def amiss(before: Plumbing, after: Plumbing, *, rewired: bool) -> list[str]:
    """What was not as it is now, in a sentence each. ``rewired``: the clusters are wired in another
    way than before, so that rules differ by that."""
    return [
        f"{what} {'were not as they should be' if before.get(what) else 'were gone'}"
        for what, text in after.items()
        if not (rewired and what.startswith(_RULES))
        and _lines(before.get(what, "")) != _lines(text)
    ]


def _sections(printed: str) -> dict[str, str]:
    """What was printed under each mark."""
    found: dict[str, str] = {}
    part = ""
    for line in printed.splitlines():
        if line.startswith(_MARK):
            part = line.removeprefix(_MARK)
            found[part] = ""
        elif part:
            found[part] += f"{line}\n"
    return found


def _lines(text: str) -> list[str]:
    """Lines that can be compared: routes and addresses come in the order of their making."""
    return sorted(line.strip() for line in text.splitlines())
