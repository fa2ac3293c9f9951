"""What the lab writes into the nodes of a cluster: each other's names, routes, and nft rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address

from meshproof.engine import Engine
from meshproof.engine.engine import KIND_LABEL
from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.lab.network.counters import Counters, parse
from meshproof.lab.network.rules import TABLE, node_rules, routes
from meshproof.lab.network.subnets import Subnet
from meshproof.model import Cluster
from meshproof.wait import eventually


def introduce_when_there(
    engine: Engine, kind_name: str, count: int, within: float, given_up: Callable[[], str | None]
) -> None:
    """Wait until all ``count`` nodes that kind makes for a cluster run, and let them find each
    other by name.

    ``kind_name``: what kind calls the cluster; ``within``: seconds; ``given_up``: why there is
    no use in waiting, if there is none. Raises WaitTimeoutError, WaitFailedError.
    """
    found = eventually(
        lambda: _running(engine, kind_name),
        until=lambda names: len(names) >= count,
        fail_if=lambda names: given_up() if len(names) < count else None,
        what=f"{count} nodes of {kind_name}",
        within=within,
        every=0.5,
    )
    introduce(engine, {name: node_address(engine, name) for name in found})


def introduce(engine: Engine, nodes: Mapping[str, IPv4Address]) -> None:
    """Write the names of a cluster's nodes into each one's /etc/hosts, where they are not there
    yet: no name server answers.

    This must come before kubeadm's join. kubelet and kube-proxy know the API server by its name
    alone, and kube-proxy's pod gets a copy of the node's file when it starts: written later, no
    Service is ever translated on that node.
    """
    lines = "".join(f"{address} {name}\n" for name, address in nodes.items())
    add = 'grep -qxF "$line" /etc/hosts || echo "$line" >> /etc/hosts'
    for name in nodes:
        engine.exec(name, ["sh", "-c", f"while read -r line; do {add}; done"], input=lines)


def node_address(engine: Engine, container: str) -> IPv4Address:
    """A node's own address, as its network has it. Raises LabError when it has none."""
    listed = engine.exec(
        container, ["ip", "-j", "-4", "address", "show", "dev", "eth0"], check=False
    )
    links = json.loads(listed.stdout) if listed.returncode == 0 and listed.stdout.strip() else []
    for address in (one for link in links for one in link.get("addr_info", ())):
        if address["prefixlen"] < 32:  # LoadBalancer Services have the others
            return IPv4Address(address["local"])
    raise LabError(f"container {container} has no address on its network")


def lead_to_router(cluster: RunningCluster, subnet: Subnet) -> None:
    """Make the router the way out of all nodes, and each node the way to its own pods."""
    for node in cluster.nodes:
        siblings = {one.pods: one.address for one in cluster.nodes if one is not node}
        script = "while ip route delete default 2>/dev/null; do :; done\n"
        script += f"ip route add default via {subnet.router}\n"
        script += f"ip -batch - <<'ROUTES'\n{routes(siblings)}ROUTES\n"
        # Whoever inherits the node's resolv.conf must find no name server either.
        script += ": > /etc/resolv.conf\n"
        cluster.on_node(node, "sh", "-e", input=script)


def forget_router(cluster: RunningCluster) -> None:
    """Let nodes find the router anew, which has come back with other link addresses."""
    for node in cluster.nodes:
        cluster.on_node(node, "ip", "neighbour", "flush", "all")


def wire_nodes(
    cluster: RunningCluster,
    flat: Iterable[Cluster],
    others: Iterable[Cluster],
    machines: Sequence[IPv4Address] = (),
) -> None:
    """Let pods keep their address towards ``flat``, and end what was open to ``others``.
    ``machines``: the addresses of those on the cluster's network."""
    peers = list(flat)
    apart = [other.pods for other in others if not other.overlaps(cluster.spec)]
    # Only flows with other clusters end here. Those inside would not end but hang: the watches
    # of CoreDNS and others, translated by kube-proxy, would go on unanswered for half a minute.
    ends = [
        f"conntrack -D {way} {pods} 2>/dev/null || true" for pods in apart for way in ("-s", "-d")
    ]
    for node in cluster.nodes:
        rules = node_rules(cluster.spec, node.pods, peers, machines)
        script = f"nft -f - <<'RULES'\n{rules}RULES\n" + "\n".join(ends) + "\n"
        cluster.on_node(node, "sh", "-e", input=script)


def write_rules(
    cluster: RunningCluster, flat: Iterable[Cluster], machines: Sequence[IPv4Address] = ()
) -> None:
    """Let pods keep their address towards ``flat``, as ``wire_nodes`` does; what is open stays."""
    peers = list(flat)
    for node in cluster.nodes:
        rules = node_rules(cluster.spec, node.pods, peers, machines)
        cluster.on_node(node, "nft", "-f", "-", input=rules)


def node_counters(cluster: RunningCluster) -> Counters:
    """What a cluster's nodes have counted of the calls that stay inside it."""
    listing = ("nft", "-j", "list", "table", "ip", TABLE)
    found = [parse(cluster.on_node(node, *listing).stdout) for node in cluster.nodes]
    return sum(found, Counters())


def _running(engine: Engine, kind_name: str) -> list[str]:
    return sorted(
        one.name
        for one in engine.containers()
        if one.running and one.labels.get(KIND_LABEL) == kind_name
    )
