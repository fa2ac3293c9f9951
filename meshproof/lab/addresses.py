"""Gives LoadBalancer Services an address on their cluster's network, and moves it.

There is no load balancer controller in the lab: the node takes the address as one more of its
own and the Service's status names it; kube-proxy does the rest. The address is therefore known
at once, and moving it is how a gateway "gets a new address".

A Service may be announced by a host name, as a load balancer of AWS is: then its status names no
address, and kube-proxy, which serves those that a status names, is told by a second Service.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from ipaddress import IPv4Address

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import load_balancer_name
from meshproof.kube.objects import Object, apply, delete
from meshproof.kube.seam import lab_errors
from meshproof.lab.network.subnets import Subnet
from meshproof.wait import eventually

# Which Service another one holds the address of.
_HELD_FOR = "meshproof.io/address-of"
_Key = tuple[str, str]


class LoadBalancerAddresses:
    """The addresses of one cluster's LoadBalancer Services, each by (namespace, name).

    ``changed`` is called after every change, so that the router learns of it.
    """

    def __init__(
        self, cluster: RunningCluster, subnet: Subnet, changed: Callable[[], None]
    ) -> None:
        self._cluster = cluster
        self._pool = subnet.load_balancers
        self._changed = changed
        self._given: dict[_Key, IPv4Address] = {}
        self._reserved: dict[_Key, IPv4Address] = {}
        self._by_name: set[_Key] = set()

    @property
    def given(self) -> tuple[IPv4Address, ...]:
        """All addresses in use now."""
        return tuple(self._given.values())

    def reserve(self, namespace: str, service: str) -> IPv4Address:
        """The address that a Service will get from ``give``, before the Service exists.

        Raises LabError when the pool is used up.
        """
        key = (namespace, service)
        if key not in self._given and key not in self._reserved:
            self._reserved[key] = self._next()
        return self._given.get(key) or self._reserved[key]

    def give(self, namespace: str, service: str) -> IPv4Address:
        """Give a Service an address, and wait until kube-proxy serves it; a Service that has one
        keeps it.

        Raises LabError when the pool (50 addresses a cluster) is used up, ApiException when
        the Service does not exist.
        """
        key = (namespace, service)
        if key not in self._given:
            self._put(key, self.reserve(namespace, service))
            self._reserved.pop(key, None)
            self._changed()
        return self._given[key]

    def give_by_name(self, namespace: str, service: str) -> str:
        """As ``give``, but the Service's status names a host, which is returned: the DNS of every
        cluster of a lab knows its address. Raises LabError also when the Service does not exist."""
        key = (namespace, service)
        if key not in self._given:
            apply(self._cluster, [self._holder(key)])
            self._by_name.add(key)
        return load_balancer_name(self.give(namespace, service))

    def move(self, namespace: str, service: str, to: IPv4Address | None = None) -> IPv4Address:
        """Give a Service another address, by default the next that is free; the old one stops
        answering at once. Raises LabError when it has none."""
        key = (namespace, service)
        old = self._given.get(key)
        if old is None:
            raise LabError(f"Service {namespace}/{service} has no address that could be moved")
        new = to or self._next()
        self._drop(old)
        self._put(key, new)
        self._changed()
        return new

    def take_back(self, namespace: str, service: str) -> None:
        """Take a Service's address away, and out of its status; the Service may be gone already."""
        key = (namespace, service)
        self._reserved.pop(key, None)
        address = self._given.pop(key, None)
        if address is not None:
            self._drop(address)
            self._tell(key, [])
            if key in self._by_name:
                self._by_name.discard(key)
                delete(self._cluster, [_named(_holder_of(key))])
            self._changed()

    def take_all_back(self, namespace: str) -> None:
        """Take the addresses of all Services of a namespace away."""
        for key in {*self._given, *self._reserved}:
            if key[0] == namespace:
                self.take_back(*key)

    def adopt(self) -> None:
        """Read which addresses are given from the cluster itself (for a kept lab)."""
        for service in self._cluster.core.list_service_for_all_namespaces().items:
            for ingress in service.status.load_balancer.ingress or []:
                address = IPv4Address(ingress.ip) if ingress.ip else None
                if address in self._pool:
                    held_for = (service.metadata.labels or {}).get(_HELD_FOR)
                    key = (service.metadata.namespace, held_for or service.metadata.name)
                    self._given[key] = address
                    if held_for:
                        self._by_name.add(key)

    def restore(self) -> None:
        """Give the node the addresses back that it has lost, since it was started again."""
        for address in self._given.values():
            self._take(address)

    def _next(self) -> IPv4Address:
        used = {*self._given.values(), *self._reserved.values()}
        free = next((address for address in self._pool if address not in used), None)
        if free is None:
            raise LabError(f"cluster {self._cluster.name} has no load balancer address left")
        return free

    def _put(self, key: _Key, address: IPv4Address) -> None:
        by_name = key in self._by_name
        self._take(address)
        self._tell(_holder_of(key) if by_name else key, [{"ip": str(address)}])
        self._given[key] = address
        eventually(
            lambda: str(address) in self._served(),
            what=f"kube-proxy's service of {address} for {'/'.join(key)}",
            within=30,
            every=0.1,
        )
        if by_name:
            self._tell(key, [{"hostname": load_balancer_name(address)}])

    def _holder(self, key: _Key) -> Object:
        """A Service of the same pods and ports, which nothing but the lab knows of."""
        namespace, service = key
        with lab_errors(f"read Service {namespace}/{service} in {self._cluster.name}"):
            spec = self._cluster.core.read_namespaced_service(service, namespace).spec
        holder = _named(_holder_of(key))
        holder["metadata"]["labels"] = {_HELD_FOR: service}
        ports = [
            {"name": one.name, "port": one.port, "targetPort": one.target_port}
            for one in spec.ports
        ]
        return {
            **holder,
            "spec": {"type": "LoadBalancer", "selector": dict(spec.selector), "ports": ports},
        }

    def _take(self, address: IPv4Address) -> None:
        node = self._cluster.control_plane
        self._cluster.on_node(node, "ip", "address", "replace", f"{address}/32", "dev", "eth0")

    def _tell(self, key: _Key, ingress: list[dict[str, str]]) -> None:
        namespace, service = key
        status = {"status": {"loadBalancer": {"ingress": ingress}}}
        try:
            self._cluster.core.patch_namespaced_service_status(service, namespace, status)
        except client.ApiException as error:
            if ingress or error.status != HTTPStatus.NOT_FOUND:
                raise

    def _served(self) -> str:
        """What kube-proxy has written: it follows a changed status after a second or so."""
        rules = ("nft", "list", "table", "ip", "kube-proxy")
        return self._cluster.on_node(self._cluster.control_plane, *rules, check=False).stdout

    def _drop(self, address: IPv4Address) -> None:
        node = self._cluster.control_plane
        self._cluster.on_node(node, "ip", "address", "delete", f"{address}/32", "dev", "eth0")
        # Open connections would go on under conntrack's memory of the old address.
        self._cluster.on_node(node, "conntrack", "-D", "-d", str(address), check=False)


def _holder_of(key: _Key) -> _Key:
    """The Service that has the address of one which is announced by a host name."""
    namespace, service = key
    return namespace, f"{service}-address"


def _named(key: _Key) -> Object:
    namespace, name = key
    metadata: Object = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
