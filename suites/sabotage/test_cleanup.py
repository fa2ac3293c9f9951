"""What a mesh leaves behind is noticed, object by object and address by address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.lab import Lab
from meshproof.lab.objects import applied, await_absence
from meshproof.mesh.inventory import take_inventory
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    helloworld_service,
    namespace_object,
)
from suites.cleanup.claims import (
    no_address_remains,
    no_name_remains,
    no_rule_remains,
    nothing_remains,
)

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


@pytest.mark.ground("east,west", "isolated")
def test_a_service_left_behind_is_noticed(lab: Lab, judge: Judge) -> None:
    """With a Service left behind, the claims that no rule and no name remain fail and name it."""
    left = [namespace_object(NAMESPACE, injected=False), helloworld_service()]
    with applied(lab.clusters["west"], left):
        rules, names = no_rule_remains(lab), no_name_remains(lab)
    await_absence(lab.clusters["west"], NAMESPACE)
    judge(
        all_of(
            [
                noticed([rules], f"{NAMESPACE}/{HELLOWORLD}"),
                noticed([names], f"{HELLOWORLD}.{NAMESPACE}.svc.cluster.local exists in west"),
            ]
        )
    )
