"""A mesh that its host installs: what `istioctl manifest generate` writes of each cluster's
documents is put into the host's source for the cluster, with trust, exposure and remote secrets,
and pushed.

As https://istio.io/latest/docs/setup/install/istioctl/ has it below "Generate a manifest before
installation", for those who let something else apply it; what waits there is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.errors import LabError
from meshproof.host.fleet import Fleet
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object
from meshproof.kube.rollout import await_rollout
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import Document
from meshproof.model import Version
from meshproof.process import Shell

_DEPLOYMENT = f"Deployment {SYSTEM}/"
_READY_WITHIN = 180.0


@dataclass(frozen=True)
class PushedInstaller:
    """Pushes to the members of a host. ``istioctl`` writes the manifests, and talks to no
    cluster for it."""

    fleet: Fleet
    istioctl: Istioctl
    shell: Shell

    def begin(self) -> None:
        """Start what the host pushes by. Raises LabError."""
        self.fleet.begin()

    def give(self, cluster: RunningCluster, objects: Sequence[Object]) -> None:
        """Push objects to a member, and wait until they are in force. Raises LabError."""
        if objects:
            self.fleet.push(cluster.name, objects)

    def install(
        self, cluster: RunningCluster, version: Version, name: str, document: Document
    ) -> None:
        """Push what ``document`` comes to, and wait until all that was pushed to the member is
        ready. The document is kept as ``<cluster>-<name>.yaml``. Raises LabError with istioctl's,
        the reconciler's or a pod's own words."""
        text = self.istioctl.manifest(cluster, version, name, document)
        held = self.fleet.push(cluster.name, manifests={name: text})
        names = {one.removeprefix(_DEPLOYMENT) for one in held if one.startswith(_DEPLOYMENT)}
        if not names:
            cause = f"what istioctl {version} wrote of {name} for {cluster.name} has no Deployment"
            raise LabError(cause)
        await_rollout(cluster, SYSTEM, names, self.shell, within=_READY_WITHIN)

    def uninstall(self, cluster: RunningCluster, version: Version) -> None:
        """Take all of it out of the member's source, and so out of the member. Raises LabError."""
        self.fleet.withdraw(cluster.name)
