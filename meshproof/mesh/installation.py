"""Installs a mesh: control planes, remotes and gateways side by side, each as soon as it can."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address

from meshproof.kube import RunningCluster, client
from meshproof.kube.asking import Question, ask
from meshproof.kube.objects import apply
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import node_probe
from meshproof.mesh import manifests
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.installer import Installer, installer_of
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.istiod import ISTIOD
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.model import Member
from meshproof.process import Shell, called_off, side_by_side
from meshproof.wait import eventually

_ROOT = "istio-ca-root-cert"
_INJECTOR = "istio-sidecar-injector"
_WEBHOOK_PORT = 15017
_WEBHOOK_PATIENCE = 2.0


def install_mesh(mesh: Mesh) -> None:
    """Install a mesh's deployment on clusters that are wired for it.

    Control planes, remotes and gateways come up side by side, each waiting only for what it
    needs. Raises LabError when something will not come up; the mesh is half there then.
    """
    work = installation_of(mesh)
    shell = work.istioctl.shell
    with mesh.lab.recorder.step(f"install {mesh.deployment}"):
        work.installer.begin()
        side_by_side(shell, work.prepare, mesh.deployment.topology.meshed)
        side_by_side(shell, lambda install: install(), work.tracks())


def installation_of(mesh: Mesh) -> Installation:
    """The installation of a mesh's own deployment, by what that is installed by. Raises LabError
    where the mesh's artifacts lack it."""
    shell = Shell(mesh.lab.recorder)
    istioctl = Istioctl(mesh.bundle.istioctl, shell, mesh.folder)
    return Installation(mesh, mesh.blueprint, istioctl, installer_of(mesh, shell))


