"""Takes the steps of an upgrade that are Istio's own: control planes, profiles, tags, gateways, and
the removal of a revision. Workloads are restarted by ``meshproof.workloads.restart``.

In place that is `istioctl install` of the other version, of which `istioctl upgrade` is an alias
(https://istio.io/latest/docs/setup/upgrade/in-place/); a canary's steps are those of
https://istio.io/latest/docs/setup/upgrade/canary/.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.kube import RunningCluster
from meshproof.kube.objects import apply, delete, read
from meshproof.kube.rollout import await_end_of, await_no_pods, pods_of, restart
from meshproof.mesh.blueprint import Blueprint
from meshproof.mesh.installation import Installation
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.istiod import ISTIOD
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import GATEWAY
from meshproof.model import Deed, Member, Role, State, Step, Strategy, Version, revision_of
from meshproof.process import Shell

STABLE, DEFAULT = "stable", "default"
"""The tag that namespaces ask for; and the one that Istio makes for the first revision, which also
says whose webhook validates configuration."""
_DEFAULT_INJECTOR = "istio-revision-tag-default"


@dataclass(frozen=True)
class Upgrading:
    """The upgrade of a mesh whose deployment has one."""

    mesh: Mesh

    def take(self, step: Step, before: State) -> None:
        """Take a step, and return when it is done. ``before``: what runs where until then.

        Raises LabError, with istioctl's or a pod's own words, for what does not come about, and
        ValueError for a step that is not Istio's.
        """
        member = self.mesh.deployment.topology[step.cluster]
        match step.deed:
            case Deed.CONTROL_PLANE:
                self._control_plane(member, self._installation(step.version, member, before))
            case Deed.PROFILE:
                installation = self._installation(step.version, member, before)
                installation.remote(member)
                installation.await_service(member)
            case Deed.TAG:
                self._tag(member, step.version)
            case Deed.GATEWAY:
                self._gateway(member, self._installation(step.version, member, before))
            case Deed.REMOVAL:
                self._remove(member, step.version, before)
            case _:
                raise ValueError(f"{step} is none of Istio's steps")

    def _control_plane(self, member: Member, installation: Installation) -> None:
        cluster, name = self.mesh.cluster(member.name), installation.plan.revised(ISTIOD)
        before = set() if self._is_canary else pods_of(cluster, SYSTEM, name)
        if member.role is not Role.EXTERNAL:
            installation.primary(member)
        else:
            topology = self.mesh.deployment.topology
            installation.external(member)
            installation.await_service(topology[topology.config_cluster(member.name)])
        if pods_of(cluster, SYSTEM, name) - before:  # else who was there is still to be judged
            await_end_of(cluster, SYSTEM, name, before)

    def _tag(self, member: Member, version: Version) -> None:
        cluster = self.mesh.cluster(member.name)
        tags = [STABLE, *([DEFAULT] if _has_default(cluster) else [])]
        for tag in tags:
            self._istioctl(version).tag(cluster, version, tag, revision_of(version))

    def _gateway(self, member: Member, installation: Installation) -> None:
        """A new gateway is rolled out by what is installed, or else by a restart: where its
        template says nothing else than before, its pods would keep the proxy that they have."""
        cluster = self.mesh.cluster(member.name)
        before = pods_of(cluster, SYSTEM, GATEWAY)
        installation.gateway(member)
        if pods_of(cluster, SYSTEM, GATEWAY) <= before:
            restart(cluster, SYSTEM, GATEWAY, self.mesh.shell)
        else:
            await_end_of(cluster, SYSTEM, GATEWAY, before)

    def _remove(self, member: Member, version: Version, before: State) -> None:
        cluster = self.mesh.cluster(member.name)
        plan = self._plan(version)
        if plan.has_address(member):
            service = plan.istiod_address
            self.mesh.lab.addresses[member.name].take_back(SYSTEM, service["metadata"]["name"])
            delete(cluster, [service])
        stays = next(one for one in before.installed[member.name] if one != version)
        apply(cluster, self._plan(stays).ways_to_istiod(member))
        self._istioctl(version).uninstall(cluster, version, revision_of(version))
        await_no_pods(cluster, SYSTEM, f"app={ISTIOD},istio.io/rev={revision_of(version)}")

    def _installation(self, version: Version, member: Member, before: State) -> Installation:
        plan = self._plan(version)
        if self._is_canary:
            others = [one for one in before.installed[member.primary] if one != version]
            beside = tuple(f"{ISTIOD}-{revision_of(one)}" for one in others)
            plan = replace(plan, beside=beside)
        istioctl = self._istioctl(version)
        return Installation(self.mesh, plan, istioctl, istioctl)

    def _plan(self, version: Version) -> Blueprint:
        """What is installed of a version: as the mesh's own deployment, but for that."""
        own = self.mesh.deployment
        deployment = replace(
            own,
            istio=dict.fromkeys(own.istio, version),
            revision=revision_of(version) if self._is_canary else "",
            upgrade=None,
        )
        return self.mesh.blueprint_of(deployment)

    def _istioctl(self, version: Version) -> Istioctl:
        """What it is given is kept beside what the mesh was installed by."""
        folder = self.mesh.folder / f"to-{version}"
        return Istioctl(self.mesh.bundle.istioctl, Shell(self.mesh.lab.recorder), folder)

    @property
    def _is_canary(self) -> bool:
        upgrade = self.mesh.deployment.upgrade
        return upgrade is not None and upgrade.strategy is Strategy.CANARY


def _has_default(cluster: RunningCluster) -> bool:
    """Whether Istio has made the default tag in a cluster: it does not in every remote."""
    injector = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": _DEFAULT_INJECTOR},
    }
    return read(cluster, injector) is not None
