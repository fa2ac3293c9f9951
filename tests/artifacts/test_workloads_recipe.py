"""What suites apply of others' modules is of the versions that Istio itself is built with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from meshproof.artifacts.catalog import RECIPES, catalog
from meshproof.artifacts.gobuild import go_recipe
from meshproof.artifacts.images import USED_HERE, WORKLOAD_PROGRAMS

_REQUIRED = re.compile(r"^\s*(?:require )?(\S+) (v\S+)", re.MULTILINE)


def required(folder: Path) -> dict[str, str]:
    """The modules that a recipe's go.mod requires, each in its version."""
    return dict(_REQUIRED.findall((folder / "go.mod").read_text(encoding="utf-8")))


@pytest.mark.parametrize("istio", sorted((RECIPES / "istio").iterdir()), ids=lambda one: one.name)
@pytest.mark.parametrize("module", ["sigs.k8s.io/mcs-api", "google.golang.org/grpc"])
def test_modules_are_of_the_versions_that_istio_has(module: str, istio: Path) -> None:
    ours = go_recipe("workloads", catalog().companion("workloads")).folder
    assert required(ours)[module] == required(istio)[module]


def test_what_is_used_here_is_made() -> None:
    recipe = go_recipe("workloads", catalog().companion("workloads"))
    assert {*WORKLOAD_PROGRAMS, *recipe.files} >= set(USED_HERE)
