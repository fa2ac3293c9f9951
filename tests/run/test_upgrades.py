"""What may be asked of an upgrade, what it comes to, and how it is told what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.errors import EXIT_USAGE, UsageError
from meshproof.model import RunRequest, Upgrade, Version
from meshproof.model.upgrade import LAST, Strategy
from meshproof.run.selection import Selection
from meshproof.runner.matrix import Matrix

OLD, NEW, KUBERNETES = Version(1, 31, 0), Version(1, 31, 1), Version(1, 36, 3)
FLAT, SPLIT, OUTSIDE = (
    "primary-remote-flat",
    "multi-primary-split-horizon",
    "external-control-plane",
)
ASKED: dict[str, object] = {"topology": (FLAT,), "istio": ("1.31.0",), "upgrade_to": "1.31.1"}


def selection(**said: object) -> Selection:
    return Selection(RunRequest(**said))  # type: ignore[arg-type]


def names(**said: object) -> list[str]:
    """The deployments of a request."""
    found = selection(**said)
    found.check()
    return [str(one) for one in Matrix.of(found, KUBERNETES).deployments]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"strategy": "canary"}, "--strategy says how to upgrade, and nothing says to which Istio"),
        (
            {"first": "west", "rollback": True},
            "--first and --rollback say how to upgrade, and nothing says to which Istio: add",
        ),
        ({"rollback_after": ("2",)}, "--rollback-after says how"),
        ({"upgrade_to": "1.31.1"}, "nothing says with which Istio to begin: add '--istio VERSION'"),
        (ASKED | {"upgrade_to": "new"}, "'new' is no version of Istio"),
        (ASKED | {"upgrade_to": "1.31.0"}, "an upgrade from 1.31.0 to 1.31.0 changes nothing"),
        (ASKED | {"strategy": "helm"}, "there is no strategy of an upgrade 'helm': choose one of"),
        (ASKED | {"variant": ("revision",)}, "an upgrade is judged of topologies as they are"),
        (ASKED | {"revision": "blue"}, "leave --variant and --revision out"),
        (ASKED | {"first": "west"}, "no control plane of primary-remote-flat runs in 'west'"),
        (ASKED | {"rollback_after": ("0",)}, "--rollback-after is '0': give a step's number"),
        (ASKED | {"rollback_after": ("x",)}, "--rollback-after is 'x'"),
        (ASKED | {"rollback_after": ("99",)}, "there is no step 99: the upgrade of"),
        (
            ASKED | {"istio": ("east=1.31.0",)},
            "an upgrade of primary-remote-flat begins with east-1.31.0-west-1.31.1",
        ),
        (
            ASKED | {"topology": (OUTSIDE,), "strategy": "canary"},
            "istioctl removes no revision of a control plane outside",
        ),
        (ASKED | {"topology": ("bare",)}, "'bare' stands for clusters without a mesh"),
    ],
)
def test_what_cannot_be_is_one_sentence(said: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError) as raised:
        selection(**said).check()
    assert told in str(raised.value)
    assert raised.value.exit_code == EXIT_USAGE


def test_a_source_tree_has_no_second_istio() -> None:
    asked = selection(topology=(FLAT,), upgrade_to="1.31.1", checkout=Path())
    with pytest.raises(UsageError, match="there is one Istio alone, and no other to upgrade to"):
        _ = asked.releases


def test_what_is_asked_for_is_a_way_for_each_return() -> None:
    many = ASKED | {"rollback": True, "rollback_after": ("2", "1", "2"), "strategy": "canary"}
    found = selection(**many).upgrades
    assert [one.back_after for one in found] == [2, 1, LAST]
    assert {one.strategy for one in found} == {Strategy.CANARY}
    assert selection(**ASKED).upgrades == (Upgrade(NEW),)
    assert selection(topology=(FLAT,)).upgrades == ()


def test_nodes_hold_both_versions() -> None:
    assert selection(**ASKED).versions == ("1.31.0", "1.31.1")
    assert selection(topology=(FLAT,), istio=("1.31.0",)).versions == ("1.31.0",)
    assert selection(topology=(FLAT,)).versions == ()


def test_deployments_are_the_ways_and_nothing_else() -> None:
    assert names(**ASKED) == [f"{FLAT}+1.31.0-to-1.31.1+strict+in-place"]
    both = ASKED | {"topology": (FLAT, SPLIT), "strategy": "canary", "rollback": True}
    assert names(**both) == [
        f"{name}+1.31.0-to-1.31.1+strict+canary+back" for name in (FLAT, SPLIT)
    ]
    assert names(**ASKED | {"profile": "all"}) == names(**ASKED)
    assert names(**ASKED | {"mtls": ("permissive",)})[0].endswith("+permissive+in-place")


def test_a_topology_that_has_no_such_way_is_left_out_where_others_have() -> None:
    both = ASKED | {"topology": (FLAT, SPLIT), "first": "west"}
    assert names(**both) == [f"{SPLIT}+1.31.0-to-1.31.1+strict+in-place+west-first"]
