"""`conformance check`: what is wrong with a report, and exit codes."""

from __future__ import annotations

import pytest

from tests.cli.harness import Case, case, check, refused
from tests.cli.laid import file
from tests.cli.records import lay, whole
from tests.cli.world import World

CHECK = "conformance check"
CASES = [
    refused("no file", CHECK, "Missing argument"),
    refused("none there", f"{CHECK} x.yaml", "there is no conformance report"),
    refused("no YAML", f"{CHECK} x", "x:1:", lay=file("x", text="a: [")),
    refused("empty", f"{CHECK} x", "the file is empty", "--format yaml", lay=file("x")),
    case("faults", f"{CHECK} x", 1, "x:1: the report lacks", lay=file("x", text="kind: a\n")),
]


@pytest.mark.parametrize("one", CASES)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)


def test_a_report_of_a_run_is_sound_and_one_that_was_changed_is_not(world: World) -> None:
    lay(whole(["PASS", "FAIL"], 1))(world)
    check(
        world,
        Case(
            "report run --format yaml",
            1,
            ["run/conformance.yaml", "FAILED: 1 of 2"],
            makes=["work/run/conformance.yaml"],
        ),
    )
    check(world, Case(f"{CHECK} run/conformance.yaml", 0, ["sound; failure: FAILED: 1 of 2 held"]))
    path = world.work / "run" / "conformance.yaml"
    path.write_text(path.read_text().replace("result: failure", "result: success"))
    check(world, Case(f"{CHECK} run/conformance.yaml", 1, ["it must be 0 where the result is"]))
