"""A mesh: a Deployment that is installed on a lab's clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import kubernetes.client

from meshproof.artifacts import Bundle
from meshproof.lab import Lab, RunningCluster
from meshproof.lab.objects import apply
from meshproof.lab.seam import lab_errors
from meshproof.mesh import manifests, operator_config
from meshproof.mesh.inventory import Inventory, take_inventory
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY, MESH_NETWORKS, Document, Images
from meshproof.mesh.removal import remove_rest, stop_mesh
from meshproof.mesh.trust import SECRET, Authority
from meshproof.model import Deployment, Member, Mtls, Version
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
    shell: Shell
    before: Mapping[str, Inventory]
    root: Authority = field(default_factory=lambda: Authority.root("meshproof root"))
    dirty: str | None = None

    @classmethod
    def begin(cls, lab: Lab, deployment: Deployment, bundle: Bundle, folder: Path) -> Mesh:
        """Note what a lab's clusters hold before anything is installed.

        ``folder``: where the configurations given to istioctl are kept. Raises LabError.
        """
        running = lab.clusters.values()
        found = side_by_side(lab.engine.shell, take_inventory, running)
        before = dict(zip(lab.clusters, found, strict=True))
        return cls(lab, deployment, bundle, folder, Shell(lab.recorder), before)

    def install(self) -> None:
        """Install the deployment on clusters that are wired for it.

        Control planes, remotes and gateways come up side by side, each waiting only for what it
        needs. Raises LabError when something will not come up; the mesh is half there then.
        """
        with self._step(f"install {self.deployment}"):
            try:
                members = self.deployment.topology.members
                side_by_side(self.shell, self._prepare, members)
                side_by_side(self.shell, lambda install: install(), self._tracks())
            except BaseException:
                self.shell.cancel()
                raise

    # --- what suites ask

    def cluster(self, name: str) -> RunningCluster:
        """The running cluster of that name."""
        return self.lab.clusters[name]

    def gateway(self, cluster: str) -> IPv4Address | None:
        """The address of a cluster's east-west gateway; None where there is none."""
        member = self.deployment.topology[cluster]
        return self.lab.addresses[cluster].reserve(SYSTEM, GATEWAY) if member.gateway else None

    def mark_dirty(self, reason: str) -> None:
        """Note that a test has damaged this mesh: the next deployment starts clean."""
        self.dirty = self.dirty or reason

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
        """Namespace and trust. A remote gets ``cacerts`` too: only its primary's is used."""
        authority = self.root.intermediate(f"meshproof {member.name}")
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": SYSTEM},
            "stringData": authority.cacerts(),
        }
        namespace = manifests.system_namespace(member, labelled=self._labelled)
        apply(self.cluster(member.name), [namespace, secret])

    def _install_primary(self, member: Member) -> None:
        topology = self.deployment.topology
        cluster = self.cluster(member.name)
        document = operator_config.primary(
            self.deployment, member, self._images(member), self._mesh_networks()
        )
        with self._step(f"install istiod in {member.name}"):
            self._istioctl.install(cluster, self._version(member), "primary", document)
        served = [remote for remote in topology.remotes if remote.primary == member.name]
        near = [remote for remote in served if remote.network == member.network]
        objects = [manifests.peer_authentication(self.deployment.mtls)]
        objects += [manifests.cross_network_gateway()] if len(topology.networks) > 1 else []
        objects += manifests.istiod_by_gateway() if len(near) < len(served) else []
        objects += [manifests.istiod_by_address()] if near else []
        apply(cluster, objects)
        if near:
            self.lab.addresses[member.name].give(SYSTEM, manifests.ISTIOD_ADDRESS)
        self._install_gateway(member)

    def _install_remote(self, member: Member) -> None:
        cluster, primary = self.cluster(member.name), self.cluster(member.primary)
        document = operator_config.remote(
            member, self._images(member), self._istiod_address(member)
        )
        with self._step(f"install the remote profile in {member.name}"):
            self._istioctl.install(cluster, self._version(member), "remote", document)
        with self._step(f"give {primary.name} the remote secret of {member.name}"):
            apply(primary, [self._istioctl.remote_secret(cluster, self._version(member))])
        with self._step(f"wait until {primary.name} serves {member.name}"):
            eventually(
                lambda: _not_served(cluster, self._istiod_address(member)),
                until=lambda missing: missing == "",
                fail_if=lambda _: called_off(self.shell),
                what=f"{primary.name}'s istiod in {member.name}",
                within=120,
                recorder=self.lab.recorder,
            )
        self._install_gateway(member)

    def _install_gateway(self, member: Member) -> None:
        if not member.gateway:
            return
        document = operator_config.gateway(member, self._images(member), labelled=self._labelled)
        with self._step(f"install the gateway of {member.name}"):
            cluster = self.cluster(member.name)
            self._istioctl.install(cluster, self._version(member), "gateway", document)
            self.lab.addresses[member.name].give(SYSTEM, GATEWAY)

    # --- parts

    @property
    def _istioctl(self) -> Istioctl:
        return Istioctl(self.bundle.istioctl, self.shell, self.folder)

    @property
    def _labelled(self) -> bool:
        return MESH_NETWORKS not in self.deployment.variants

    def _step(self, name: str) -> AbstractContextManager[None]:
        return self.lab.recorder.step(name)

    def _version(self, member: Member) -> Version:
        return self.deployment.istio[member.name]

    def _images(self, member: Member) -> Images:
        reference = self.bundle.images[f"pilot:{self._version(member)}"]
        name, _, tag = reference.rpartition(":")
        return Images(name.removesuffix("/pilot"), tag, self.bundle.source != "published")

    def _mesh_networks(self) -> Document:
        if self._labelled:
            return {}
        gateways = {
            member.name: address
            for member in self.deployment.topology.members
            if (address := self.gateway(member.name)) is not None
        }
        return operator_config.mesh_networks(self.deployment, gateways)

    def _istiod_address(self, remote: Member) -> IPv4Address:
        """Where a remote reaches its primary's istiod; known before anything is installed."""
        near = self.deployment.topology.same_network(remote.name, remote.primary)
        service = manifests.ISTIOD_ADDRESS if near else GATEWAY
        return self.lab.addresses[remote.primary].reserve(SYSTEM, service)


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
