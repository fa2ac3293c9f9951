"""The addresses of LoadBalancer Services that somebody else's load balancer hands out: late, and
each to a Service that is there alone. So a Service is made ahead of what will be behind it."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import IPv4Address, ip_address

from meshproof.errors import LabError, WaitTimeoutError
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, apply, read
from meshproof.kube.seam import lab_errors
from meshproof.lab.base import lacking
from meshproof.model import Capability
from meshproof.wait import eventually

WITHIN = 180.0
"""Seconds that a load balancer may take; those of clouds take one to two minutes."""
_PORT = 15012
"""What gateways and istiods have alike, so that whoever installs them takes the port over."""
_NOBODY = {"meshproof.io/reserved": "yes"}
_Key = tuple[str, str]


class LateAddresses:
    """The addresses of one cluster's LoadBalancer Services, each by (namespace, name).

    ``within``: seconds that are waited for one.
    """

    def __init__(self, cluster: RunningCluster, within: float = WITHIN) -> None:
        self._cluster = cluster
        self._within = within
        self._known: dict[_Key, IPv4Address] = {}

    @property
    def given(self) -> tuple[IPv4Address, ...]:
        """All addresses that were heard of."""
        return tuple(self._known.values())

    def reserve(self, namespace: str, service: str) -> IPv4Address:
        """The Service's address. One that is not there yet is made, with its namespace, for nobody:
        who installs what is behind it makes it its own, and the address stays.

        Raises LabError where no load balancer gives any, or gives a host name.
        """
        key = (namespace, service)
        if key not in self._known:
            if self._read(key) is None:
                self._make(key)
            self._known[key] = self._await(key)
        return self._known[key]

    def give(self, namespace: str, service: str) -> IPv4Address:
        """The address of a Service that is there. Raises LabError as ``reserve``."""
        key = (namespace, service)
        if key not in self._known:
            self._known[key] = self._await(key)
        return self._known[key]

    def give_by_name(self, namespace: str, service: str) -> str:
        """Raises LabError: how a load balancer announces itself is not ours to choose."""
        raise lacking(Capability.ASSIGNED_ADDRESSES)

    def move(self, namespace: str, service: str, to: IPv4Address | None = None) -> IPv4Address:
        """Raises LabError: addresses are not ours to move."""
        raise lacking(Capability.ASSIGNED_ADDRESSES)

    def take_back(self, namespace: str, service: str) -> None:
        """Forget it; the load balancer takes it back when its Service goes."""
        self._known.pop((namespace, service), None)

    def take_all_back(self, namespace: str) -> None:
        """The same for all Services of a namespace."""
        self._known = {key: one for key, one in self._known.items() if key[0] != namespace}

    def adopt(self) -> None:
        """Nothing is to be read: whoever asks for an address gets what its Service says."""

    def restore(self) -> None:
        """Nothing is to be given back: no node has the addresses by us."""

    def _read(self, key: _Key) -> client.V1Service | None:
        namespace, name = key
        with lab_errors(f"read Service {namespace}/{name} in {self._cluster.name}"):
            try:
                return self._cluster.core.read_namespaced_service(name, namespace)
            except client.ApiException as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                return None

    def _make(self, key: _Key) -> None:
        """Make a Service ahead, and its namespace only where that is not there: what it says once
        Istio is installed is to stay."""
        namespace, service = _reservation(key)
        there = read(self._cluster, namespace) is not None
        apply(self._cluster, [service] if there else [namespace, service])

    def _await(self, key: _Key) -> IPv4Address:
        called = f"Service {'/'.join(key)} of {self._cluster.name}"

        def said() -> tuple[str, str]:
            found = self._read(key)
            status = found.status.load_balancer if found is not None and found.status else None
            ingress = (status.ingress or []) if status is not None else []
            return (ingress[0].ip or "", ingress[0].hostname or "") if ingress else ("", "")

        try:
            address, host = eventually(
                said,
                until=any,
                what=f"an address of {called}",
                within=self._within,
                every=0.5,
                recorder=self._cluster.shell.recorder,
            )
        except WaitTimeoutError:
            raise LabError(
                f"no load balancer gave {called} an address within {self._within:.0f} s"
                f"{self._events(key)}",
                "see that the cluster has a load balancer with addresses left: 'kubectl describe "
                f"service -n {key[0]} {key[1]}'",
            ) from None
        if not address:
            raise LabError(
                f"the load balancer of {self._cluster.name} announces {called} by the host name "
                f"{host}, and this topology's gateways are announced by addresses",
                "let it announce addresses",
            )
        found = ip_address(address)
        if not isinstance(found, IPv4Address):
            raise LabError(f"{called} has the address {address}, and only IPv4 is spoken here")
        return found

    def _events(self, key: _Key) -> str:
        """What was said of a Service meanwhile, for an error; "" where nothing was."""
        namespace, name = key
        with lab_errors(f"read the events of Service {namespace}/{name}"):
            selector = f"involvedObject.kind=Service,involvedObject.name={name}"
            found = self._cluster.core.list_namespaced_event(namespace, field_selector=selector)
        said = [one.message for one in found.items if one.message]
        return f", and its last event is '{said[-1][:200]}'" if said else ""


def _reservation(key: _Key) -> list[Object]:
    namespace, name = key
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "type": "LoadBalancer",
                "selector": _NOBODY,
                "ports": [{"name": "reserved", "port": _PORT, "targetPort": _PORT}],
            },
        },
    ]
