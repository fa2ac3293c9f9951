"""A running cluster: its nodes, its API, and programs run on the nodes themselves."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Protocol

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.foreign import Foreign
from meshproof.model import Capability, Cluster
from meshproof.process import Finished, Shell

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node: the container it is, its address, and the range its pods get addresses from."""

    container: str
    address: IPv4Address
    pods: IPv4Network
    control_plane: bool


class OnNodes(Protocol):
    """Who runs programs on nodes, as the engine does whose containers they are."""

    @property
    def shell(self) -> Shell:
        """Whose run this is."""

    def exec(
        self,
        container: str,
        argv: Sequence[str],
        *,
        input: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> Finished:
        """Run a program to its end, as ``Engine.exec``."""


class RunningCluster:
    """One cluster of a lab, up and Ready. ``foreign``: how it is dealt with where it is somebody
    else's, None for one that was made by us."""

    def __init__(
        self, spec: Cluster, kubeconfig: Path, engine: OnNodes, foreign: Foreign | None = None
    ) -> None:
        self.spec = spec
        self.kubeconfig = kubeconfig
        self.foreign = foreign
        self._engine = engine

    def by(self, engine: OnNodes) -> RunningCluster:
        """The same, with another to run programs on its nodes: of another shell, for example. Of
        what is known of it nothing is kept."""
        return RunningCluster(self.spec, self.kubeconfig, engine, self.foreign)

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
        context = self.foreign.context if self.foreign is not None else None
        return api_client(self.kubeconfig, context)

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """Keys and authorities for connections to the API server that the client does not make;
        None where it is spoken to in plain text."""
        known = self.api.configuration
        if not known.host.startswith("https:"):
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if known.ssl_ca_cert:
            context.load_verify_locations(known.ssl_ca_cert)
        else:  # a kubeconfig that names no authority means those that this machine knows
            context.load_default_certs()
        if not known.verify_ssl:  # as it says by insecure-skip-tls-verify
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if known.cert_file:
            context.load_cert_chain(known.cert_file, known.key_file)
        return context

    @cached_property
    def core(self) -> client.CoreV1Api:
        """The core API: pods, services, nodes, secrets."""
        return client.CoreV1Api(self.api)

    @cached_property
    def dynamic(self) -> client.DynamicClient:
        """A client for objects of any kind; what it learns of kinds is kept beside kubeconfig, or
        for a foreign cluster in its lab's folder."""
        known = self.kubeconfig.with_suffix(".kinds.json")
        if self.foreign is not None:
            known = self.foreign.folder / f"{self.name}.kinds.json"
        return client.DynamicClient(self.api, cache_file=str(known))

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, the control plane first. Their addresses are read, never assumed."""
        found = [_node(entry, self.spec) for entry in self.core.list_node().items]
        return tuple(sorted(found, key=lambda node: (not node.control_plane, node.container)))

    @property
    def control_plane(self) -> Node:
        """The node that serves the API; of a cluster whose control plane is on none, the first."""
        return self.nodes[0]

    @property
    def server(self) -> str:
        """The URL by which other clusters reach its API server."""
        if self.foreign is not None:
            return self.foreign.server
        return f"https://{self.control_plane.address}:6443"

    def chosen(self, context: str = "--context") -> list[str]:
        """What programs are told it by. ``context``: what a program calls that option."""
        words = ["--kubeconfig", str(self.kubeconfig)]
        return words if self.foreign is None else [*words, context, self.foreign.context]

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

    def check_changeable(self, what: str) -> None:
        """Raise LabError for a foreign cluster, of whose own parts none is changed, such as
        ``what``."""
        if self.foreign is not None:
            raise LabError(f"{what} of {self.name} is left alone: this {Capability.CLUSTERS.value}")

    def node_of(self, pod: client.V1Pod) -> Node:
        """The node that a pod runs on."""
        return next(node for node in self.nodes if node.container == pod.spec.node_name)

    def trouble(self) -> str:
        """What keeps pods from running, in one line: pod, reason, last log lines or message. Of a
        foreign cluster only pods of our own namespaces are looked at."""
        pods = self.core.list_pod_for_all_namespaces(_request_timeout=10).items
        known = self.foreign.namespaces if self.foreign is not None else None
        for pod in pods:
            if known is not None and pod.metadata.namespace not in known:
                continue
            for status in [*(pod.status.container_statuses or [])]:
                if status.ready or status.state is None:
                    continue
                waiting = status.state.waiting or status.state.terminated
                if waiting is not None:
                    told = f"{waiting.reason}: {waiting.message or ''}".strip(": ")
                    return f"pod {pod.metadata.namespace}/{pod.metadata.name}: {told}"
        return "no pod is in trouble"


def api_client(kubeconfig: Path, context: str | None = None) -> client.ApiClient:
    """A client of the API server that a context of a kubeconfig leads to, by default the current
    one, which is given up on when it hangs. Raises LabError for a kubeconfig that cannot be used,
    in words that hold nothing of it."""
    configuration = client.Configuration()
    try:
        client.load_kube_config(
            str(kubeconfig), context, configuration, temp_file_path=client.keys_folder()
        )
    except client.ConfigException as error:
        which = f"context {context} of {kubeconfig}" if context is not None else str(kubeconfig)
        raise LabError(f"{which} cannot be used: {str(error)[:200]}") from None
    # API servers are on this machine, or spoken to directly: a proxy of the user's has no part in
    # it. Not one that cannot be used either, at which a client would fail to be made.
    configuration.proxy = configuration.no_proxy = None
    api = client.ApiClient(configuration)
    api.rest_client.request = _bounded(api.rest_client.request)
    return api


def _bounded(request: Callable[..., Any]) -> Callable[..., Any]:
    """The client waits for ever by default, and an API server that hangs would hang the run."""

    def ask(*arguments: Any, **options: Any) -> Any:
        options["_request_timeout"] = options.get("_request_timeout") or _PATIENCE
        return request(*arguments, **options)

    return ask


def _node(entry: client.V1Node, of: Cluster) -> Node:
    """A node as its cluster describes it. Of one that names no range for its pods (its network
    plug-in gives them addresses in its own way) that is its cluster's. Raises LabError."""
    name, addresses = entry.metadata.name, entry.status.addresses
    inner = [
        one.address for one in addresses if one.type == "InternalIP" and ":" not in one.address
    ]
    if not inner:
        raise LabError(
            f"node {name} of {of.name} has no IPv4 address, and meshproof speaks no IPv6"
        )
    return Node(
        container=name,
        address=IPv4Address(inner[0]),
        pods=IPv4Network(entry.spec.pod_cidr) if entry.spec.pod_cidr else of.pods,
        control_plane="node-role.kubernetes.io/control-plane" in entry.metadata.labels,
    )
