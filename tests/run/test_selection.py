"""What the command line may ask for, and how it is told what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts import default_wanted
from meshproof.errors import EXIT_USAGE, UsageError
from meshproof.model import Mtls, Releases, Version
from meshproof.run.selection import Asked

FLAT, PRIMARIES, OUTSIDE = "primary-remote-flat", "multi-primary-flat", "external-control-plane"
OLD = Version(1, 31, 0)
NEWEST = default_wanted().istio[-1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(("nowhere",)), "there is no topology 'nowhere': choose one of "),
        (Asked(mtls=("off",)), "there is no mTLS mode 'off': choose one of strict, permissive, "),
        (Asked(variants=("blue",)), "there is no variant 'blue': choose one of mesh-networks, "),
        (
            Asked((FLAT,), variants=("mesh-networks",)),
            "the variant mesh-networks needs a topology with several networks, and none is chosen",
        ),
        (
            Asked((FLAT,), variants=("unrelated-roots",)),
            "the variant unrelated-roots needs a topology with several control planes, and none",
        ),
        (Asked(("bare",), revision="blue"), "the variant revision needs a topology with a control"),
        (Asked(revision="Blue"), "'Blue' is no name for a revision: use lower-case letters"),
        (Asked(revision=""), "'' is no name for a revision"),
        (Asked(revision="1.31"), "'1.31' is no name for a revision"),
        (Asked(revision="a-"), "'a-' is no name for a revision"),
        (Asked(revision="a" * 57), "is no name for a revision: use lower-case letters, digits"),
        (Asked(revision="default"), "Istio takes 'default' for a mesh without a revision"),
        (Asked(istio=("new",)), "'new' is no version of Istio: write it as in "),
        (Asked(istio=("east=new",)), "'new' is no version"),
        (Asked(istio=("east=",)), "'east=' does not say which Istio runs where: write a version"),
        (Asked(istio=("east=1.31.0,1.31.1",)), "does not say which Istio runs where"),
        (Asked(istio=("east=1.31.0,east=1.31.1",)), "names cluster east twice"),
        (Asked(("primary-remote-falt",)), "did you mean primary-remote-flat"),
        (Asked(("mine.yaml",)), "looks like a file: use '--topology-file mine.yaml'"),
        (Asked(("bare",), mtls=("strict",)), "a mesh, about which --mtls says nothing"),
        (Asked(("bare",), istio=("1.31.1",), full=True), "--istio and --full say nothing"),
        (Asked(source="bogus"), "there is no source 'bogus' of artifacts: choose one of "),
        (Asked(source="checkout"), "no Istio source tree was named: add '--checkout FOLDER'"),
        (Asked(source="built", checkout=Path("/tree")), "--artifacts built would not look at it"),
        (
            Asked((FLAT, PRIMARIES), istio=("control=1.31.0",)),
            "no topology chosen has a cluster 'control' to run Istio in: name east or west.",
        ),
    ],
)
def test_what_cannot_be_asked_for(asked: Asked, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        asked.check()
    assert said in str(raised.value)
    assert raised.value.exit_code == EXIT_USAGE


def test_what_can_be_asked_for() -> None:
    asked = Asked((PRIMARIES,), mtls=("strict",), variants=("revision",), revision="r-1", full=True)
    asked.check()
    assert (asked.modes, asked.chosen_variants) == ((Mtls.STRICT,), ("revision",))
    assert asked.chosen_revision == "r-1"
    assert Asked().chosen_revision == "canary"


def test_clusters_that_are_not_named_get_the_newest() -> None:
    (found,) = Asked((PRIMARIES,), istio=("east=1.31.0",)).releases
    assert found.on(Asked((PRIMARIES,)).topologies[0]) == {"east": OLD, "west": NEWEST}
    assert Asked((PRIMARIES,)).releases == (Releases(NEWEST),)


def test_a_cluster_need_not_be_in_every_topology() -> None:
    asked = Asked((FLAT, OUTSIDE), istio=("control=1.31.0",))
    asked.check()
    versions = [found.on(topology) for found in asked.releases for topology in asked.topologies]
    assert versions[0] == {"east": NEWEST, "west": NEWEST}
    assert versions[1] == {"control": OLD, "east": NEWEST, "west": NEWEST}


def test_the_nodes_hold_the_versions_that_are_needed_and_no_others() -> None:
    assert Asked((FLAT,)).versions == ()
    assert Asked((FLAT,), istio=("1.31.0", "1.31.1")).versions == ("1.31.0", "1.31.1")
    both = Asked((FLAT,), istio=("east=1.31.0,west=1.31.0",))
    assert both.versions == ("1.31.0",)
    mixed = Asked((OUTSIDE,), istio=("east=1.31.0,west=1.31.0",))
    assert set(mixed.versions) == {"1.31.0", str(NEWEST)}
