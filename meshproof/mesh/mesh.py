"""A mesh: a Deployment that is installed on a lab's clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import kubernetes.client

from meshproof.artifacts import Bundle
from meshproof.lab import Lab, RunningCluster
from meshproof.lab.objects import apply
from meshproof.lab.seam import lab_errors
from meshproof.mesh import manifests
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.inventory import Inventory, take_inventory
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY
from meshproof.mesh.removal import remove_rest, stop_mesh
from meshproof.mesh.trust import Authority
from meshproof.model import Deployment, Member, Mtls
from meshproof.process import Shell, called_off, side_by_side
from meshproof.wait import eventually

_ROOT = "istio-ca-root-cert"
_WEBHOOK = "istio-sidecar-injector"
_WEBHOOK_PORT = 15017


@dataclass
class Mesh:
    """A running Deployment. ``before``: what each cluster held when nothing was installed."""

    lab: Lab
    deployment: Deployment
    bundle: Bundle
    folder: Path
    before: Mapping[str, Inventory]
    root: Authority = field(default_factory=lambda: Authority.root("meshproof root"))
    dirty: str | None = None
    _installer: Shell = field(default_factory=Shell)

    @classmethod
    def begin(cls, lab: Lab, deployment: Deployment, bundle: Bundle, folder: Path) -> Mesh:
        """Note what a lab's clusters hold before anything is installed.

        ``folder``: where the configurations given to istioctl are kept. Raises LabError.
        """
        running = lab.clusters.values()
        found = side_by_side(lab.engine.shell, take_inventory, running)
        before = dict(zip(lab.clusters, found, strict=True))
        return cls(lab, deployment, bundle, folder, before)

    def install(self) -> None:
        """Install the deployment on clusters that are wired for it.

        Control planes, remotes and gateways come up side by side, each waiting only for what it
        needs. Raises LabError when something will not come up; the mesh is half there then.
        """
        with self._step(f"install {self.deployment}"):
            self._installer = Shell(self.lab.recorder)
            members = self.deployment.topology.members
            side_by_side(self._installer, self._prepare, members)
            side_by_side(self._installer, lambda install: install(), self._tracks())

    # --- what suites ask

    def cluster(self, name: str) -> RunningCluster:
        """The running cluster of that name."""
        return self.lab.clusters[name]

    def gateway(self, cluster: str) -> IPv4Address | None:
        """The address of a cluster's east-west gateway; None where there is none."""
        member = self.deployment.topology[cluster]
        return self.lab.addresses[cluster].reserve(SYSTEM, GATEWAY) if member.gateway else None

    @property
    def shell(self) -> Shell:
        """For work side by side: a new one each time, so that what is called off stays alone."""
        return Shell(self.lab.recorder)

    def mark_dirty(self, reason: str) -> None:
        """Note that a test has damaged this mesh: the next deployment starts clean."""
        self.dirty = self.dirty or reason
        self.lab.recorder.emit("notice", text=f"the mesh is damaged: {reason}")

    def set_mtls(self, mode: Mtls) -> None:
        """Apply the mesh-wide mTLS mode, in every primary."""
        for member in self.deployment.topology.primaries:
            apply(self.cluster(member.name), [manifests.peer_authentication(mode)])

    # --- installing

    def _tracks(self) -> list[Callable[[], None]]:
        topology = self.deployment.topology
        tracks: list[Callable[[], None]]
        tracks = [partial(self._install_primary, member) for member in topology.primaries]
        return tracks + [partial(self._install_remote, member) for member in topology.remotes]

    def _prepare(self, member: Member) -> None:
        apply(self.cluster(member.name), self.blueprint.prepared(member))

    def _install_primary(self, member: Member) -> None:
        cluster, plan = self.cluster(member.name), self.blueprint
        with self._step(f"install istiod in {member.name}"):
            self.istioctl.install(
                cluster, plan.version(member), "primary", plan.control_plane(member)
            )
        apply(cluster, plan.beside_istiod(member))
        if plan.has_address(member):
            self.lab.addresses[member.name].give(SYSTEM, manifests.ISTIOD_ADDRESS)
        self._install_gateway(member)

    def _install_remote(self, member: Member) -> None:
        cluster, primary = self.cluster(member.name), self.cluster(member.primary)
        plan = self.blueprint
        version = plan.version(member)
        with self._step(f"install the remote profile in {member.name}"):
            self.istioctl.install(cluster, version, "remote", plan.control_plane(member))
        with self._step(f"give {primary.name} the remote secret of {member.name}"):
            apply(primary, [self.istioctl.remote_secret(cluster, version)])
        with self._step(f"wait until {primary.name} serves {member.name}"):
            eventually(
                lambda: _not_served(cluster, plan.istiods[member.name]),
                until=lambda missing: missing == "",
                fail_if=lambda _: called_off(self._installer),
                what=f"{primary.name}'s istiod in {member.name}",
                within=120,
                recorder=self.lab.recorder,
            )
        self._install_gateway(member)

    def _install_gateway(self, member: Member) -> None:
        if not member.gateway:
            return
        plan = self.blueprint
        with self._step(f"install the gateway of {member.name}"):
            cluster = self.cluster(member.name)
            self.istioctl.install(cluster, plan.version(member), "gateway", plan.gateway(member))
            self.lab.addresses[member.name].give(SYSTEM, GATEWAY)

    # --- parts

    @property
    def blueprint(self) -> Blueprint:
        """What is installed, cluster by cluster."""
        topology, addresses = self.deployment.topology, self.lab.addresses
        gateways = {
            member.name: addresses[member.name].reserve(SYSTEM, GATEWAY)
            for member in topology.members
            if member.gateway
        }
        plan = Blueprint(self.deployment, self.bundle, self.root, gateways, {})
        istiods = {
            remote.name: addresses[remote.primary].reserve(SYSTEM, plan.istiod_service(remote))
            for remote in topology.remotes
        }
        return replace(plan, istiods=istiods)

    @property
    def istioctl(self) -> Istioctl:
        """istioctl, for this mesh's clusters and with its folder."""
        return Istioctl(self.bundle.istioctl, self._installer, self.folder)

    def _step(self, name: str) -> AbstractContextManager[None]:
        return self.lab.recorder.step(name)


