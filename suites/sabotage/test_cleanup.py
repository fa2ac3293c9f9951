"""What a mesh leaves behind is noticed, object by object and address by address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.lab import Lab
from meshproof.lab.objects import applied
from meshproof.mesh.inventory import take_inventory
from suites.cleanup.claims import no_address_remains, nothing_remains

Judge = Callable[[Verdict], None]
_LEFT = "left-behind"
_OBJECTS = (
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _LEFT},
        "rules": [],
    },
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _LEFT, "namespace": "default"},
    },
)


@pytest.mark.ground("east,west", "isolated")
@pytest.mark.parametrize("kind", [one["kind"] for one in _OBJECTS])
def test_an_object_left_behind_is_noticed(lab: Lab, kind: str, judge: Judge) -> None:
    """With one object left behind, the claim that nothing remains fails and names it."""
    before = {name: take_inventory(cluster) for name, cluster in lab.clusters.items()}
    left = [one for one in _OBJECTS if one["kind"] == kind]
    with applied(lab.clusters["west"], left):
        verdict = nothing_remains(lab, before)
    judge(noticed([verdict], _LEFT))


@pytest.mark.ground("east,west", "isolated")
def test_an_address_left_behind_is_noticed(lab: Lab, judge: Judge) -> None:
    """With a gateway's address left on a node, the claim that none remains fails and names it."""
    address = str(lab.subnets["west"].load_balancers[-1])
    cluster = lab.clusters["west"]
    change = ("ip", "address", "{}", f"{address}/32", "dev", "eth0")
    cluster.on_node(cluster.control_plane, *(word.format("add") for word in change))
    try:
        verdict = no_address_remains(lab)
    finally:
        cluster.on_node(cluster.control_plane, *(word.format("delete") for word in change))
    judge(noticed([verdict], address))
