"""Topologies drawn in text, listed, and for programs."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from meshproof.files import topology_named, topology_names
from meshproof.report.topologies import as_json, drawing, listing


def printed(what: object) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(what)
    found = console.file
    assert isinstance(found, io.StringIO)
    return found.getvalue()


@pytest.mark.parametrize("name", topology_names())
def test_a_drawing_has_every_cluster_and_network_and_fits_80_columns(name: str) -> None:
    topology = topology_named(name)
    drawn = printed(drawing(topology))
    assert all(len(line.rstrip()) <= 80 for line in drawn.splitlines())
    assert all(f"network {one}" in drawn for one in topology.networks)
    assert all(one in drawn for one in topology.names)


def test_a_drawing_says_who_serves_whom_and_what_may_pass() -> None:
    drawn = printed(drawing(topology_named("primary-remote-split-horizon")))
    assert "◆ east  istiod, gateway :15443, v1" in drawn
    assert "◇ west  served by east" in drawn
    assert "istiod in east reads west" in drawn
    assert "east → west: gateways, the API server" in drawn


def test_a_drawing_has_machines_where_they_stand() -> None:
    drawn = printed(drawing(topology_named("vm-expansion")))
    assert "▣ shop  served by east, v3, in r1.r1-a" in drawn
    assert "▣ till  served by west" in drawn
    assert "network net-depot" in drawn
    assert "depot → east, depot → west: gateways" in drawn
    assert "east → depot, west → depot: its machines" in drawn
    (data,) = json.loads(as_json([topology_named("vm-expansion")], set()))
    assert [one["name"] for one in data["machines"]] == ["shop", "till", "depot"]


def test_the_list_and_the_data_say_which_are_judged_unasked() -> None:
    topologies = [topology_named(one) for one in ("zones", "primary-remote-flat")]
    assert "on demand" in printed(listing(topologies, {"primary-remote-flat"}))
    data = json.loads(as_json(topologies, {"primary-remote-flat"}))
    assert [one["default"] for one in data] == [False, True]
    assert data[1]["clusters"][1]["primary"] == data[1]["clusters"][0]["name"]


def test_a_drawing_says_whom_a_host_manages_and_that_nothing_reaches_it() -> None:
    drawn = printed(drawing(topology_named("host-member")))
    assert "◎ host  manages east, west" in drawn and "by gateways" not in drawn
    assert "host → east, host → west: the API server" in drawn
    assert "east → host" in drawn and drawn.count("nothing") == 1
    (data,) = json.loads(as_json([topology_named("host-member")], set()))
    assert data["clusters"][0]["manages"] == ["east", "west"]
    assert "manages" not in data["clusters"][1]
