"""Calls as a picture, and a run's time as lanes."""

from __future__ import annotations

from pathlib import Path

from meshproof.events import Event
from meshproof.report.html.flows import Pictures, Way, ways
from meshproof.report.html.lanes import clock, lanes
from meshproof.report.record import Run
from tests.report.recorded import GATEWAYS, batch


def test_calls_are_told_by_who_called_which_way_and_who_answered() -> None:
    assert ways([batch("east", "PASS")] * 2, GATEWAYS) == {
        Way("sleep in east", "from pod to pod", "v1 in east", True): 24,
        Way("sleep in east", "by west's gateway, 15443", "v2 in west", True): 24,
    }
    assert Way("sleep in east", "no upstream chosen", "no answer in time", False) in ways(
        [batch("east", "FAIL")], GATEWAYS
    )


def test_a_gateway_that_nobody_knows_of_is_no_gateway() -> None:
    found = {way.via for way in ways([batch("east", "PASS")], {})}
    assert found == {"from pod to pod"}


def test_the_same_calls_are_drawn_once_and_many_ways_are_cut() -> None:
    pictures = Pictures()
    found = ways([batch("east", "PASS")], GATEWAYS)
    one = pictures.of(found)
    assert one is not None and one is pictures.of(found) and pictures.all == [one]
    assert pictures.of(ways([], GATEWAYS)) is None
    many = ways([batch(f"c{number}", "PASS") for number in range(20)], GATEWAYS)
    other = pictures.of(many)
    assert other is not None and other.more == len(many) - 8 == 32
    assert max(node.y for node in other.nodes) < other.height


def event(at: float, kind: str, **data: object) -> Event:
    return Event(at, kind, data)


def test_each_worker_has_a_lane_with_its_steps_and_tests() -> None:
    test = {"deployment": {"id": "flat"}, "sentence": "Fish swim.", "outcome": "FAIL"}
    events = [
        event(0, "step-begin", step="outer", worker="gw0"),
        event(1, "step-begin", step="inner", worker="gw0"),
        event(5, "step-end", step="inner", seconds=4, outcome="ok", worker="gw0"),
        event(10, "step-end", step="outer", seconds=10, outcome="lost", worker="gw0"),
        event(100, "test", seconds=50, worker="gw1", **test),
    ]
    found = lanes(Run(Path("x"), events))
    assert found is not None and found.seconds == 100
    first, second = found.lanes
    assert (first.name, second.name) == ("worker 1", "worker 2")
    assert [(bar.x, bar.width, bar.text) for bar in first.steps] == [
        (0, 100, "outer, 10 s, which failed")
    ]
    assert [(bar.x, bar.width, bar.kind) for bar in second.tests] == [(500, 500, "FAIL")]


def test_nothing_has_no_lanes() -> None:
    assert lanes(Run(Path("x"), [])) is None
    assert lanes(Run(Path("x"), [event(1, "step-begin", step="x")])) is None


def test_time_is_told_as_people_do() -> None:
    told = [clock(seconds) for seconds in (0.04, 9.96, 59.6, 60, 61, 3600, 7322)]
    assert told == ["0.0 s", "10 s", "1 min", "1 min", "1 min 1 s", "1 h 0 min", "2 h 2 min"]
