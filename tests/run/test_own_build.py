"""Builds of one's own: for all clusters, or for those that are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts import OwnBuild
from meshproof.errors import UsageError
from meshproof.model import RunRequest, Version
from meshproof.run.exact import exact
from meshproof.run.own_build import own_builds

HUB = "registry.example/me"
MINE, OTHER, RELEASE = (Version.parse(text) for text in ("1.32.0-a", "1.32.0-b", "1.31.1"))
CLUSTERS = ("east", "west")
PROGRAM = Path("/istioctl")


def test_one_build_is_that_of_every_version() -> None:
    found = own_builds(RunRequest(hub=f"{HUB}/", tag="mine", istioctl=PROGRAM), CLUSTERS)
    assert found.of(MINE) == found.of(RELEASE) == OwnBuild(HUB, "mine", PROGRAM)
    assert not own_builds(RunRequest(), CLUSTERS).is_named


def test_a_cluster_has_its_own_build_and_the_others_the_release() -> None:
    asked = exact(RunRequest(hub=f"west={HUB}", tag="west=1.32.0-a", istioctl=PROGRAM), print)
    assert asked.istio == ("west=1.32.0-a",)
    found = own_builds(asked, CLUSTERS)
    assert found.of(MINE) == OwnBuild(HUB, "1.32.0-a", PROGRAM)
    assert found.of(RELEASE) == OwnBuild()
    assert found.of(RELEASE).image("pilot", RELEASE) == "docker.io/istio/pilot:1.31.1"


def test_a_hub_for_all_goes_with_tags_by_cluster() -> None:
    istio = ("east=1.32.0-a,west=1.32.0-b",)
    found = own_builds(RunRequest(hub=HUB, tag="east=x,west=y", istio=istio), CLUSTERS)
    assert found.of(MINE).image("pilot", MINE) == f"{HUB}/pilot:x"
    assert found.of(OTHER).image("pilot", OTHER) == f"{HUB}/pilot:y"


def test_clusters_of_one_version_have_one_build() -> None:
    istio = ("east=1.32.0-a,west=1.32.0-a",)
    found = own_builds(RunRequest(tag="east=x,west=x", istio=istio), CLUSTERS)
    assert found.of(MINE).tag == "x"
    with pytest.raises(UsageError, match=r"east and west are both of Istio 1\.32\.0-a"):
        own_builds(RunRequest(tag="east=x,west=y", istio=istio), CLUSTERS)
