"""A lab: running clusters, each on a network of its own, and the router between them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from meshproof.engine import Engine
from meshproof.engine.engine import RUN_LABEL, STATE_LABEL
from meshproof.errors import UsageError
from meshproof.events import Recorder
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import await_dns
from meshproof.kube.seam import lab_errors
from meshproof.lab.addresses import LoadBalancerAddresses
from meshproof.lab.kind import Kind
from meshproof.lab.needs import check_programs
from meshproof.lab.network.counters import Counters, parse
from meshproof.lab.network.host import dropped_by_host, seal
from meshproof.lab.network.router import Router
from meshproof.lab.network.rules import TABLE, Bridge, Places, node_rules, routes
from meshproof.lab.network.subnets import Leases, Subnet, networks_in_use
from meshproof.lab.ownership import Claim, Description, new_id, object_name, real_state_dir
from meshproof.lab.remove import remove_lab
from meshproof.model import Cluster, Footprint, Wiring, isolated
from meshproof.process import RUN_VARIABLE, Shell, side_by_side


@dataclass(frozen=True)
class Ingredients:
    """What a lab is made with: the engine, and where the artifacts are."""

    engine: Engine
    node_image: str
    kind: Path
    recorder: Recorder


class Lab:
    """Made by ``create`` or ``adopt``; as a context manager it is removed at the end.

    Not for use from several threads at once, except where a method says so.
    """

    def __init__(self, claim: Claim, footprint: Footprint, made_with: Ingredients) -> None:
        self.claim = claim
        self.footprint = footprint
        self.engine = made_with.engine
        self.recorder = made_with.recorder
        self.engine.shell.env = {**self.engine.shell.env, RUN_VARIABLE: claim.id}
        self.wiring = isolated()
        self.clusters: dict[str, RunningCluster] = {}
        self.addresses: dict[str, LoadBalancerAddresses] = {}
        self.kept = False
        self._created = time.time()
        self._made_with = made_with
        self._kind = Kind(made_with.kind, self.engine, self.recorder, claim.id)
        self.networks = {name: object_name(claim.id, name) for name in footprint.names}

    # --- making and ending

    @classmethod
    def create(cls, footprint: Footprint, made_with: Ingredients, wiring: Wiring) -> Lab:
        """Bring up all clusters side by side, the router, and the wiring.

        Raises LabError (nothing is left then), ModelError when the wiring cannot exist on
        this footprint, LabError when programs are missing (nothing has been created then).
        """
        wiring.check(footprint)
        check_programs(made_with.engine)
        claim = Claim(new_id())
        lab = cls(claim, footprint, made_with)
        claim.take()
        try:
            lab._write_down(ready=False)
            with lab_errors("bring up the lab"):
                lab._bring_up()
            lab.rewire(wiring)
        except BaseException:
            lab.engine.shell.cancel()
            lab.remove()
            raise
        return lab

    @classmethod
    def adopt(
        cls, claim: Claim, footprint: Footprint, made_with: Ingredients, wiring: Wiring
    ) -> Lab:
        """Take over a kept lab and wire it; where it is wired so already, open flows go on.

        Raises UsageError when it is made of other clusters than ``footprint``, LabError when
        another process uses it or its router does not run.
        """
        claim.take()
        about = claim.read()
        image, version = made_with.node_image, str(footprint.kubernetes)
        if about is None or about.footprint != footprint.kind_configs or about.node_image != image:
            claim.release()
            what = f"{', '.join(footprint.names)} with Kubernetes {version} and image {image}"
            raise UsageError(f"lab {claim.id} is not made of {what}", "see 'meshproof status'")
        lab = cls(claim, footprint, made_with)
        lab.kept, lab._created = True, about.created
        try:
            with lab_errors(f"take over lab {claim.id}"):
                for spec in footprint.clusters:
                    lab._add(RunningCluster(spec, lab.kubeconfig(spec.name), lab.engine))
                lab.router.adopt()
                for addresses in lab.addresses.values():
                    addresses.adopt()
                lab.seal()
                if about.wiring == wiring.name:
                    lab.router.apply(lab._places(), wiring)
                    lab.wiring = wiring
                else:
                    lab.rewire(wiring)
        except BaseException:
            claim.release()
            raise
        return lab

    def await_dns(self) -> None:
        """Wait until every cluster's DNS serves names: it comes up after the nodes are ready.

        Raises LabError that names the pod at fault.
        """
        with self.recorder.step("wait for the clusters' DNS"):
            shell = self.engine.shell
            running = self.clusters.values()
            side_by_side(shell, lambda one: await_dns(one, shell, self.recorder), running)

    def keep(self) -> None:
        """Leave this lab in place when its owner ends; `meshproof down` removes it."""
        self.kept = True
        self._write_down(ready=True)

    def remove(self) -> None:
        """Remove all that belongs to this lab, and verify that nothing is left.

        An interruption meanwhile is heeded only when that is done.
        """
        with self.recorder.step("remove the lab", lab=self.id):
            try:
                remove_lab(type(self.engine)(Shell(self.recorder)), self.claim)
            except KeyboardInterrupt:
                remove_lab(type(self.engine)(Shell(self.recorder)), self.claim)
                raise

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        if self.kept:
            self.claim.release()
        else:
            self.remove()

    # --- using

    @property
    def id(self) -> str:
        """Eight hexadecimal digits, part of every name that belongs to this lab."""
        return self.claim.id

    @cached_property
    def subnets(self) -> dict[str, Subnet]:
        """The subnet of each cluster's network."""
        return dict(zip(self.footprint.names, Leases().of(self.id), strict=True))

    @cached_property
    def router(self) -> Router:
        """The only path between the clusters."""
        networks = {name: (self.networks[name], self.subnets[name]) for name in self.networks}
        return Router(self.engine, self.id, self.footprint, networks)

    def kubeconfig(self, cluster: str) -> Path:
        """The file to reach a cluster by from this machine."""
        return self.claim.folder / f"{cluster}.kubeconfig"

    def rewire(self, wiring: Wiring) -> float:
        """Let through what ``wiring`` says and end open flows; returns the seconds it took."""
        wiring.check(self.footprint)
        begin = time.monotonic()
        with self.recorder.step("wire the clusters", wiring=wiring.name):
            actions: list[Callable[[], None]] = [lambda: self._wire_router(wiring)]
            for cluster in self.clusters.values():
                others = [
                    self.footprint[one] for one in self.footprint.names if one != cluster.name
                ]
                flat = [other for other in others if wiring.is_flat(cluster.name, other.name)]
                actions.append(partial(_wire_nodes, cluster, flat, others))
            side_by_side(self.engine.shell, lambda action: action(), actions)
        seconds = time.monotonic() - begin
        self.wiring = wiring
        self._write_down(ready=True)
        return seconds

    def _wire_router(self, wiring: Wiring) -> None:
        self.router.apply(self._places(), wiring)
        self.router.end_flows()

    def seal(self) -> None:
        """Write the host's rules of this lab anew."""
        seal(self.engine.shell, self.id, self._bridges())

    def dropped_by_host(self) -> int:
        """Packets from or between the lab's bridges that the host was asked to forward so far.

        Raises LabError when the host's rules are gone.
        """
        return dropped_by_host(self.engine.shell, self.id)

    def counters(self) -> Counters:
        """What router and nodes have counted so far; subtract two to learn what passed between."""
        found = [_node_counters(cluster) for cluster in self.clusters.values()]
        return sum(found, self.router.counters())

    @contextmanager
    def without_router(self) -> Iterator[None]:
        """The router is stopped inside the block; afterwards it is back, wired as before."""
        self.router.stop()
        try:
            yield
        finally:
            self.router.restart()
            self.router.apply(self._places(), self.wiring)
            for cluster in self.clusters.values():
                for node in cluster.nodes:  # the router has come back with other link addresses
                    cluster.on_node(node, "ip", "neighbour", "flush", "all")

    def _places(self) -> dict[str, Places]:
        return {
            name: Places(
                device=self.router.devices[name],
                nodes=tuple(node.address for node in cluster.nodes),
                api=(cluster.control_plane.address,),
                gateways=self.addresses[name].given,
                routes=self._routes_to(cluster),
            )
            for name, cluster in self.clusters.items()
        }

    def _routes_to(self, cluster: RunningCluster) -> dict[IPv4Network, IPv4Address]:
        """How the router reaches a cluster's pods and Services; not where addresses are twofold."""
        if any(cluster.name in pair for pair in self.footprint.overlapping()):
            return {}
        pods = {node.pods: node.address for node in cluster.nodes}
        return {**pods, cluster.spec.services: cluster.control_plane.address}

    # --- bringing up

    def _bring_up(self) -> None:
        shell = self.engine.shell
        names = len(self.footprint.names)
        with self.recorder.step("lease subnets and make networks"):
            taken = [subnet for network in self.engine.networks() for subnet in network.subnets]
            Leases().take(self.id, names, [*taken, *networks_in_use(shell)])
            multi_node = any(cluster.nodes > 1 for cluster in self.footprint.clusters)
            for name, network in self.networks.items():
                subnet = self.subnets[name]
                self.engine.create_network(
                    network,
                    subnet.network,
                    subnet.containers,
                    {RUN_LABEL: self.id, STATE_LABEL: str(real_state_dir())},
                    names=multi_node,
                )
            seal(shell, self.id, self._bridges(), names=multi_node)
        todo = [self._start_router]
        todo += [partial(self._create_cluster, spec) for spec in self.footprint.clusters]
        side_by_side(shell, lambda make: make(), todo)
        self.seal()

    def _start_router(self) -> None:
        with self.recorder.step("start the router"):
            self.router.start(self._made_with.node_image, self.claim.folder)

    def _create_cluster(self, spec: Cluster) -> None:
        with self.recorder.step(f"create cluster {spec.name}", cluster=spec.name):
            cluster = self._kind.create(
                spec,
                self._made_with.node_image,
                self.networks[spec.name],
                self.kubeconfig(spec.name),
            )
            self._add(cluster)
            gateway = str(self.subnets[spec.name].router)
            # Nodes of one cluster call each other by name, and no name server will answer.
            hosts = "".join(f"{node.address} {node.container}\n" for node in cluster.nodes)
            for node in cluster.nodes:
                siblings = {n.pods: n.address for n in cluster.nodes if n is not node}
                script = "while ip route delete default 2>/dev/null; do :; done\n"
                script += f"ip route add default via {gateway}\n"
                script += f"ip -batch - <<'ROUTES'\n{routes(siblings)}ROUTES\n"
                # Whoever inherits the node's resolv.conf must find no name server either.
                script += f": > /etc/resolv.conf\ncat >> /etc/hosts <<'HOSTS'\n{hosts}HOSTS\n"
                cluster.on_node(node, "sh", "-e", input=script)

    def _add(self, cluster: RunningCluster) -> None:
        self.clusters[cluster.name] = cluster
        self.addresses[cluster.name] = LoadBalancerAddresses(
            cluster,
            self.subnets[cluster.name],
            lambda: self.router.apply(self._places(), self.wiring),
        )

    def _bridges(self) -> list[Bridge]:
        devices = {network.name: network.bridge for network in self.engine.networks()}
        return [
            Bridge(devices[self.networks[name]], self.subnets[name].host)
            for name in self.footprint.names
        ]

    def _write_down(self, *, ready: bool) -> None:
        self.claim.write(
            Description(
                id=self.id,
                engine=self.engine.name,
                created=self._created,
                owner=os.getpid(),
                kubernetes=str(self.footprint.kubernetes),
                footprint=self.footprint.kind_configs,
                networks=self.networks,
                node_image=self._made_with.node_image,
                wiring=self.wiring.name,
                kept=self.kept,
                ready=ready,
            )
        )


def _wire_nodes(cluster: RunningCluster, flat: list[Cluster], others: list[Cluster]) -> None:
    rules = node_rules(cluster.spec, flat)
    apart = [other.pods for other in others if not other.overlaps(cluster.spec)]
    # Only flows with other clusters end here. Those inside would not end but hang: the watches
    # of CoreDNS and others, translated by kube-proxy, would go on unanswered for half a minute.
    ends = [
        f"conntrack -D {way} {pods} 2>/dev/null || true" for pods in apart for way in ("-s", "-d")
    ]
    script = f"nft -f - <<'RULES'\n{rules}RULES\n" + "\n".join(ends) + "\n"
    for node in cluster.nodes:
        cluster.on_node(node, "sh", "-e", input=script)


def _node_counters(cluster: RunningCluster) -> Counters:
    listing = ("nft", "-j", "list", "table", "ip", TABLE)
    found = [parse(cluster.on_node(node, *listing).stdout) for node in cluster.nodes]
    return sum(found, Counters())
