"""The matrix: which deployments there are, which of them a test runs on, and in which order."""

from __future__ import annotations

import pytest

from meshproof.fixtures.matrix import Matrix
from meshproof.model import Mtls, Version
from meshproof.topologies import topology_named, topology_names

HEAD = """
import pytest

@pytest.fixture
def sample(request):
    return request.param

@pytest.fixture
def caller(request):
    return request.param
"""
FLAT, SPLIT = "primary-remote-flat", "primary-remote-split-horizon"


def matrix(**changes: object) -> Matrix:
    chosen = tuple(topology_named(name) for name in topology_names())
    defaults: dict[str, object] = {
        "topologies": chosen,
        "istio": (Version(1, 31, 1),),
        "kubernetes": Version(1, 36, 3),
    }
    return Matrix(**(defaults | changes))  # type: ignore[arg-type]


def test_by_default_strict_and_on_one_network_disabled_as_well() -> None:
    assert [str(one) for one in matrix().deployments] == [
        f"{FLAT}+1.31.1+strict",
        f"{FLAT}+1.31.1+disabled",
        f"{SPLIT}+1.31.1+strict",
    ]


def test_modes_and_versions_multiply() -> None:
    versions = (Version(1, 31, 0), Version(1, 31, 1))
    found = matrix(mtls=(Mtls.PERMISSIVE,), istio=versions).deployments
    assert [str(one) for one in found] == [
        f"{name}+{version}+permissive" for name in (FLAT, SPLIT) for version in versions
    ]


def test_a_variant_comes_beside_the_plain_one_where_there_are_networks() -> None:
    found = [str(one) for one in matrix(variants=("mesh-networks",)).deployments]
    assert f"{SPLIT}+1.31.1+strict+mesh-networks" in found
    assert not any("mesh-networks" in one for one in found if one.startswith(FLAT))
    assert len(found) == 4


def collected(pytester: pytest.Pytester, body: str, *options: str) -> list[str]:
    pytester.makepyfile(test_it=HEAD + body)
    result = pytester.runpytest_inprocess("--collect-only", "-q", *options)
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


def test_a_test_runs_strict_on_every_topology_and_from_each_cluster(
    pytester: pytest.Pytester,
) -> None:
    found = collected(pytester, "def test_it(sample, caller): pass\n")
    assert found == [
        f"test_it[{name}+1.31.1+strict-from-{cluster}]"
        for name in (FLAT, SPLIT)
        for cluster in ("east", "west")
    ]


@pytest.mark.parametrize(
    ("marker", "where"),
    [
        ("networks(1)", [f"{FLAT}+1.31.1+strict"]),
        ("networks(2)", [f"{SPLIT}+1.31.1+strict"]),
        (f"topology('{SPLIT}')", [f"{SPLIT}+1.31.1+strict"]),
        ("mtls('disabled')", [f"{FLAT}+1.31.1+disabled"]),
    ],
)
def test_markers_narrow_where_a_test_runs(
    pytester: pytest.Pytester, marker: str, where: list[str]
) -> None:
    body = f"@pytest.mark.{marker}\ndef test_it(sample): pass\n"
    assert collected(pytester, body) == [f"test_it[{one}]" for one in where]


def test_what_shares_a_mesh_stays_together_and_its_removal_comes_last(
    pytester: pytest.Pytester,
) -> None:
    body = (
        "@pytest.mark.last\ndef test_end(sample): pass\n"
        "@pytest.mark.mtls('strict', 'disabled')\ndef test_it(sample): pass\n"
    )
    assert collected(pytester, body) == [
        f"test_it[{FLAT}+1.31.1+strict]",
        f"test_it[{FLAT}+1.31.1+disabled]",
        f"test_end[{FLAT}+1.31.1+strict]",
        f"test_it[{SPLIT}+1.31.1+strict]",
        f"test_end[{SPLIT}+1.31.1+strict]",
    ]


def test_only_the_topologies_asked_for(pytester: pytest.Pytester) -> None:
    body = "def test_it(sample): pass\n"
    assert collected(pytester, body, "--topology", SPLIT) == [f"test_it[{SPLIT}+1.31.1+strict]"]


def test_variants_run_what_is_marked_for_them(pytester: pytest.Pytester) -> None:
    body = (
        "@pytest.mark.variant('mesh-networks')\ndef test_both(sample): pass\n"
        "def test_plain(sample): pass\n"
    )
    asked = ("--topology", SPLIT, "--variant", "mesh-networks")
    assert collected(pytester, body, *asked) == [
        f"test_both[{SPLIT}+1.31.1+strict]",
        f"test_plain[{SPLIT}+1.31.1+strict]",
        f"test_both[{SPLIT}+1.31.1+strict+mesh-networks]",
    ]
