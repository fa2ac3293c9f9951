"""What is asked of `upgrade`, and what it says to what cannot be; nothing is made for it."""

from __future__ import annotations

import pytest

from tests.cli.harness import Case, check, goes_on, refused
from tests.cli.world import World

WAY = "upgrade --from 1.31.0 --to 1.31.1"


@pytest.mark.parametrize(
    "one",
    [
        refused("nothing said", "upgrade", "an upgrade needs --from and --to", "write it as in"),
        refused("no goal", "upgrade --from 1.31.0", "an upgrade needs --to"),
        refused("no begin", "upgrade --to 1.31.0", "an upgrade needs --from"),
        refused("said twice", f"{WAY} --istio 1.31.0", "is asked for by --from and --to"),
        refused("said in two ways", f"{WAY} --upgrade-to 1.31.1", "leave the other two out"),
        refused("nowhere to go", "upgrade --from 1.31.1 --to 1.31.1", "changes nothing"),
        refused("no version", "upgrade --from old --to 1.31.1", "'old' is no version of Istio"),
        refused("no version to get to", "upgrade --from 1.31.0 --to new", "'new' is no version"),
        refused("no topology", f"{WAY} nope", "there is no topology 'nope'"),
        refused("nearly a strategy", f"{WAY} --strategy canari", "did you mean canary"),
        refused("no control plane", f"{WAY} primary-remote-flat --first west", "name east"),
        refused("a step of none", f"{WAY} --rollback-after 0", "give a step's number"),
        refused("a step too far", f"{WAY} --rollback-after 99", "there is no step 99"),
        refused("a variant", f"{WAY} --variant revision", "leave --variant and --revision out"),
        refused("two lists", f"{WAY} --collect-only --dry-run", "give one of them"),
        goes_on("only listed", f"{WAY} --collect-only"),
        goes_on("and back, only listed", f"{WAY} --strategy canary --rollback --collect-only"),
    ],
)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
