"""What a mesh leaves behind is noticed, object by object and address by address."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.kube import RunningCluster
from meshproof.kube.objects import applied
from meshproof.kube.seam import lab_errors
from meshproof.lab import Lab
from meshproof.mesh.inventory import take_inventory
from meshproof.model import Capability, InstalledBy
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import require
from meshproof.workloads.sample import (
    HELLOWORLD,
    HOST,
    NAMESPACE,
    helloworld_service,
    namespace_object,
)
from suites.cleanup.claims import (
    no_address_remains,
    no_name_remains,
    no_rule_remains,
    nothing_remains,
    rules_written,
    told_of,
    uninstalling_leaves_nothing,
)

Judge = Callable[[Verdict], None]
_LEFT = "left-behind"
_SOON = 5.0
"""Seconds to wait for the end of what does not end."""
_SERVICE = f"{NAMESPACE}/{HELLOWORLD}"
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


@proves("cleanup/nothing-remains", "cleanup/istioctl-leaves-nothing", "cleanup/helm-leaves-nothing")
@pytest.mark.bare_lab("east,west", "isolated")
@pytest.mark.parametrize("kind", [one["kind"] for one in _OBJECTS])
def test_an_object_left_behind_is_noticed(lab: Lab, kind: str, judge: Judge) -> None:
    """With one object left behind, the claims that nothing remains fail and name it."""
    lab.await_dns()  # what comes up late with it must not be taken for something left
    before = {name: take_inventory(cluster) for name, cluster in lab.clusters.items()}
    left = [one for one in _OBJECTS if one["kind"] == kind]
    with applied(lab.clusters["west"], left):
        verdicts = [nothing_remains(lab, before, _SOON)]
        verdicts += [uninstalling_leaves_nothing(lab, before, one) for one in InstalledBy]
    judge(noticed(verdicts, _LEFT))


@proves("cleanup/nothing-remains")
@requires(Capability.NODES)
@pytest.mark.bare_lab("east,west", "isolated")
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


@proves("cleanup/nothing-remains")
@requires(Capability.NODES)
@pytest.mark.bare_lab("east,west", "isolated")
def test_a_service_left_behind_is_noticed(lab: Lab, judge: Judge) -> None:
    """With a Service left behind, the claims that no rule and no name remain fail and name it."""
    lab.await_dns()
    with _a_service_in_use(lab.clusters["west"]):
        rules, names = no_rule_remains(lab, _SOON), no_name_remains(lab, _SOON)
    judge(
        all_of(
            [
                noticed([rules], _SERVICE),
                noticed([names], f"{HELLOWORLD}.{NAMESPACE}.svc.cluster.local exists in west"),
            ]
        )
    )


@contextmanager
def _a_service_in_use(cluster: RunningCluster) -> Iterator[None]:
    """Inside the block there is a Service, which kube-proxy serves on the node and DNS knows: both
    are told of it later than whoever asks the API. Afterwards none of it is left."""
    objects = [namespace_object(NAMESPACE, injected=False), helloworld_service()]
    try:
        with applied(cluster, objects):
            require(lambda: _rules_for_it(cluster), what=f"kube-proxy's rules for {_SERVICE}")
            require(lambda: told_of(cluster, HOST), until=lambda one: one.exists, what=HOST)
            yield
    finally:
        # In a namespace that ends nothing can be made.
        require(
            lambda: _namespaces(cluster),
            until=lambda names: NAMESPACE not in names,
            what=f"the end of namespace {NAMESPACE}",
        )
        require(
            lambda: _rules_for_it(cluster),
            until=lambda lines: not lines,
            what=f"the end of kube-proxy's rules for {_SERVICE}",
        )
        require(
            lambda: told_of(cluster, HOST),
            until=lambda one: one.code == "NXDOMAIN",
            what=f"the end of {HOST}",
        )


def _namespaces(cluster: RunningCluster) -> set[str]:
    with lab_errors(f"list the namespaces of {cluster.name}"):
        return {one.metadata.name for one in cluster.core.list_namespace().items}


def _rules_for_it(cluster: RunningCluster) -> list[str]:
    """Those that lead, or would lead, somewhere: an empty chain stays for a while."""
    lines = [line for line in rules_written(cluster) if _SERVICE in line]
    return [line for line in lines if not line.startswith("chain ")]
