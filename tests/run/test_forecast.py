"""How long a run takes by what earlier ones took, and how it is shared out among machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.model import RunRequest
from meshproof.report.times import Times
from meshproof.run.forecast import Costs, Part, forecast, shards
from meshproof.run.foretold import Foretold, as_json, shard_json, shared_out
from meshproof.run.plan import Unit

FLAT, SPLIT = ("flat", "strict"), ("split", "strict")
KNOWN = Costs(
    Times(
        (Path("reports/1"),),
        {2: [30.0]},
        {FLAT: [20.0], SPLIT: [40.0]},
        {("a/b", FLAT): [2.0, 4.0, 3.0], ("a/b", SPLIT): [5.0]},
    )
)
UNKNOWN = Costs(Times())


def part(name: str, shape: tuple[str, ...], footprint: str, tests: int) -> Part:
    return Part(
        name, shape, footprint, 2, name, {f"{name}[{number}]": "a/b" for number in range(tests)}
    )


def units(*parts: Part) -> list[Unit]:
    return [Unit(one.footprint, tuple(one.tests)) for one in parts]


def test_one_worker_makes_clusters_once_and_each_mesh() -> None:
    flat, same, split = part("x", FLAT, "f", 10), part("y", FLAT, "f", 2), part("z", SPLIT, "s", 4)
    turns = forecast([flat, same, split], units(flat, same, split), 1, KNOWN)
    assert [(one.part.name, one.begins, one.takes) for one in turns] == [
        ("x", 0.0, 30 + 20 + 10 * 3),
        ("y", 80.0, 20 + 2 * 3),
        ("z", 106.0, 30 + 40 + 4 * 5),
    ]


def test_two_workers_share_it_out() -> None:
    flat, split = part("x", FLAT, "f", 10), part("z", SPLIT, "s", 4)
    turns = forecast([flat, split], units(flat, split), 2, KNOWN)
    assert {one.worker for one in turns} == {1, 2}
    assert {one.begins for one in turns} == {0.0}


def test_what_was_never_seen_is_reckoned_from_others() -> None:
    assert KNOWN.times.of_clusters(4) == 60.0
    assert KNOWN.times.of_installation(("zones", "strict")) == 30.0
    assert KNOWN.times.of_test("a/b", ("zones", "strict")) == 3.5
    assert KNOWN.times.of_test("never/seen", FLAT) == 3.5
    assert UNKNOWN.times.of_test("a/b", FLAT) == UNKNOWN.times.of_clusters(2) == 0.0


@pytest.mark.parametrize("costs", [KNOWN, UNKNOWN])
@pytest.mark.parametrize("number", [1, 2, 3, 50])
def test_every_deployment_is_in_one_shard_and_none_is_empty(costs: Costs, number: int) -> None:
    parts = [
        part(f"d{one}", FLAT if one % 2 else SPLIT, f"f{one % 3}", one + 1) for one in range(9)
    ]
    found = shards(parts, number, costs)
    assert len(found) == min(number, len(parts)) and all(found)
    assert sorted(one.name for own in found for one in own) == [one.name for one in parts]


def test_shards_take_about_as_long() -> None:
    parts = [part(f"d{one}", FLAT, f"f{one}", 10) for one in range(8)]
    found = shards([*parts, part("long", FLAT, "l", 100)], 3, KNOWN)
    took = sorted(KNOWN.all_of(own) for own in found)
    assert [one.name for one in max(found, key=KNOWN.all_of)] == ["d0", "d1", "d2", "d3"] or (
        took[-1] <= 2 * took[0]
    )
    assert took[-1] < KNOWN.all_of([one for own in found for one in own]) / 2


def told(costs: Costs) -> Foretold:
    flat, split = part("x", FLAT, "f", 10), part("z", SPLIT, "s", 4)
    turns = forecast([flat, split], units(flat, split), 1, costs)
    return Foretold([flat, split], turns, 1, costs, Path("reports"))


def test_it_is_said_from_where_times_are_known_and_where_they_are_not() -> None:
    assert "reckoned from 1 earlier run, the newest reports/1" in told(KNOWN).line
    assert "in about 3 min" in told(KNOWN).line
    assert "not known: there is no record of an earlier run in reports" in told(UNKNOWN).line


def test_for_programs() -> None:
    data = json.loads(as_json(told(KNOWN)))
    assert (data["tests"], data["seconds"], data["from"]) == (14, 170.0, ["reports/1"])
    assert [one["id"] for one in data["deployments"]] == ["x", "z"]
    unknown = json.loads(as_json(told(UNKNOWN)))
    assert unknown["seconds"] is None and unknown["deployments"][0]["seconds"] is None
    assert sum(told(KNOWN).weights.values()) == pytest.approx(170.0)


def test_each_shard_has_the_arguments_of_its_run() -> None:
    asked = RunRequest(topology=("flat",), profile="all")
    found = json.loads(shard_json(shared_out(told(KNOWN), asked, 2)))["include"]
    assert [one["shard"] for one in found] == [1, 2] and {one["of"] for one in found} == {2}
    assert found[0]["arguments"] == "--profile=all --deployment=z flat"
    assert len(shared_out(told(UNKNOWN), asked, None)) == 2
