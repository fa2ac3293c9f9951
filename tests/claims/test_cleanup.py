"""What is claimed of a cluster after a mesh has left it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network

import pytest

from meshproof.kube.names import NameAnswer
from meshproof.lab.network.subnets import Subnet
from meshproof.mesh import inventory
from meshproof.mesh.inventory import Inventory, Thing
from meshproof.model import InstalledBy
from suites.cleanup.claims import (
    more_is_held,
    no_address_remains,
    no_name_remains,
    no_rule_remains,
    nothing_remains,
    uninstalling_leaves_nothing,
    witnesses_see_it,
)
from tests.claims.changes import after
from tests.claims.substitutes import everywhere
from tests.claims.table import (
    SPLIT,
    Case,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.claims.told import NXDOMAIN
from tests.doubles.played import PlayedCluster

OWN = frozenset({Thing("", "Namespace", "", "default"), Thing("", "Node", "", "node")})
LEFT = Thing("", "ConfigMap", "default", "istio-ca-root-cert")
DNS_RULE = "tcp dport 53 ip daddr 10.110.0.10 comment kube-system/kube-dns:dns"
MESH_RULE = "ip daddr 10.110.0.7 tcp dport 5000 comment sample/helloworld:http"


def lab(stage: Stage) -> tuple[object, ...]:
    return (stage.world.lab,)


def lab_and_before(stage: Stage) -> tuple[object, ...]:
    return stage.world.lab, dict.fromkeys(stage.world.clusters, Inventory(OWN))


def uninstalled(by: InstalledBy) -> Callable[[Stage], tuple[object, ...]]:
    return lambda stage: (*lab_and_before(stage), by)


def holding(*, more: frozenset[Thing] = frozenset(), less: frozenset[Thing] = frozenset()) -> Doing:
    """What west holds now, beside what it held; east holds what it held."""

    def done(stage: Stage) -> None:
        def taken(cluster: PlayedCluster) -> Inventory:
            return Inventory((OWN | more) - less if cluster.name == "west" else OWN)

        everywhere(stage.monkeypatch, inventory.take_inventory, taken)

    return done


def addresses(*, left: str = "", own: bool = True) -> Doing:
    """What the nodes tell of their addresses; ``left``: one more in west."""

    def done(stage: Stage) -> None:
        world = stage.world
        networks = {name: number for number, name in enumerate(world.clusters, 1)}
        world.lab.subnets = {
            name: Subnet(IPv4Network(f"172.30.{number}.0/24")) for name, number in networks.items()
        }

        def listed(cluster: PlayedCluster, argv: Sequence[str]) -> str:
            assert argv[0] == "ip"
            there = [str(cluster.control_plane.address)] if own else []
            there += [left] if left and cluster.name == "west" else []
            return "".join(f"2: eth0    inet {one}/24 scope global eth0\n" for one in there)

        world.nodes = listed

    return done


def still_given(stage: Stage) -> None:
    addresses()(stage)
    stage.world.lab.addresses["west"].given = (IPv4Address("172.30.2.200"),)


def rules(*lines: str) -> Doing:
    """What kube-proxy has written on the nodes."""

    def done(stage: Stage) -> None:
        stage.world.nodes = lambda *_: "".join(f"\t\t{line}\n" for line in lines)

    return done


def named(answer: NameAnswer, control: bool = True) -> Doing:
    """What clusters' DNS says of helloworld; ``control``: whether it knows other names."""

    def done(stage: Stage) -> None:
        right = stage.world.names
        stage.world.names = lambda who, name: (
            answer if "sample" in name or not control else right(who, name)
        )

    return done


def after_nothing(stage: Stage) -> tuple[object, ...]:
    nothing = dict.fromkeys(stage.world.clusters, Inventory(frozenset()))
    return stage.world.lab, nothing, InstalledBy.ISTIOCTL


