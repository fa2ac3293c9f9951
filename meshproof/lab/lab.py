"""The lab of kind clusters: each on a network of its own, and the router between them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from ipaddress import IPv4Network
from pathlib import Path
from typing import ClassVar

from meshproof.artifacts import MachineArtifacts
from meshproof.engine import Engine
from meshproof.engine.engine import RUN_LABEL, STATE_LABEL
from meshproof.errors import LabError, UsageError
from meshproof.events import Recorder
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.dns import await_dns
from meshproof.kube.seam import lab_errors
from meshproof.lab.addresses import LoadBalancerAddresses
from meshproof.lab.base import Lab
from meshproof.lab.found import MENDED, say
from meshproof.lab.kind import Kind
from meshproof.lab.machine import RunningMachine, machine_container, start_machine
from meshproof.lab.needs import check_programs
from meshproof.lab.network.counters import Counters
from meshproof.lab.network.host import dropped_by_host, seal
from meshproof.lab.network.router import Router, load_testcontainers
from meshproof.lab.network.rules import Bridge
from meshproof.lab.network.subnets import Leases, Subnet, networks_in_use
from meshproof.lab.nodes import lead_to_router, node_counters
from meshproof.lab.ownership import Claim, Description, new_id, object_name, real_state_dir
from meshproof.lab.plumbing import amiss, look
from meshproof.lab.remove import remove_lab
from meshproof.lab.restart import await_return, put_back
from meshproof.lab.wired import (
    apply_at_router,
    lead_machines,
    lead_nodes,
    meet_router_again,
    wire,
    write_all_rules,
)
from meshproof.model import Capability, Cluster, Footprint, Site, Wiring, isolated
from meshproof.model.addresses import pool_of
from meshproof.process import RUN_VARIABLE, Shell, side_by_side


@dataclass(frozen=True)
class Ingredients:
    """What a lab is made with: the engine, and where the artifacts are.

    ``pool``: the range that was named for its networks; None for the first that is free;
    ``machines``: what machines are made of, and Istio for them; None where there are none.
    """

    engine: Engine
    node_image: str
    kind: Path
    recorder: Recorder
    pool: IPv4Network | None = None
    machines: MachineArtifacts | None = None


class KindLab(Lab):
    """Made by ``create`` or ``adopt``; as a context manager it is removed at the end.

    Not for use from several threads at once, except where a method says so.
    """

    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)

    def __init__(self, claim: Claim, footprint: Footprint, made_with: Ingredients) -> None:
        self.claim = claim
        self.footprint = footprint
        self.engine = made_with.engine
        self.recorder = made_with.recorder
        self.engine.shell.env = {**self.engine.shell.env, RUN_VARIABLE: claim.id}
        self.wiring = isolated()
        self.clusters: dict[str, RunningCluster] = {}
        self._addresses: dict[str, LoadBalancerAddresses] = {}
        self.machines: dict[str, RunningMachine] = {}
        self.kept = False
        self._created = time.time()
        # What its networks were taken from: the range that was named, or the one that was found.
        self._taken_from = ""
        self._made_with = made_with
        self._kind = Kind(made_with.kind, self.engine, self.recorder, claim.id)
        self.networks = {name: object_name(claim.id, name) for name in footprint.places}

    # --- making and ending

    @classmethod
    def create(cls, footprint: Footprint, made_with: Ingredients, wiring: Wiring) -> KindLab:
        """Bring up all clusters side by side, the router, and the wiring.

        Raises LabError (nothing is left then), ModelError when the wiring cannot exist on
        this footprint, or the pool overlaps its ranges, LabError when programs are missing
        (nothing has been created then).
        """
        wiring.check(footprint)
        if made_with.pool is not None:
            footprint.check_clear_of(made_with.pool)
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
            lab.shell.cancel()
            lab.remove()
            raise
        return lab

    @classmethod
    def adopt(
        cls, claim: Claim, footprint: Footprint, made_with: Ingredients, wiring: Wiring
    ) -> KindLab:
        """Take over a kept lab and wire it; where it is wired so already, open flows go on.

        What a restart of this machine or of the lab's containers has taken away, or anybody has
        changed of what the lab itself is made of, is put right first, and said. Raises UsageError
        when it is made of other clusters than ``footprint``, LabError when another process uses
        it, or when it does not come back.
        """
        claim.take()
        about = claim.read()
        image, version = made_with.node_image, str(footprint.kubernetes)
        sites = {one.name: one.beside for one in footprint.machines}
        same = about is not None and about.digests == footprint.digests and about.sites == sites
        if about is None or not same or about.node_image != image:
            claim.release()
            names = ", ".join((*footprint.names, *sites))
            what = f"{names} with Kubernetes {version} and image {image}"
            raise UsageError(f"lab {claim.id} is not made of {what}", "see 'meshproof status'")
        lab = cls(claim, footprint, made_with)
        lab.kept, lab._created, lab._taken_from = True, about.created, about.pool
        try:
            with lab_errors(f"take over lab {claim.id}"):
                for spec in footprint.clusters:
                    lab._add(RunningCluster(spec, lab.kubeconfig(spec.name), lab.engine))
                for name in sites:
                    container = machine_container(claim.id, name)
                    lab.machines[name] = RunningMachine(name, container, lab.engine)
                lab._put_right(about, wiring)
        except BaseException:
            claim.release()
            raise
        return lab

    def _put_right(self, about: Description, wiring: Wiring) -> None:
        """Mend what the lab itself is made of, wire it, and say what was not as it should be."""
        before = self._look(about)
        self.seal()
        restarted = put_back(self, about)
        lead_nodes(self)
        rewired = about.wiring != wiring.name
        as_left = not rewired and not restarted
        if as_left:
            write_all_rules(self, wiring)
            self.wiring = wiring
        else:
            self.rewire(wiring)
        await_return(self, restarted)
        wrong = amiss(before, self._look(about), rewired=rewired)
        say(self, MENDED, wrong)
        if as_left and wrong:
            self.rewire(wiring)  # no flow goes on that began under other rules

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

    # --- using

    @property
    def shell(self) -> Shell:
        """What starts this lab's programs; called off when a step beside others fails."""
        return self.engine.shell

    def on_nodes(self, shell: Shell) -> Engine:
        """The engine, for a shell that is not this lab's own."""
        return type(self.engine)(shell)

    @property
    def addresses(self) -> dict[str, LoadBalancerAddresses]:
        """By cluster, who gives its LoadBalancer Services their addresses."""
        return self._addresses

    def is_made_of(self, footprint: Footprint) -> bool:
        """Whether its clusters are made as these are to be."""
        return self.footprint == footprint

    @property
    def machine_artifacts(self) -> MachineArtifacts:
        """What machines are made of, and Istio for them. Raises LabError where nobody provided
        it."""
        found = self._made_with.machines
        if found is None:
            raise LabError(f"lab {self.id} was not made with what machines are made of")
        return found

    @cached_property
    def subnets(self) -> dict[str, Subnet]:
        """The subnet of each network, by its place."""
        return dict(zip(self.footprint.places, Leases().of(self.id), strict=True))

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
            wire(self, wiring)
        seconds = time.monotonic() - begin
        self.wiring = wiring
        self._write_down(ready=True)
        return seconds

    def write_rules(self) -> None:
        """Write the rules of all nodes again, as they are wired; what is open stays so."""
        write_all_rules(self, self.wiring)

    def lose(self, cluster: str) -> None:
        """Remove the nodes of a cluster with all that they hold, as a disaster would. It is no use
        until ``remake``. Raises CommandError."""
        nodes = [node.container for node in self.clusters[cluster].nodes]
        self.engine.remove_containers(nodes)

    def remake(self, cluster: str) -> None:
        """Create a cluster that was lost anew, on its network and wired as before, with nothing in
        it; who had it, its addresses or its API server's has to look for them again. Raises
        LabError when it does not come up."""
        spec = next(one for one in self.footprint.clusters if one.name == cluster)
        with lab_errors(f"make cluster {cluster} anew"):
            self._create_cluster(spec)
            self.rewire(self.wiring)
        self.await_dns()

    def machines_moved(self) -> None:
        """Machines have other addresses: rules say so, and what is written down of this lab; open
        flows go on."""
        self.write_rules()
        self._write_down(ready=True)

    def _look(self, about: Description) -> dict[str, str]:
        """What the parts of a kept lab say now."""
        nodes = {node: name for name, found in about.nodes.items() for node in found}
        return look(self.engine, self.id, self.router.container, nodes)

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
        found = [node_counters(cluster) for cluster in self.clusters.values()]
        return sum(found, self.router.counters())

    @contextmanager
    def without_router(self) -> Iterator[None]:
        """The router is stopped inside the block; afterwards it is back, wired as before."""
        self.router.stop()
        try:
            yield
        finally:
            self.router.restart()
            apply_at_router(self, self.wiring)
            meet_router_again(self)

    # --- bringing up

    def _bring_up(self) -> None:
        shell = self.engine.shell
        with self.recorder.step("lease subnets and make networks"):
            known = [subnet for network in self.engine.networks() for subnet in network.subnets]
            pool = self._made_with.pool
            taken = [*known, *self.footprint.ranges, *networks_in_use(shell, pool)]
            Leases().take(self.id, len(self.networks), taken, pool)
            used = pool_of((one.network for one in self.subnets.values()), pool)
            self._taken_from = "" if used is None else str(used)
            for name, network in self.networks.items():
                subnet = self.subnets[name]
                labels = {RUN_LABEL: self.id, STATE_LABEL: str(real_state_dir())}
                self.engine.create_network(network, subnet.network, subnet.containers, labels)
            self.seal()
        load_testcontainers()  # while no other thread needs this process's environment
        todo = [self._start_router]
        todo += [partial(self._create_cluster, spec) for spec in self.footprint.clusters]
        todo += [partial(self._start_machine, site) for site in self.footprint.machines]
        side_by_side(shell, lambda make: make(), todo)
        lead_machines(self)

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
            lead_to_router(cluster, self.subnets[spec.name])

    def _start_machine(self, site: Site) -> None:
        with self.recorder.step(f"start machine {site.name}"):
            image, network = self.machine_artifacts.image, self.networks[site.beside]
            started = start_machine(self.engine, self.id, site.name, image, network)
            self.machines[site.name] = started

    def _add(self, cluster: RunningCluster) -> None:
        self.clusters[cluster.name] = cluster
        self._addresses[cluster.name] = LoadBalancerAddresses(
            cluster,
            self.subnets[cluster.name],
            lambda: apply_at_router(self, self.wiring),
        )

    def _bridges(self) -> list[Bridge]:
        devices = {network.name: network.bridge for network in self.engine.networks()}
        return [
            Bridge(devices[self.networks[name]], self.subnets[name].host)
            for name in self.footprint.places
        ]

    def _write_down(self, *, ready: bool) -> None:
        subnets = self.subnets if ready else {}  # they are leased when the id is written down
        self.claim.write(
            Description(
                id=self.id,
                engine=self.engine.name,
                created=self._created,
                owner=os.getpid(),
                kubernetes=str(self.footprint.kubernetes),
                footprint=self.footprint.kind_configs,
                digests=self.footprint.digests,
                networks=self.networks,
                node_image=self._made_with.node_image,
                wiring=self.wiring.name,
                kept=self.kept,
                ready=ready,
                subnets={name: str(subnet.network) for name, subnet in subnets.items()},
                nodes={
                    name: {node.container: str(node.address) for node in cluster.nodes}
                    for name, cluster in self.clusters.items()
                },
                pool=self._taken_from,
                sites={one.name: one.beside for one in self.footprint.machines},
                machines={name: str(one.address) for name, one in self.machines.items()},
            )
        )
