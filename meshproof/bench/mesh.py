"""Measures a topology from nothing to 200 judged calls, by hand and by meshproof.

By hand is what a person would type, one command after the other: istioctl with the defaults of
Istio's documents, kubectl, and calls from sleep. Clusters, router and wiring are made by
meshproof in both: what `kind create cluster` by hand takes is measured by ``bench``. It prints
figures and judges nothing but that the calls were answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import yaml

from meshproof.errors import EvidenceError
from meshproof.expect import Outcome, answered_from_home
from meshproof.files import topology_named
from meshproof.kube.asking import Question
from meshproof.kube.objects import Object
from meshproof.lab import KindLab
from meshproof.lab.memory import memory
from meshproof.mesh import manifests
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.installation import install_mesh
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import Document
from meshproof.model import Deployment, Member
from meshproof.run.session import Session
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.settle import settle
from meshproof.workloads.sample import (
    NAMESPACE,
    SLEEP,
    Sample,
    deploy_sample,
    helloworld_objects,
    helloworld_service,
    namespace_object,
    sleep_objects,
)

_CALLS = 200
_KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
_PATIENCE = 10.0
Made = TypeVar("Made")


@dataclass
class Timeline:
    """Seconds by step, in order. ``memory``: MiB of a cluster with its mesh; ``own``: seconds
    of processor time that this program itself took."""

    steps: dict[str, float] = field(default_factory=dict)
    memory: float = 0.0
    own: float = 0.0

    def take(self, step: str, act: Callable[[], Made]) -> Made:
        """Do something, note how long it took, and return what it gave."""
        begin = time.monotonic()
        made = act()
        self.steps[step] = self.steps.get(step, 0.0) + time.monotonic() - begin
        return made

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.steps.values())

    @property
    def own_share(self) -> float:
        """Percent of the time in which this program itself was at work."""
        return self.own / self.total * 100


def first_verdict(session: Session, topology: str, folder: Path, *, by_hand: bool) -> Timeline:
    """Bring a topology up from nothing, make 200 calls, take it down; the times of the steps.

    ``folder``: for istioctl's configurations. Raises EvidenceError when the calls were not
    answered as they should be.
    """
    wanted, chosen = session.wanted, topology_named(topology)
    footprint = chosen.footprint(wanted.kubernetes)
    istio = dict.fromkeys(chosen.names, wanted.istio[-1])
    deployment = Deployment(chosen, istio, wanted.kubernetes)
    line, begin = Timeline(), time.process_time()
    wiring = chosen.wiring(footprint)
    lab = line.take(
        "clusters, router, wiring", lambda: KindLab.create(footprint, session.ingredients(), wiring)
    )
    try:
        line.take("DNS", lab.await_dns)
        mesh = Mesh(lab, deployment, session.bundle, folder, {})
        (_by_hand if by_hand else _by_meshproof)(line, mesh)
        line.own = time.process_time() - begin
        line.memory = memory(lab) / len(lab.clusters)
    finally:
        lab.remove()
    return line


def _by_meshproof(line: Timeline, mesh: Mesh) -> None:
    begun = line.take(
        "mesh", lambda: Mesh.begin(mesh.lab, mesh.deployment, mesh.bundle, mesh.folder)
    )
    line.take("mesh", lambda: install_mesh(begun))
    sample = line.take("workloads", lambda: deploy_sample(begun))
    line.take("propagation", lambda: settle(sample))
    line.take(f"{_CALLS} calls", lambda: _judge(sample))


def _judge(sample: Sample) -> None:
    caller = sample.clusters[0]
    responses = call(sample, sample.caller(caller), Plan(times=_CALLS))
    verdict = answered_from_home(responses, sample.versions)
    if verdict.outcome is not Outcome.PASS:
        raise EvidenceError(f"the bench's calls were not answered: {verdict.observed}")


# --- by hand


def _by_hand(line: Timeline, mesh: Mesh) -> None:
    topology = mesh.deployment.topology
    hand = _Hand(mesh, mesh.blueprint, Istioctl(mesh.bundle.istioctl, mesh.shell, mesh.folder))
    for member in topology.meshed:
        line.take("namespaces and cacerts", partial(hand.prepare, member))
    for member in topology.primaries:
        line.take("primary", partial(hand.primary, member))
    for member in topology.externals:
        line.take("external control plane", partial(hand.external, member))
    for member in topology.remotes:
        if not hand.plan.is_config_cluster(member):
            line.take("remote", partial(hand.remote, member))
    line.take("workloads", lambda: _workloads(mesh))
    line.take(f"{_CALLS} calls", lambda: _many(mesh))


@dataclass(frozen=True)
class _Hand:
    """One step after the other, as Istio's documents have them."""

    mesh: Mesh
    plan: Blueprint
    istioctl: Istioctl

    def prepare(self, member: Member) -> None:
        _apply(self.mesh, member.name, self.plan.prepared(member))

    def primary(self, member: Member) -> None:
        self._install(member, "primary", self.plan.control_plane(member))
        self._open(member, member.name)
        self._introduce(member)
        self._gateway(member)

    def external(self, member: Member) -> None:
        config = self.mesh.deployment.topology.served_by(member.name)[0]
        self._install(config, "config", self.plan.control_plane(config))
        version = self.plan.version(config)
        secret = self.istioctl.config_secret(self.mesh.cluster(config.name), version, "istiod")
        _apply(self.mesh, member.name, [secret])
        self._install(member, "external", self.plan.control_plane(member))
        self._open(member, config.name)
        self._gateway(config)

    def remote(self, member: Member) -> None:
        self._install(member, "remote", self.plan.control_plane(member))
        self._introduce(member)
        self._gateway(member)

    def _open(self, member: Member, config: str) -> None:
        """What istiod is told, and the way to it."""
        _apply(self.mesh, config, self.plan.beside_istiod(member))
        if self.plan.has_address(member):
            _apply(self.mesh, member.name, [manifests.istiod_by_address()])
            addresses = self.mesh.lab.addresses[member.name]
            addresses.give(manifests.SYSTEM, manifests.ISTIOD_ADDRESS)

    def _introduce(self, member: Member) -> None:
        cluster, version = self.mesh.cluster(member.name), self.plan.version(member)
        for reader in self.mesh.deployment.topology.readers(member.name):
            _apply(self.mesh, reader, [self.istioctl.remote_secret(cluster, version)])

    def _gateway(self, member: Member) -> None:
        if member.gateway is not None:
            self._install(member, "gateway", self.plan.gateway(member))
            self.mesh.open_gateway(member)

    def _install(self, member: Member, name: str, document: Document) -> None:
        cluster, version = self.mesh.cluster(member.name), self.plan.version(member)
        self.istioctl.install(cluster, version, f"by-hand-{name}", _usual(document))


