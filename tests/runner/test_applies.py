"""Where tests apply, and the reasons why not elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.errors import UsageError
from meshproof.files import topology_named, topology_names
from meshproof.model import Deployment, InstalledBy, Mtls, Version
from meshproof.runner.applies import ground, why_not

FLAT, SPLIT = "primary-remote-flat", "primary-remote-split-horizon"
PRIMARIES, SAME = "multi-primary-flat", "overlapping-cidrs"
STRICT, DISABLED = Mtls.STRICT, Mtls.DISABLED
MARK = pytest.mark


def on(name: str, mtls: Mtls = STRICT, *variants: str) -> Deployment:
    topology = topology_named(name)
    versions = dict.fromkeys(topology.names, Version(1, 31, 1))
    revision = "canary" if "revision" in variants else ""
    return Deployment(topology, versions, Version(1, 36, 3), mtls, frozenset(variants), revision)


def why(deployment: Deployment, *marks: pytest.MarkDecorator) -> str | None:
    return why_not([one.mark for one in marks], deployment, topology_names())


def test_without_markers_a_test_applies_to_every_plain_deployment() -> None:
    assert why(on(FLAT)) is None
    assert why(on(SPLIT)) is None
    assert why(on(FLAT, DISABLED)) == "with mTLS strict only"
    assert why(on(FLAT, STRICT, "revision")) == "not in the variant revision"


def test_one_topology_of_each_network_shape_stands_for_all() -> None:
    chosen = [name for name in topology_names() if topology_named(name).exemplary]
    assert chosen == ["multi-primary-split-horizon", FLAT]


def test_a_mesh_of_that_shape_beside_another_is_judged_like_it() -> None:
    marks = [MARK.each_shape.mark]
    beside = [
        one for one in map(topology_named, topology_names()) if one.example not in (None, one)
    ]
    assert [one.name for one in beside] == ["hybrid"]
    assert ground(marks, beside[0]).names == ("east", "west")
    assert why(on("hybrid"), MARK.each_shape) is None
    reason = "no network shape changes it: judged on the plainest topology of each"
    assert why(on("federation"), MARK.each_shape) == reason
    split = topology_named("multi-primary-split-horizon")
    assert ground(marks, split) is split


def test_what_needs_meshes_that_expose_or_read_says_so() -> None:
    assert why(on("federation"), MARK.exposes) is None
    assert why(on(SPLIT), MARK.exposes) == "needs a service that another mesh exposes"
    reason = "needs an istiod that reads another cluster"
    assert why(on("federation"), MARK.remote_secrets) == reason
    assert why(on(SPLIT), MARK.remote_secrets) is None


def test_machines_are_judged_where_there_are_some_and_nothing_else_is() -> None:
    assert why(on("vm-expansion"), MARK.machines) is None
    assert why(on(SPLIT), MARK.machines) == "needs machines outside Kubernetes"
    assert why(on("vm-expansion")) == "judged on clusters without machines beside them"


def test_hosts_are_judged_where_there_is_one_and_nothing_else_is() -> None:
    assert why(on("host-member"), MARK.managed) is None
    assert why(on(SPLIT), MARK.managed) == "needs a host that manages clusters"
    assert why(on("host-member")) == "judged on clusters that no host manages"


def test_what_takes_members_like_any_other_is_judged_where_their_host_has_installed_the_mesh() -> (
    None
):
    usual = on("host-pushed-mesh")
    too, pushed = MARK.managed("too"), replace(usual, installed_by=InstalledBy.PUSHED)
    assert why(pushed, too) is None and why(on(SPLIT), too) is None
    assert why(pushed, MARK.managed) is None
    assert why(pushed) == "judged on clusters that no host manages"
    only = "beside a host where that has installed the mesh alone"
    assert why(usual, too) == why(on("host-member"), too) == only


def test_what_takes_machines_like_any_other_is_judged_everywhere() -> None:
    assert why(on("vm-expansion"), MARK.machines("too")) is None
    assert why(on(SPLIT), MARK.machines("too")) is None
    other = on("vm-expansion", DISABLED)
    marks = [MARK.mtls("strict", "disabled"), MARK.machines("too")]
    assert why(other, *marks) == "beside machines with mTLS strict alone"
    with pytest.raises(UsageError, match="write one of too"):
        why(on(SPLIT), MARK.machines("two"))


def test_what_compares_versions_is_about_the_mesh_that_has_several() -> None:
    several, plain = [MARK.several_versions.mark], [MARK.exposes.mark]
    hybrid, split = topology_named("hybrid"), topology_named(SPLIT)
    assert ground(several, hybrid).names == ("east", "west")
    assert ground(plain, hybrid) is hybrid
    assert ground(several, split) is split
    assert why(on("hybrid"), MARK.several_versions) is None
    reason = "needs several versions that every caller reaches"
    assert why(on("federation"), MARK.several_versions) == reason


def test_meshes_on_a_network_each_are_neither_on_one_nor_across_networks() -> None:
    assert why(on("federation"), MARK.networks(1)) == "on one network only"
    assert why(on("federation"), MARK.networks(2)) == "across networks only"


@pytest.mark.parametrize(
    ("mark", "where", "elsewhere", "reason"),
    [
        (MARK.topology(FLAT), FLAT, SPLIT, f"on {FLAT} only"),
        (
            MARK.topology(FLAT, SAME, PRIMARIES),
            SAME,
            SPLIT,
            f"on {FLAT}, {SAME} or {PRIMARIES} only",
        ),
        (MARK.topology(FLAT, reason="needs a lake"), FLAT, SPLIT, "needs a lake"),
        (MARK.networks(1), FLAT, SPLIT, "on one network only"),
        (MARK.networks(2), SPLIT, FLAT, "across networks only"),
        (MARK.primaries(1), FLAT, PRIMARIES, "needs one control plane alone"),
        (MARK.primaries(2), PRIMARIES, FLAT, "needs several control planes"),
        (MARK.remotes, FLAT, SAME, "needs a cluster that another cluster's istiod serves"),
        (MARK.ranges("disjoint"), SPLIT, SAME, "needs clusters whose addresses differ"),
        (MARK.ranges("same"), SAME, SPLIT, "needs clusters whose pods have the same addresses"),
        (
            MARK.each_shape,
            FLAT,
            SPLIT,
            "no network shape changes it: judged on the plainest topology of each",
        ),
    ],
)
def test_what_a_topology_lacks(
    mark: pytest.MarkDecorator, where: str, elsewhere: str, reason: str
) -> None:
    assert why(on(where), mark) is None
    assert why(on(elsewhere), mark) == reason


def test_an_external_control_plane_is_one_control_plane_that_serves_remotes() -> None:
    outside = on("external-control-plane")
    assert why(outside, MARK.primaries(1), MARK.remotes) is None
    assert why(outside, MARK.primaries(2)) == "needs several control planes"


def test_what_is_about_an_installer_is_judged_where_it_has_installed_the_mesh() -> None:
    plain, by_helm = on(FLAT), replace(on(FLAT), installed_by=InstalledBy.HELM)
    assert why(by_helm) is None
    assert why(by_helm, MARK.installed_by("helm")) is None
    assert why(plain, MARK.installed_by("helm")) == "where helm has installed the mesh only"
    assert (
        why(by_helm, MARK.installed_by("istioctl")) == "where istioctl has installed the mesh only"
    )


def test_modes() -> None:
    mark = MARK.mtls("strict", "disabled")
    assert why(on(FLAT), mark) is None
    assert why(on(FLAT, DISABLED), mark) is None
    assert why(on(FLAT, Mtls.PERMISSIVE), mark) == "with mTLS strict or disabled only"


def test_variants() -> None:
    too, alone = MARK.variant("mesh-networks"), MARK.only_variant("unrelated-roots")
    assert why(on(SPLIT), too) is None
    assert why(on(SPLIT, STRICT, "mesh-networks"), too) is None
    assert why(on(PRIMARIES, STRICT, "unrelated-roots"), alone) is None
    assert why(on(PRIMARIES), alone) == "in the variant unrelated-roots only"
    assert why(on(FLAT), alone) == "needs several control planes"


def test_the_closest_of_two_markers_counts_and_the_topology_comes_first() -> None:
    modes = (MARK.mtls("disabled"), MARK.mtls("strict"))
    assert why(on(FLAT, DISABLED), *modes) is None
    assert why(on(FLAT), *modes, MARK.networks(2)) == "across networks only"


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (MARK.networks(3), r"there is no marker networks\(3\): write 1, or 2 for several\."),
        (MARK.primaries(), r"there is no marker primaries\(\): write 1, or 2"),
        (MARK.primaries(1, 2), r"there is no marker primaries\(1, 2\): write 1, or 2"),
        (MARK.mtls("off"), r"there is no marker mtls\('off'\): write one of strict, perm"),
        (MARK.variant("blue"), r"there is no marker variant\('blue'\): write one of mesh-n"),
        (MARK.only_variant("blue"), r"there is no marker only_variant\('blue'\)"),
        (MARK.topology(FLAT, "flat"), r"there is no marker topology\('flat'\): write one of "),
        (MARK.ranges("equal"), r"there is no marker ranges\('equal'\): write one of disj"),
    ],
)
def test_markers_that_cannot_be(mark: pytest.MarkDecorator, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        why(on(FLAT), mark)