def remove_mesh(lab: Lab, before: Mapping[str, Inventory], shell: Shell) -> None:
    """Bring a lab's clusters back to what they held before a mesh, whatever is there of it.

    Raises WaitTimeoutError that names what cannot be removed.
    """
    with lab.recorder.step("remove the mesh"):
        running = lab.clusters.values()
        # A control plane that still runs would put back what is removed elsewhere.
        side_by_side(
            shell, lambda one: stop_mesh(one, before[one.name], recorder=lab.recorder), running
        )
        side_by_side(
            shell, lambda one: remove_rest(one, before[one.name], recorder=lab.recorder), running
        )
        for addresses in lab.addresses.values():
            for service in (GATEWAY, manifests.ISTIOD_ADDRESS):
                addresses.take_back(SYSTEM, service)


def _not_served(cluster: RunningCluster, istiod: IPv4Address) -> str:
    """What a remote still lacks before pods can be injected; empty when nothing."""
    with lab_errors(f"look at istiod's doings in {cluster.name}"):
        names = [one.metadata.name for one in cluster.core.list_namespaced_config_map(SYSTEM).items]
        if _ROOT not in names:
            return f"ConfigMap {_ROOT}"
        admission = kubernetes.client.AdmissionregistrationV1Api(cluster.api)
        webhook = admission.read_mutating_webhook_configuration(_WEBHOOK)
        missing = [one.name for one in webhook.webhooks if not one.client_config.ca_bundle]
    if missing:
        return f"the CA bundle of webhook {missing[0]}"
    # An API server that asks too early waits ten seconds for the answer, and the pods with it.
    host = f"istiod.{SYSTEM}.svc:{_WEBHOOK_PORT}"
    ask = ("curl", "-sk", "-m", "2", "-o", "/dev/null", "--resolve", f"{host}:{istiod}")
    asked = cluster.on_node(cluster.control_plane, *ask, f"https://{host}/", check=False)
    return "" if asked.returncode == 0 else f"the webhook at {istiod}:{_WEBHOOK_PORT}"
