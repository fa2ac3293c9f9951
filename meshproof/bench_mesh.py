"""Measures a topology from nothing to 200 judged calls, by hand and by meshproof.

By hand is what a person would type, one command after the other: istioctl with the defaults of
Istio's documents, kubectl, curl. Clusters, router and wiring are made by meshproof in both: what
`kind create cluster` by hand takes is measured by ``bench``. It prints figures and judges
nothing but that the calls were answered.
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
from meshproof.expect import Outcome, all_of, believable, served_by_exactly, succeeded
from meshproof.lab import Lab
from meshproof.lab.objects import Object
from meshproof.mesh import manifests
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import GATEWAY, Document
from meshproof.model import Deployment, Member, Role
from meshproof.session import Session
from meshproof.topologies import topology_named
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.settle import settle
from meshproof.workloads.sample import (
    NAMESPACE,
    SLEEP,
    VERSIONS,
    Sample,
    deploy_sample,
    helloworld_objects,
    helloworld_service,
    namespace_object,
    sleep_objects,
)

_CALLS = 200
_KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")
_MANY = f"{HELLO}?[1-{_CALLS}]"
Made = TypeVar("Made")


@dataclass
class Timeline:
    """Seconds by step, in order."""

    steps: dict[str, float] = field(default_factory=dict)

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


def first_verdict(session: Session, topology: str, folder: Path, *, by_hand: bool) -> Timeline:
    """Bring a topology up from nothing, make 200 calls, take it down; the times of the steps.

    ``folder``: for istioctl's configurations. Raises EvidenceError when the calls were not
    answered as they should be.
    """
    wanted, chosen = session.wanted, topology_named(topology)
    footprint = chosen.footprint(wanted.kubernetes)
    istio = dict.fromkeys(chosen.names, wanted.istio[-1])
    deployment = Deployment(chosen, istio, wanted.kubernetes)
    line = Timeline()
    wiring = chosen.wiring(footprint)
    lab = line.take(
        "clusters, router, wiring", lambda: Lab.create(footprint, session.ingredients(), wiring)
    )
    try:
        line.take("DNS", lab.await_dns)
        mesh = Mesh(lab, deployment, session.bundle, folder, {})
        (_by_hand if by_hand else _by_meshproof)(line, mesh)
    finally:
        lab.remove()
    return line


def _by_meshproof(line: Timeline, mesh: Mesh) -> None:
    begun = line.take(
        "mesh", lambda: Mesh.begin(mesh.lab, mesh.deployment, mesh.bundle, mesh.folder)
    )
    line.take("mesh", begun.install)
    sample = line.take("workloads", lambda: deploy_sample(begun))
    line.take("propagation", lambda: settle(sample))
    line.take(f"{_CALLS} calls", lambda: _judge(sample))


def _judge(sample: Sample) -> None:
    caller = sample.mesh.deployment.topology.names[0]
    responses = call(sample, sample.caller(caller), Plan(times=_CALLS))
    verdict = all_of(
        [believable(responses), succeeded(responses), served_by_exactly(responses, sample.plan)]
    )
    if verdict.outcome is not Outcome.PASS:
        raise EvidenceError(f"the bench's calls were not answered: {verdict.observed}")


# --- by hand


def _by_hand(line: Timeline, mesh: Mesh) -> None:
    topology = mesh.deployment.topology
    for member in topology.members:
        line.take("namespaces and cacerts", partial(_prepare, mesh, member))
    for member in topology.members:
        step = "primary" if member.role is Role.PRIMARY else "remote"
        line.take(step, partial(_control_plane, mesh, member))
    line.take("workloads", lambda: _workloads(mesh))
    line.take(f"{_CALLS} calls", lambda: _curl(mesh))


def _prepare(mesh: Mesh, member: Member) -> None:
    _apply(mesh, member.name, mesh.blueprint.prepared(member))


def _control_plane(mesh: Mesh, member: Member) -> None:
    """As the documents have it: control plane, then what it needs, then the gateway."""
    plan, cluster = mesh.blueprint, mesh.cluster(member.name)
    addresses, version = mesh.lab.addresses[member.name], plan.version(member)
    mesh.istioctl.install(cluster, version, "by-hand", _usual(plan.control_plane(member)))
    if member.role is Role.PRIMARY:
        _apply(mesh, member.name, plan.beside_istiod(member))
        if plan.has_address(member):
            addresses.give(manifests.SYSTEM, manifests.ISTIOD_ADDRESS)
    else:
        _apply(mesh, member.primary, [mesh.istioctl.remote_secret(cluster, version)])
    if member.gateway:
        document = _usual(plan.gateway(member))
        mesh.istioctl.install(cluster, version, "by-hand-gateway", document)
        addresses.give(manifests.SYSTEM, GATEWAY)


def _usual(document: Document) -> Document:
    """The document with Istio's own default where meshproof hurries."""
    document["spec"]["values"]["global"]["proxy"].pop("readinessPeriodSeconds")
    return document


def _workloads(mesh: Mesh) -> None:
    for version, name in zip(VERSIONS, mesh.deployment.topology.names, strict=False):
        images = mesh.bundle.images
        objects = [namespace_object(NAMESPACE, injected=True), helloworld_service()]
        objects += sleep_objects(images["sleep"])
        objects += helloworld_objects(images[f"helloworld-{version}"], version)
        _apply(mesh, name, objects)
    for name in mesh.deployment.topology.names:
        wait = ("rollout", "status", "deployment", "--timeout=120s")
        _kubectl(mesh, name, "-n", NAMESPACE, *wait)


def _curl(mesh: Mesh) -> None:
    name = mesh.deployment.topology.names[0]
    where = ("-n", NAMESPACE, "exec", f"deploy/{SLEEP}", "-c", SLEEP, "--")
    said = _kubectl(mesh, name, *where, "curl", "-s", _MANY)
    missing = [version for version in VERSIONS if f"version: {version}" not in said]
    if missing:
        raise EvidenceError(f"by hand, {', '.join(missing)} did not answer")


def _apply(mesh: Mesh, cluster: str, objects: Iterable[Object]) -> None:
    _kubectl(mesh, cluster, "apply", "-f", "-", input=yaml.safe_dump_all(list(objects)))


def _kubectl(mesh: Mesh, cluster: str, *arguments: str, input: str | None = None) -> str:
    running = mesh.cluster(cluster)
    node = running.control_plane
    return running.on_node(node, *_KUBECTL, *arguments, input=input, timeout=180).stdout
