"""What the command line may ask for, and how it is told what it may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.artifacts import default_wanted
from meshproof.errors import EXIT_USAGE, UsageError
from meshproof.files import topology_names
from meshproof.model import Mtls, Releases, RunRequest, Version
from meshproof.resources import resource
from meshproof.run.selection import Selection, usual_topologies

FLAT, PRIMARIES, OUTSIDE = "primary-remote-flat", "multi-primary-flat", "external-control-plane"
OLD = Version(1, 31, 0)
NEWEST = default_wanted().istio[-1]


def selection(**said: object) -> Selection:
    return Selection(RunRequest(**said))  # type: ignore[arg-type]


def asked(**said: object) -> Callable[[], Selection]:
    """A row of the table: some words cannot even be asked for."""
    return lambda: selection(**said)


@pytest.mark.parametrize(
    ("asked_for", "said"),
    [
        (asked(topology=("nowhere",)), "there is no topology 'nowhere': choose one of "),
        (asked(mtls=("off",)), "there is no mTLS mode 'off': choose one of strict, permissive, "),
        (asked(variant=("blue",)), "there is no variant 'blue': choose one of mesh-networks, "),
        (
            asked(topology=(FLAT,), variant=("mesh-networks",)),
            "the variant mesh-networks needs a topology with several networks, and none is chosen",
        ),
        (
            asked(topology=(FLAT,), variant=("unrelated-roots",)),
            "the variant unrelated-roots needs a topology with several control planes, and none",
        ),
        (
            asked(topology=("bare",), revision="blue"),
            "the variant revision needs a topology with a control",
        ),
        (asked(revision="Blue"), "'Blue' is no name for a revision: use lower-case letters"),
        (asked(revision=""), "'' is no name for a revision"),
        (asked(revision="1.31"), "'1.31' is no name for a revision"),
        (asked(revision="a-"), "'a-' is no name for a revision"),
        (asked(revision="a" * 57), "is no name for a revision: use lower-case letters, digits"),
        (asked(revision="default"), "Istio takes 'default' for a mesh without a revision"),
        (asked(istio=("new",)), "'new' is no version of Istio: write it as in "),
        (asked(istio=("east=new",)), "'new' is no version"),
        (asked(istio=("east=",)), "'east=' does not say which Istio runs where: write a version"),
        (asked(istio=("east=1.31.0,1.31.1",)), "does not say which Istio runs where"),
        (asked(istio=("east=1.31.0,east=1.31.1",)), "names cluster east twice"),
        (asked(topology=("primary-remote-falt",)), "did you mean primary-remote-flat"),
        (asked(topology=("mine.yaml",)), "looks like a file: use '--topology-file mine.yaml'"),
        (asked(topology=("bare",), mtls=("strict",)), "a mesh, about which --mtls says nothing"),
        (asked(topology=("bare",), istio=("1.31.1",), profile="all"), "--istio says nothing"),
        (asked(profile="al"), "there is no profile 'al': did you mean all"),
        (asked(engine="Podman"), "there is no engine 'Podman': did you mean podman"),
        (asked(pool="8.8.8.0/24"), "is not private"),
        (asked(artifacts="bogus"), "there is no source 'bogus' of artifacts: choose one of "),
        (asked(artifacts="checkout"), "no Istio source tree was named: add '--checkout FOLDER'"),
        (
            asked(artifacts="built", checkout=Path("/tree")),
            "--artifacts built would not look at it",
        ),
        (
            asked(topology=(FLAT, PRIMARIES), istio=("control=1.31.0",)),
            "no topology chosen has a cluster 'control' to run Istio in: name east or west.",
        ),
    ],
)
def test_what_cannot_be_asked_for(asked_for: Callable[[], Selection], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        asked_for().check()
    assert said in str(raised.value)
    assert raised.value.exit_code == EXIT_USAGE


def test_what_can_be_asked_for() -> None:
    found = selection(
        topology=(PRIMARIES,),
        mtls=("strict",),
        variant=("revision",),
        revision="r-1",
        profile="all",
    )
    found.check()
    assert (found.modes, found.variants) == ((Mtls.STRICT,), ("revision",))
    assert found.revision == "r-1"
    assert selection().revision == "canary"


def test_clusters_that_are_not_named_get_the_newest() -> None:
    (release,) = selection(topology=(PRIMARIES,), istio=("east=1.31.0",)).releases
    assert release.on(selection(topology=(PRIMARIES,)).topologies[0]) == {
        "east": OLD,
        "west": NEWEST,
    }
    assert selection(topology=(PRIMARIES,)).releases == (Releases(NEWEST),)


def test_a_cluster_need_not_be_in_every_topology() -> None:
    found = selection(topology=(FLAT, OUTSIDE), istio=("control=1.31.0",))
    found.check()
    versions = [one.on(topology) for one in found.releases for topology in found.topologies]
    assert versions[0] == {"east": NEWEST, "west": NEWEST}
    assert versions[1] == {"control": OLD, "east": NEWEST, "west": NEWEST}


def test_the_nodes_hold_the_versions_that_are_needed_and_no_others() -> None:
    assert selection(topology=(FLAT,)).versions == ()
    assert selection(topology=(FLAT,), istio=("1.31.0", "1.31.1")).versions == ("1.31.0", "1.31.1")
    both = selection(topology=(FLAT,), istio=("east=1.31.0,west=1.31.0",))
    assert both.versions == ("1.31.0",)
    mixed = selection(topology=(OUTSIDE,), istio=("east=1.31.0,west=1.31.0",))
    assert set(mixed.versions) == {"1.31.0", str(NEWEST)}


def test_where_no_topology_is_named_nearly_all_are_judged_and_one_test_is_looked_for_on_all() -> (
    None
):
    usual = {one.name for one in selection().topologies}
    assert usual == set(usual_topologies()) < set(topology_names())
    for everything in (selection(profile="all"), selection(only="a test")):
        assert {one.name for one in everything.topologies} == set(topology_names())


def test_where_something_is_named_it_is_judged_wherever_it_applies(tmp_path: Path) -> None:
    narrower: list[dict[str, object]] = [
        {},
        {"mtls": ("disabled",)},
        {"variant": ("mesh-networks",)},
        {"istio": ("1.31.0",)},
        {"deployment": (f"{FLAT}+1.31.1+strict",)},
        {"keyword": "header"},
        {"sabotage": True},
    ]
    assert all(selection(**said).in_short for said in narrower)
    named: list[dict[str, object]] = [
        {"topology": (FLAT,)},
        {"topology_file": (tmp_path / "own.yaml",)},
        {"suite": ("routing",)},
        {"suites": ("tests/own",)},
        {"behaviour": ("routing/*",)},
        {"only": "routing/header-decides"},
        {"rerun_failed": tmp_path},
        {"reuse": "0a1b2c3d"},
        {"profile": "all"},
        {"upgrade_to": "1.31.1"},
    ]
    assert not any(selection(**said).in_short for said in named)


def test_a_file_stands_alone_and_takes_the_place_of_the_topology_of_its_name(
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.yaml"
    own.write_text((resource("topologies") / f"{FLAT}.yaml").read_text())
    assert [one.name for one in selection(topology_file=(own,)).topologies] == [FLAT]
    found = [one.name for one in selection(topology_file=(own,), only="a test").topologies]
    assert sorted(found) == sorted(topology_names())


def test_clusters_without_a_mesh_are_judged_when_they_are_named() -> None:
    assert not selection().asks_for_bare("bare")
    assert not selection(profile="all").asks_for_bare("bare")
    named = selection(topology=("bare",), profile="all")
    named.check()
    assert named.asks_for_bare("bare") and not named.asks_for_bare("bare-nodes")


def test_a_pool_holds_the_networks_of_all_labs_at_once() -> None:
    small = selection(topology=(FLAT,), pool="10.213.0.0/23")
    small.check_pool(1)
    with pytest.raises(UsageError, match="holds 2 networks, and each of 2 labs at once needs 2"):
        small.check_pool(2)
    with pytest.raises(UsageError, match="lab 0a1b2c3d has its networks already"):
        selection(pool="10.213.0.0/16", reuse="0a1b2c3d").check_pool(1)


def test_what_a_session_is_made_with() -> None:
    found = selection(artifacts="built", engine="podman", pool="10.213.0.0/16").choices
    assert (found.source, found.engine, str(found.pool)) == ("built", "podman", "10.213.0.0/16")
    assert (found.istio, found.reports) == ((), Path("reports"))