def _usual(document: Document) -> Document:
    """The document with Istio's own default where meshproof hurries."""
    document["spec"]["values"]["global"]["proxy"].pop("readinessPeriodSeconds")
    return document


def _workloads(mesh: Mesh) -> None:
    for name in mesh.deployment.topology.workloads:
        objects = [namespace_object(NAMESPACE, injected=True), helloworld_service()]
        objects += sleep_objects()
        _apply(mesh, name, objects)
    for one in mesh.deployment.topology.placements:
        objects = helloworld_objects(one.version, one.replicas)
        _apply(mesh, one.cluster, objects)
    for name in mesh.deployment.topology.workloads:
        wait = ("rollout", "status", "deployment", "--timeout=120s")
        _kubectl(mesh, name, "-n", NAMESPACE, *wait)


def _many(mesh: Mesh) -> None:
    name = mesh.deployment.topology.workloads[0]
    where = ("-n", NAMESPACE, "exec", "-i", f"deploy/{SLEEP}", "-c", SLEEP, "--")
    one = Question("http", _PATIENCE, url=HELLO).line()
    said = _kubectl(mesh, name, *where, "probe", "ask", input=one * _CALLS)
    missing = [
        version
        for version in mesh.deployment.topology.versions
        if f"version: {version}" not in said
    ]
    if missing:
        raise EvidenceError(f"by hand, {', '.join(missing)} did not answer")


def _apply(mesh: Mesh, cluster: str, objects: Iterable[Object]) -> None:
    _kubectl(mesh, cluster, "apply", "-f", "-", input=yaml.safe_dump_all(list(objects)))


def _kubectl(mesh: Mesh, cluster: str, *arguments: str, input: str | None = None) -> str:
    running = mesh.cluster(cluster)
    node = running.control_plane
    return running.on_node(node, *_KUBECTL, *arguments, input=input, timeout=180).stdout
