"""A mesh: a Deployment that is installed on a lab's clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from pathlib import Path

from meshproof.artifacts import Bundle
from meshproof.errors import MeshproofError
from meshproof.host.fleet import Fleet
from meshproof.kube import RunningCluster
from meshproof.kube.objects import apply, as_found
from meshproof.lab import Lab
from meshproof.mesh import manifests
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.contents import Contents
from meshproof.mesh.inventory import Inventory, take_inventory
from meshproof.mesh.machine_setup import clear_machine
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY
from meshproof.mesh.removal import remove_rest, stop_mesh
from meshproof.mesh.trust import Authority
from meshproof.model import Deployment, Member, Mtls, Topology
from meshproof.process import Shell, side_by_side


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """Where something is called: an address and a port."""

    address: IPv4Address
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settling:
    """How a mesh came to rest after its installation or a change. ``seconds``: how long it was
    waited for; ``missing``: what had not come about by then, in words, "" if nothing."""

    seconds: float
    missing: str

    @property
    def came_about(self) -> bool:
        """Whether every version answers every caller as it should."""
        return self.missing == ""


@dataclass
class Mesh:
    """A running Deployment. ``before``: what each cluster held when nothing was installed."""

    lab: Lab
    deployment: Deployment
    bundle: Bundle
    folder: Path
    before: Mapping[str, Inventory]
    roots: Mapping[str, Authority] = field(init=False, repr=False)
    dirty: str | None = None
    """What damaged it, if something did: whoever may change it installs it anew."""
    spoilt: str | None = None
    """The same of a mesh that is judged as it is all the same, since nobody may change it."""
    installed: dict[str, Contents] | None = None
    """By cluster, what its objects said when it was installed; None where nobody looked."""
    settling: Settling | None = None
    """How it came to rest when it was installed, turned to another mode, or found."""
    unmet: list[str] = field(default_factory=list)
    """What a test applied and waited for in vain: whatever passes then, it proves nothing."""
    standing: list[Callable[[], None]] = field(default_factory=list, repr=False)
    """How what several tests stand on is taken down, in the order in which it was set up."""
    fleet: Fleet | None = field(default=None, repr=False, compare=False)
    """What its host pushes it by; None where it is not pushed, or nobody asked for that yet."""
    whole: Mesh | None = field(default=None, repr=False, compare=False)
    """What this is a part of; None where it is all of a mesh."""

    def __post_init__(self) -> None:
        names = dict.fromkeys(map(self.deployment.root_of, self.deployment.topology.meshed))
        self.roots = {name: Authority.root(f"{name} root") for name in names}

    @classmethod
    def begin(cls, lab: Lab, deployment: Deployment, bundle: Bundle, folder: Path) -> Mesh:
        """Note what a lab's clusters hold before anything is installed.

        ``folder``: where the configurations given to istioctl are kept. Raises LabError.
        """
        running = lab.clusters.values()
        found = side_by_side(lab.shell, take_inventory, running)
        before = dict(zip(lab.clusters, found, strict=True))
        return cls(lab, deployment, bundle, folder, before)

    def open_gateway(self, member: Member) -> None:
        """Give a cluster's east-west gateway, whose Service is there, its address, by which it is
        announced, or by the name of it. Raises LabError."""
        if member.gateway is None:
            return
        addresses = self.lab.addresses[member.name]
        give = addresses.give_by_name if member.gateway.hostname else addresses.give
        give(SYSTEM, GATEWAY)

    # --- what suites ask

    def cluster(self, name: str) -> RunningCluster:
        """The running cluster of that name."""
        return self.lab.clusters[name]

    def gateway(self, cluster: str) -> IPv4Address | None:
        """The address of a cluster's own east-west gateway; None where there is none."""
        if self.deployment.topology[cluster].gateway is None:
            return None
        return self.lab.addresses[cluster].reserve(SYSTEM, GATEWAY)

    def ways_to(self, cluster: str) -> dict[str, Way]:
        """How a cluster is reached from other networks: the addresses and ports of the gateways
        that lead to it, by the clusters that these are in."""
        return {
            member.name: Way(self.lab.addresses[member.name].reserve(SYSTEM, GATEWAY), gateway.port)
            for member in self.deployment.gateways_to(cluster)
            if (gateway := member.gateway) is not None
        }

    def way_to_istiod(self, cluster: str) -> IPv4Address:
        """Where machines outside Kubernetes reach the istiod of a cluster: at its gateway, or where
        there is none at an address of istiod's own."""
        service = self.blueprint.revised(manifests.ISTIOD_ADDRESS)
        own = self.lab.addresses[cluster]
        return self.gateway(cluster) or own.reserve(SYSTEM, service)

    def part(self, topology: Topology) -> Mesh:
        """The same mesh as far as a part of its topology goes: what is configured or judged by way
        of it leaves the other clusters alone."""
        part = copy(self)
        part.whole = self.whole or self
        part.deployment = self.deployment.part(topology)
        return part

    def is_of(self, other: Mesh) -> bool:
        """Whether this and the other are one mesh, or parts of one."""
        return (self.whole or self) is (other.whole or other)

    def is_same(self, other: Mesh) -> bool:
        """Whether this and the other are one mesh, and the same part of it."""
        if self.whole is None or other.whole is None:
            return self is other
        return self.is_of(other) and self.deployment.topology == other.deployment.topology

    @property
    def shell(self) -> Shell:
        """For work side by side: a new one each time, so that what is called off stays alone."""
        return Shell(self.lab.recorder)

    def mark_dirty(self, reason: str) -> None:
        """Note that a test has damaged this mesh, all of it where this is a part: the next
        deployment starts clean."""
        self.dirty = self.dirty or reason
        if self.whole is not None:
            self.whole.mark_dirty(reason)
        else:
            self.lab.recorder.emit("notice", text=f"the mesh is damaged: {reason}")

    def take_down(self) -> None:
        """Take down what still stands on it, before it is removed. What cannot be taken down goes
        with it. Left to the collector of garbage, it would be waited for once nothing answers,
        and an interruption that came meanwhile would be lost."""
        while self.standing:
            with suppress(MeshproofError):
                self.standing.pop()()

    def leave_damage(self) -> str | None:
        """Go on with the mesh, although it is dirty; returns what damaged it, if something did."""
        reason, self.dirty = self.dirty, None
        self.spoilt = self.spoilt or reason
        return reason

    def set_mtls(self, mode: Mtls) -> None:
        """Apply the mesh-wide mTLS mode, wherever configuration counts."""
        for name in self.deployment.topology.config_clusters:
            apply(self.cluster(name), [manifests.peer_authentication(mode)])

    @contextmanager
    def mtls_as_found(self) -> Iterator[None]:
        """Whatever mode is applied inside the block, afterwards there is what was there before."""
        objects = [manifests.peer_authentication(self.deployment.mtls)]
        with ExitStack() as stack:
            for name in self.deployment.topology.config_clusters:
                stack.enter_context(as_found(self.cluster(name), objects))
            yield

    @property
    def blueprint(self) -> Blueprint:
        """What is installed, cluster by cluster."""
        return self.blueprint_of(self.deployment)

    def blueprint_of(self, deployment: Deployment) -> Blueprint:
        """What of another deployment of the same topology would be installed here."""
        topology, addresses = deployment.topology, self.lab.addresses
        gateways = {
            member.name: addresses[member.name].reserve(SYSTEM, GATEWAY)
            for member in topology.members
            if member.gateway is not None
        }
        plan = Blueprint(deployment, self.bundle, self.roots, gateways, {})
        istiods = {
            remote.name: addresses[remote.primary].reserve(SYSTEM, plan.istiod_service(remote))
            for remote in topology.remotes
        }
        return replace(plan, istiods=istiods)


def remove_mesh(lab: Lab, before: Mapping[str, Inventory], shell: Shell) -> None:
    """Bring a lab's clusters and machines back to what they held before a mesh, whatever is there
    of it.

    Raises WaitTimeoutError or LabError that names what cannot be removed.
    """
    with lab.recorder.step("remove the mesh"):
        side_by_side(shell, clear_machine, lab.machines.values())
        running = lab.clusters.values()
        # A control plane that still runs would put back what is removed elsewhere.
        side_by_side(
            shell, lambda one: stop_mesh(one, before[one.name], recorder=lab.recorder), running
        )
        side_by_side(
            shell, lambda one: remove_rest(one, before[one.name], recorder=lab.recorder), running
        )
        for addresses in lab.addresses.values():
            addresses.take_all_back(SYSTEM)
