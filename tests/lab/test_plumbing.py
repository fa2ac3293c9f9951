"""What of a lab's own making was not as it should be is told by place and part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from meshproof.lab.plumbing import amiss, look
from meshproof.process import Finished
from tests.lab.fakes import FakeEngine

LAB, ROUTER, NODE = "0a1b2c3d", "mp-0a1b2c3d-router", "mp-0a1b2c3d-east-control-plane"
PARTS = {
    ROUTER: {"rules": "chain a\n", "routes": "10.0.0.0/16 via 172.30.0.3\n"},
    NODE: {
        "rules": "chain b\n",
        "routes": "default via 172.30.0.254\n",
        "addresses": "eth0 172.30.0.200/32\neth0 172.30.0.3/24\n",
        "name servers": "",
        "names of nodes": "127.0.0.1 localhost\n",
    },
}


class Machine(FakeEngine):
    """A router and a node, which print what their parts say, or nothing if they do not run."""

    def __init__(self, host: str, parts: Mapping[str, Mapping[str, str]]) -> None:
        table = ("nft", "--stateless", "--terse", "list", "table", "inet", f"meshproof_{LAB}")
        super().__init__({table: host})
        self.parts = parts

    def exec(self, container: str, argv: Sequence[str], **options: Any) -> Finished:
        assert argv[:2] == ["sh", "-c"] and options == {"check": False}
        said = self.parts.get(container)
        text = "".join(f"== {part}\n{lines}" for part, lines in (said or {}).items())
        return Finished(tuple(argv), 125 if said is None else 0, text, "", 0.0)


def seen(host: str = "table", **changes: Mapping[str, str] | None) -> dict[str, str]:
    parts = {
        ROUTER: {**PARTS[ROUTER], **(changes.get("router") or {})},
        NODE: {**PARTS[NODE], **(changes.get("node") or {})},
    }
    stopped = {key for key, value in changes.items() if value is None}
    running = {
        name: found for name, found in parts.items() if not ("node" in stopped and name == NODE)
    }
    return look(Machine(host, running), LAB, ROUTER, {NODE: "east"})


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (seen(), []),
        (seen(node={"addresses": "eth0 172.30.0.3/24\n  eth0 172.30.0.200/32\n"}), []),
        (seen(""), ["the lab's rules on this machine were gone"]),
        (
            seen(router={"rules": "chain c\n"}),
            ["the rules of the router were not as they should be"],
        ),
        (seen(router={"routes": ""}), ["the routes of the router were gone"]),
        (
            seen(node={"name servers": "nameserver 9.9.9.9\n"}),
            [f"the name servers of east's node {NODE} were not as they should be"],
        ),
        (
            seen(node={"addresses": "eth0 172.30.0.3/24\n"}),
            [f"the addresses of east's node {NODE} were not as they should be"],
        ),
        (
            seen(node=None),
            [
                f"the {part} of east's node {NODE} were gone"
                for part in ("rules", "routes", "addresses", "names of nodes")
            ],
        ),
    ],
)
def test_what_was_another_thing_before_was_not_as_it_should_be(
    before: dict[str, str], said: list[str]
) -> None:
    assert amiss(before, seen(), rewired=False) == said


def test_rules_differ_where_clusters_are_wired_in_another_way() -> None:
    before = seen(router={"rules": "chain c\n", "routes": ""}, node={"rules": ""})
    assert amiss(before, seen(), rewired=True) == ["the routes of the router were gone"]