def there(*lines: str, address: str = "") -> Doing:
    """A mesh that is there: a gateway's address is given in west, and ``address`` is on its nodes;
    kube-proxy has written these lines."""

    def done(stage: Stage) -> None:
        stage.world.lab.addresses["west"].given = (IPv4Address("172.30.2.200"),)

        def told(cluster: PlayedCluster, argv: Sequence[str]) -> str:
            if argv[0] == "ip":
                return f"2: eth0    inet {address}/32 scope global eth0\n" if address else ""
            return "".join(f"\t\t{line}\n" for line in lines)

        stage.world.nodes = told

    return done


def in_all_clusters(stage: Stage) -> None:
    everywhere(stage.monkeypatch, inventory.take_inventory, lambda _: Inventory(OWN | {LEFT}))


def of_istio(plural: str) -> Thing:
    return Thing("apiextensions.k8s.io", "CustomResourceDefinition", "", f"{plural}.x.istio.io")


LEFTOVERS = frozenset(
    {
        LEFT,
        Thing("", "ConfigMap", "kube-system", "istio-ca-root-cert"),
        of_istio("gateways"),
        of_istio("sidecars"),
    }
)
TOLD = (
    "ConfigMap istio-ca-root-cert is left in default, kube-system; "
    "CustomResourceDefinition.apiextensions.k8s.io *.x.istio.io is left, 2 of them"
)

CASES = [
    *cases(
        more_is_held,
        Setting(lab_and_before, SPLIT),
        passes(doing=in_all_clusters),
        unclear("0 more objects in east", holding(more=frozenset({LEFT}))),
    ),
    *cases(
        witnesses_see_it,
        on(topology=SPLIT),
        passes(doing=there(MESH_RULE, address="172.30.2.200")),
        unclear("0 rules in east", there(DNS_RULE, address="172.30.2.200")),
        unclear("172.30.2.200 is on none", there(MESH_RULE)),
        unclear(
            "NXDOMAIN of the name",
            after(there(MESH_RULE, address="172.30.2.200"), named(NXDOMAIN)),
        ),
    ),
    *cases(
        uninstalling_leaves_nothing,
        Setting(uninstalled(InstalledBy.ISTIOCTL), SPLIT),
        passes(doing=holding()),
        fails(TOLD, holding(more=LEFTOVERS)),
        fails("Node node is gone", holding(less=frozenset({Thing("", "Node", "", "node")}))),
    ),
    *cases(
        uninstalling_leaves_nothing,
        Setting(uninstalled(InstalledBy.HELM), SPLIT),
        passes(doing=holding()),
        fails(TOLD, holding(more=LEFTOVERS)),
    ),
    *cases(
        uninstalling_leaves_nothing,
        Setting(after_nothing, SPLIT),
        unclear("nothing is known of what was there before", holding()),
    ),
    *cases(
        nothing_remains,
        Setting(lab_and_before, SPLIT),
        passes(doing=holding()),
        fails("ConfigMap default/istio-ca-root-cert is left", holding(more=frozenset({LEFT}))),
        fails("Node node is gone", holding(less=frozenset({Thing("", "Node", "", "node")}))),
    ),
    *cases(
        no_address_remains,
        Setting(lab, SPLIT),
        passes(doing=addresses()),
        fails("172.30.2.200 on west-control-plane", addresses(left="172.30.2.200")),
        fails("172.30.2.200", still_given),
        unclear("not even its own address from east-control-plane", addresses(own=False)),
    ),
    *cases(
        no_rule_remains,
        Setting(lab, SPLIT),
        passes(doing=rules(DNS_RULE, "chain service-X-sample/helloworld {")),
        fails(f"1 lines, such as: {MESH_RULE}", rules(DNS_RULE, MESH_RULE)),
        unclear("no rule for the cluster's DNS either", rules()),
    ),
    *cases(
        no_name_remains,
        Setting(lab, SPLIT),
        passes(doing=named(NXDOMAIN)),
        fails("exists in east"),
        unclear("the server proves nothing", named(NXDOMAIN, control=False)),
        unclear("SILENCE", named(NameAnswer("SILENCE"))),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cleanup(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
