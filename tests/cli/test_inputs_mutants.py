"""What is asked of `mutants`, and what it says to what cannot be; nothing is made for it."""

from __future__ import annotations

import pytest

from tests.cli.harness import Case, check, refused
from tests.cli.world import World


@pytest.mark.parametrize(
    "one",
    [
        refused("no such mutant", "mutants --only nope", "there is no mutant 'nope'"),
        refused("no such family", "mutants --family weigts", "did you mean weights"),
        refused("no such shape", "mutants --topology round", "there is no shape of topology"),
        refused("nothing left", "mutants --family names --short --list", "no mutant is all"),
        refused("a tree that is none", "mutants --checkout nowhere", "is no Istio source tree"),
        refused("a tree of nothing", ["mutants", "--checkout", ""], "an empty word"),
        refused("results that are none", "mutants --page nowhere", "cannot read the results"),
        refused("results of nothing", ["mutants", "--page", ""], "an empty word"),
        refused("no run to go on with", "mutants --resume nowhere", "cannot read the results"),
        refused("no time at all", "mutants --minutes 0", "--minutes is 0: give a number from 1"),
        refused("a folder of nothing", ["mutants", "--output", ""], "an empty word"),
        refused("another engine", "mutants --engine podmann", "did you mean podman"),
    ],
)
def test_inputs(world: World, one: Case) -> None:
    check(world, one)
