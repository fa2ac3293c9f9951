"""Addresses of LoadBalancer Services: given once, moved, taken back, and never more than there
are."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kubernetes.client.exceptions import ApiException

from meshproof.errors import LabError
from meshproof.kube import Node, RunningCluster
from meshproof.kube.objects import Object
from meshproof.lab.addresses import LoadBalancerAddresses
from meshproof.lab.network.subnets import Subnet

SUBNET = Subnet(IPv4Network("172.30.1.0/24"))
FIRST, SECOND = SUBNET.load_balancers[:2]
NODE = Node("node", IPv4Address("172.30.1.2"), IPv4Network("10.10.0.0/16"), control_plane=True)


PORT = SimpleNamespace(name="tls", port=8443, target_port=15443)
SPEC = SimpleNamespace(selector={"istio": "eastwestgateway"}, ports=[PORT])


class Cluster:
    """A node that has the addresses that it is given, and an API that notes what Services are
    told. ``gone``: the status with which the API refuses; ``services``: what it lists."""

    name = "east"
    control_plane = NODE

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.forgotten: list[str] = []
        self.told: list[tuple[str, str, object]] = []
        self.gone = 0
        self.services: list[Any] = []
        self.core = SimpleNamespace(
            patch_namespaced_service_status=self.patch,
            list_service_for_all_namespaces=lambda: SimpleNamespace(items=self.services),
            read_namespaced_service=lambda *_: SimpleNamespace(spec=SPEC),
        )

    def patch(self, service: str, namespace: str, body: Any) -> None:
        if self.gone:
            raise ApiException(status=self.gone)
        self.told.append((namespace, service, body["status"]["loadBalancer"]["ingress"]))

    def on_node(self, node: Node, *argv: str, check: bool = True) -> SimpleNamespace:
        if argv[:2] == ("ip", "address"):
            change = self.held.add if argv[2] == "replace" else self.held.discard
            change(argv[3].removesuffix("/32"))
        elif argv[0] == "conntrack":
            self.forgotten.append(argv[-1])
        # kube-proxy serves what the node has.
        return SimpleNamespace(stdout=" ".join(self.held))


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def addresses(cluster: Cluster, changes: list[str]) -> LoadBalancerAddresses:
    running = cast(RunningCluster, cluster)
    return LoadBalancerAddresses(running, SUBNET, lambda: changes.append("changed"))


def test_a_service_gets_the_address_that_was_reserved_for_it_and_keeps_it(
    cluster: Cluster, addresses: LoadBalancerAddresses, changes: list[str]
) -> None:
    assert addresses.reserve("sample", "gateway") == FIRST
    assert (addresses.given, cluster.held) == ((), set())
    assert addresses.give("sample", "gateway") == addresses.give("sample", "gateway") == FIRST
    assert cluster.held == {str(FIRST)}
    assert cluster.told == [("sample", "gateway", [{"ip": str(FIRST)}])]
    assert changes == ["changed"]
    assert addresses.reserve("sample", "gateway") == FIRST
    assert addresses.give("sample", "another") == SECOND


def test_a_moved_service_leaves_its_old_address_at_once(
    cluster: Cluster, addresses: LoadBalancerAddresses, changes: list[str]
) -> None:
    addresses.give("sample", "gateway")
    assert addresses.move("sample", "gateway") == SECOND
    assert (cluster.held, cluster.forgotten) == ({str(SECOND)}, [str(FIRST)])
    assert (addresses.given, len(changes)) == ((SECOND,), 2)


def test_what_has_no_address_is_not_moved(addresses: LoadBalancerAddresses) -> None:
    with pytest.raises(LabError, match="sample/gateway has no address that could be moved"):
        addresses.move("sample", "gateway")


@pytest.mark.parametrize("gone", [0, 404], ids=["the Service is there", "the Service is gone"])
def test_an_address_is_taken_back(
    gone: int, cluster: Cluster, addresses: LoadBalancerAddresses
) -> None:
    addresses.give("sample", "gateway")
    cluster.gone = gone
    addresses.take_back("sample", "gateway")
    assert (cluster.held, addresses.given) == (set(), ())
    assert cluster.told[1:] == ([] if gone else [("sample", "gateway", [])])


def test_taking_back_what_was_never_given_changes_nothing(
    addresses: LoadBalancerAddresses, changes: list[str]
) -> None:
    addresses.reserve("sample", "gateway")
    addresses.take_back("sample", "gateway")
    assert changes == []
    assert addresses.reserve("sample", "another") == FIRST


def test_all_of_a_namespace_is_taken_back_and_nothing_else(
    cluster: Cluster, addresses: LoadBalancerAddresses
) -> None:
    addresses.give("istio-system", "gateway")
    addresses.reserve("istio-system", "istiod-internal-1-31-0")
    kept = addresses.give("sample", "gateway")
    addresses.take_all_back("istio-system")
    assert (cluster.held, addresses.given) == ({str(kept)}, (kept,))
    assert addresses.reserve("sample", "another") == FIRST


def test_a_refusal_of_the_api_is_not_hidden(
    cluster: Cluster, addresses: LoadBalancerAddresses
) -> None:
    addresses.give("sample", "gateway")
    cluster.gone = 500
    with pytest.raises(ApiException):
        addresses.take_back("sample", "gateway")


def test_a_pool_that_is_used_up_is_said(addresses: LoadBalancerAddresses) -> None:
    for number in range(len(SUBNET.load_balancers)):
        addresses.reserve("sample", f"service-{number}")
    with pytest.raises(LabError, match="cluster east has no load balancer address left"):
        addresses.reserve("sample", "one-more")


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> dict[str, Object]:
    """The Services that are there beside those that are announced, by name."""
    there: dict[str, Object] = {}

    def make(_: object, made: list[Object]) -> None:
        there.update({one["metadata"]["name"]: one for one in made})

    def end(_: object, ended: list[Object]) -> None:
        for one in ended:
            del there[one["metadata"]["name"]]

    monkeypatch.setattr("meshproof.lab.addresses.apply", make)
    monkeypatch.setattr("meshproof.lab.addresses.delete", end)
    return there


def test_a_service_that_is_announced_by_name_has_its_address_in_another_one(
    cluster: Cluster, addresses: LoadBalancerAddresses, objects: dict[str, Object]
) -> None:
    assert addresses.give_by_name("sample", "gateway") == "172-30-1-200.lb.example"
    assert (addresses.given, cluster.held) == ((FIRST,), {str(FIRST)})
    assert cluster.told == [
        ("sample", "gateway-address", [{"ip": str(FIRST)}]),
        ("sample", "gateway", [{"hostname": "172-30-1-200.lb.example"}]),
    ]
    assert objects["gateway-address"]["spec"] == {
        "type": "LoadBalancer",
        "selector": {"istio": "eastwestgateway"},
        "ports": [{"name": "tls", "port": 8443, "targetPort": 15443}],
    }


def test_a_service_that_is_announced_by_name_gets_another_name_when_it_moves(
    cluster: Cluster, addresses: LoadBalancerAddresses, objects: dict[str, Object]
) -> None:
    addresses.give_by_name("sample", "gateway")
    addresses.move("sample", "gateway")
    assert cluster.told[2:] == [
        ("sample", "gateway-address", [{"ip": str(SECOND)}]),
        ("sample", "gateway", [{"hostname": "172-30-1-201.lb.example"}]),
    ]
    addresses.take_back("sample", "gateway")
    assert (objects, addresses.given) == ({}, ())
    assert cluster.told[-1] == ("sample", "gateway", [])


def service(name: str, *ips: str, held_for: str = "") -> SimpleNamespace:
    """A Service as the API lists it."""
    ingress = [SimpleNamespace(ip=one) for one in ips] or None
    labels = {"meshproof.io/address-of": held_for} if held_for else None
    metadata = SimpleNamespace(namespace="sample", name=name, labels=labels)
    return SimpleNamespace(
        metadata=metadata, status=SimpleNamespace(load_balancer=SimpleNamespace(ingress=ingress))
    )


def test_a_kept_labs_addresses_are_read_and_put_back_on_the_node(
    cluster: Cluster, addresses: LoadBalancerAddresses
) -> None:
    cluster.services = [service("gateway", str(SECOND)), service("none"), service("x", "192.0.2.1")]
    addresses.adopt()
    assert addresses.given == (SECOND,)
    addresses.restore()
    assert cluster.held == {str(SECOND)}
    assert addresses.give("sample", "gateway") == SECOND


def test_a_kept_lab_knows_which_services_are_announced_by_name(
    cluster: Cluster, addresses: LoadBalancerAddresses, objects: dict[str, Object]
) -> None:
    named = service("gateway")
    named.status.load_balancer.ingress = [SimpleNamespace(ip=None)]
    cluster.services = [named, service("gateway-address", str(SECOND), held_for="gateway")]
    addresses.adopt()
    assert addresses.give_by_name("sample", "gateway") == "172-30-1-201.lb.example"
    addresses.move("sample", "gateway")
    assert cluster.told[-1] == ("sample", "gateway", [{"hostname": "172-30-1-200.lb.example"}])