@dataclass(frozen=True)
class Installation:
    """What one installation goes by, and its parts, which an upgrade takes one by one. Remote
    secrets are istioctl's, whatever installs the rest. The shell of both is called off when a track
    fails."""

    mesh: Mesh
    plan: Blueprint
    istioctl: Istioctl
    installer: Installer

    def tracks(self) -> list[Callable[[], None]]:
        """What goes on side by side."""
        topology = self.mesh.deployment.topology
        tracks: list[Callable[[], None]]
        tracks = [partial(self._install_primary, member) for member in topology.primaries]
        tracks += [partial(self._install_external, member) for member in topology.externals]
        return tracks + [
            partial(self._install_remote, member)
            for member in topology.remotes
            if not self.plan.is_config_cluster(member)
        ]

    def anew(self, member: Member) -> None:
        """Install what belongs to one cluster that has nothing any more, and make it known to those
        that read it, and those that its own istiod reads to that. Raises LabError, and ValueError
        for a cluster of an external control plane, which is in two parts."""
        topology = self.mesh.deployment.topology
        if member in topology.externals or self.plan.is_config_cluster(member):
            raise ValueError(f"{member.name} is a part of an external control plane")
        self.prepare(member)
        if member in topology.remotes:
            self._install_remote(member)
            return
        self._install_primary(member)
        for name in topology.reads(member.name):
            self._introduce(topology[name])

    def prepare(self, member: Member) -> None:
        """Namespace and trust, and where the nodes are."""
        cluster = self._cluster(member)
        nodes = [one.container for one in cluster.nodes]
        self.installer.give(cluster, self.plan.prepared(member))
        # Nodes are the lab's: whoever installs a mesh does not have them.
        apply(cluster, manifests.node_localities(member, nodes))

    # --- tracks

    def _install_primary(self, member: Member) -> None:
        self.primary(member)
        self._introduce(member)
        self.gateway(member)

    def _install_external(self, member: Member) -> None:
        config = self._config_of(member)
        self.external(member)
        self._introduce(config)
        self.await_service(config)
        self.gateway(config)

    def _install_remote(self, member: Member) -> None:
        self.remote(member)
        self._introduce(member)
        self.await_service(member)
        self.gateway(member)

    # --- their steps

    def primary(self, member: Member) -> None:
        """The istiod of a cluster, and what it is told."""
        with self._step(f"install istiod in {member.name}"):
            self._install(member, "primary", self.plan.control_plane(member))
        self.installer.give(self._cluster(member), self.plan.beside_istiod(member))
        self._give_istiod_an_address(member)

    def external(self, member: Member) -> None:
        """An istiod outside, which needs its config cluster's account before it can start."""
        config = self._config_of(member)
        cluster = self._cluster(config)
        with self._step(f"prepare {config.name} as the config cluster of {member.name}"):
            self._install(config, "remote", self.plan.control_plane(config))
            secret = self.istioctl.config_secret(
                cluster, self.plan.version(config), self.plan.revised(ISTIOD)
            )
            self.installer.give(self._cluster(member), [secret])
        with self._step(f"install istiod in {member.name}"):
            self._install(member, "external", self.plan.control_plane(member))
        self._give_istiod_an_address(member)
        self.installer.give(cluster, self.plan.beside_istiod(member))

    def remote(self, member: Member) -> None:
        """What a cluster has of Istio that another cluster's istiod serves."""
        with self._step(f"install the remote profile in {member.name}"):
            self._install(member, "remote", self.plan.control_plane(member))

    def gateway(self, member: Member) -> None:
        """The gateway of a cluster that has one, and its address."""
        if member.gateway is None:
            return
        with self._step(f"install the gateway of {member.name}"):
            self._install(member, "gateway", self.plan.gateway(member))
            self.mesh.open_gateway(member)

    def await_service(self, member: Member) -> None:
        """Wait until pods of a remote can be injected. Raises LabError."""
        with self._step(f"wait until {member.primary} serves {member.name}"):
            eventually(
                lambda: self._missing(member),
                until=lambda missing: missing == "",
                fail_if=lambda _: called_off(self.istioctl.shell),
                what=f"{member.primary}'s istiod in {member.name}",
                within=120,
                recorder=self.mesh.lab.recorder,
            )

    def _introduce(self, member: Member) -> None:
        """Give every istiod that reads this cluster the secret to do so.

        Also while it is still starting: it will find it.
        """
        readers = self.mesh.deployment.topology.readers(member.name)
        if not readers:
            return
        with self._step(f"give {', '.join(readers)} the remote secret of {member.name}"):
            version = self.plan.version(member)
            secret = self.istioctl.remote_secret(self._cluster(member), version)
            for name in readers:
                self.installer.give(self.mesh.cluster(name), [secret])

    def _give_istiod_an_address(self, member: Member) -> None:
        if self.plan.has_address(member):
            service = self.plan.istiod_address
            self.installer.give(self._cluster(member), [service])
            self.mesh.lab.addresses[member.name].give(SYSTEM, service["metadata"]["name"])

    def _missing(self, member: Member) -> str:
        """What a remote still lacks before pods can be injected; empty when nothing."""
        cluster, istiod = self._cluster(member), self.plan.istiods[member.name]
        with lab_errors(f"look at istiod's doings in {cluster.name}"):
            maps = cluster.core.list_namespaced_config_map(SYSTEM).items
            if _ROOT not in [one.metadata.name for one in maps]:
                return f"ConfigMap {_ROOT}"
            admission = client.AdmissionregistrationV1Api(cluster.api)
            webhook = admission.read_mutating_webhook_configuration(self.plan.revised(_INJECTOR))
            missing = [one.name for one in webhook.webhooks if not one.client_config.ca_bundle]
        if missing:
            return f"the CA bundle of webhook {missing[0]}"
        return _unanswered(cluster, self.plan.revised(ISTIOD), istiod)

    # --- parts

    def _install(self, member: Member, name: str, document: dict[str, object]) -> None:
        self.installer.install(self._cluster(member), self.plan.version(member), name, document)

    def _config_of(self, member: Member) -> Member:
        """The cluster that an external istiod takes for its own."""
        topology = self.mesh.deployment.topology
        return topology[topology.config_cluster(member.name)]

    def _cluster(self, member: Member) -> RunningCluster:
        return self.mesh.cluster(member.name)

    def _step(self, name: str) -> AbstractContextManager[None]:
        return self.mesh.lab.recorder.step(name)


def _unanswered(cluster: RunningCluster, name: str, istiod: IPv4Address) -> str:
    """Whether the webhook of an istiod of that name answers: an API server that asks too early
    waits ten seconds for the answer, and the pods with it."""
    url, where = f"https://{name}.{SYSTEM}.svc:{_WEBHOOK_PORT}/", f"{istiod}:{_WEBHOOK_PORT}"
    reply = ask(node_probe(cluster), Question("http", _WEBHOOK_PATIENCE, where, url=url))
    return "" if reply.failure is None else f"the webhook at {where}"
