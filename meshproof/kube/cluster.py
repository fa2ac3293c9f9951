"""A running cluster: its nodes, its API, and programs run on the nodes themselves."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from meshproof.engine import Engine
from meshproof.kube import client
from meshproof.model import Cluster
from meshproof.process import Finished, Shell

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node: the container it is, its address, and the range its pods get addresses from."""

    container: str
    address: IPv4Address
    pods: IPv4Network
    control_plane: bool


class RunningCluster:
    """One cluster of a lab, up and Ready."""

    def __init__(self, spec: Cluster, kubeconfig: Path, engine: Engine) -> None:
        self.spec = spec
        self.kubeconfig = kubeconfig
        self._engine = engine

    @property
    def name(self) -> str:
        """The cluster's name in the topology, such as "east"."""
        return self.spec.name

    @property
    def shell(self) -> Shell:
        """Whose run this is: it records, and may be called off."""
        return self._engine.shell

    @cached_property
    def api(self) -> client.ApiClient:
        """A client of the cluster's API server, for the classes of ``kubernetes.client``."""
        configuration = client.Configuration()
        client.load_kube_config(str(self.kubeconfig), client_configuration=configuration)
        # The API server is on this machine: a proxy of the user's has no part in it. Not one
        # that cannot be used either, at which a client would already fail to be made.
        configuration.proxy = configuration.no_proxy = None
        api = client.ApiClient(configuration)
        api.rest_client.request = _bounded(api.rest_client.request)
        return api

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """Keys and authorities for connections to the API server that the client does not make;
        None where it is spoken to in plain text."""
        known = self.api.configuration
        if not known.host.startswith("https:"):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(known.ssl_ca_cert)
        if known.cert_file:
            context.load_cert_chain(known.cert_file, known.key_file)
        return context

    @cached_property
    def core(self) -> client.CoreV1Api:
        """The core API: pods, services, nodes, secrets."""
        return client.CoreV1Api(self.api)

    @cached_property
    def dynamic(self) -> client.DynamicClient:
        """A client for objects of any kind; what it learns of kinds is kept beside kubeconfig."""
        known = self.kubeconfig.with_suffix(".kinds.json")
        return client.DynamicClient(self.api, cache_file=str(known))

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, the control plane first. Their addresses are read, never assumed."""
        found = [_node(entry) for entry in self.core.list_node().items]
        return tuple(sorted(found, key=lambda node: (not node.control_plane, node.container)))

    @property
    def control_plane(self) -> Node:
        """The node that serves the API."""
        return self.nodes[0]

    def on_node(
        self,
        node: Node,
        *argv: str,
        input: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> Finished:
        """Run a program on a node, in the node's own namespaces."""
        return self._engine.exec(node.container, argv, input=input, check=check, timeout=timeout)

    def node_of(self, pod: client.V1Pod) -> Node:
        """The node that a pod runs on."""
        return next(node for node in self.nodes if node.container == pod.spec.node_name)

    def trouble(self) -> str:
        """What keeps pods from running, in one line: pod, reason, last log lines or message."""
        for pod in self.core.list_pod_for_all_namespaces(_request_timeout=10).items:
            for status in [*(pod.status.container_statuses or [])]:
                if status.ready or status.state is None:
                    continue
                waiting = status.state.waiting or status.state.terminated
                if waiting is not None:
                    told = f"{waiting.reason}: {waiting.message or ''}".strip(": ")
                    return f"pod {pod.metadata.namespace}/{pod.metadata.name}: {told}"
        return "no pod is in trouble"


def _bounded(request: Callable[..., Any]) -> Callable[..., Any]:
    """The client waits for ever by default, and an API server that hangs would hang the run."""

    def ask(*arguments: Any, **options: Any) -> Any:
        options["_request_timeout"] = options.get("_request_timeout") or _PATIENCE
        return request(*arguments, **options)

    return ask


def _node(entry: client.V1Node) -> Node:
    addresses = {address.type: address.address for address in entry.status.addresses}
    return Node(
        container=entry.metadata.name,
        address=IPv4Address(addresses["InternalIP"]),
        pods=IPv4Network(entry.spec.pod_cidr),
        control_plane="node-role.kubernetes.io/control-plane" in entry.metadata.labels,
    )
