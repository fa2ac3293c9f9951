"""What installs a mesh, by the programs that there are for it.

A further one, such as Sail's operator, is a word in ``InstalledBy``, a class with the methods of
``Installer`` in a file beside ``helm``, and a line in ``_INSTALLERS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from meshproof.errors import LabError
from meshproof.host.fleet import Fleet
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object
from meshproof.mesh.helm import HelmInstaller
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import Document
from meshproof.mesh.pushed import PushedInstaller
from meshproof.model import InstalledBy, Version
from meshproof.process import Shell


class Installer(Protocol):
    """Installs what an IstioOperator document says, and removes it again."""

    def begin(self) -> None:
        """Make what must be there before anything is installed in any cluster of a mesh. Raises
        LabError."""

    def give(self, cluster: RunningCluster, objects: Sequence[Object]) -> None:
        """Have what a cluster has of a mesh beside what programs of Istio's install: its namespace,
        trust, exposure and secrets. Raises LabError."""

    def install(
        self, cluster: RunningCluster, version: Version, name: str, document: Document
    ) -> None:
        """Install what ``document`` says, and wait until it is ready. What is given to the program
        is kept, under the cluster's name and ``name``. Raises LabError with the program's or a
        pod's own words."""

    def uninstall(self, cluster: RunningCluster, version: Version) -> None:
        """Remove from a cluster what was installed in it, as Istio's pages have it. Raises LabError
        with the program's words."""


def installer_of(mesh: Mesh, shell: Shell) -> Installer:
    """What installs a mesh's deployment, with the mesh's artifacts. Raises LabError where these
    lack it."""
    return _INSTALLERS[mesh.deployment.installed_by](mesh, shell)


def _helm(mesh: Mesh, shell: Shell) -> Installer:
    if mesh.bundle.helm is None:
        raise LabError("the artifacts hold no Helm", "ask for them anew, with --installer helm")
    return HelmInstaller(mesh.bundle.helm, shell, mesh.folder)


def _istioctl(mesh: Mesh, shell: Shell) -> Istioctl:
    return Istioctl(mesh.bundle.istioctl, shell, mesh.folder)


def _pushed(mesh: Mesh, shell: Shell) -> Installer:
    host, managed = mesh.deployment.topology.host, mesh.deployment.topology.managed
    if host is None or mesh.bundle.host is None:
        raise LabError("the artifacts hold nothing that a host pushes by", "ask for them anew")
    if mesh.fleet is None:
        mesh.fleet = Fleet(mesh.lab, host.name, managed, mesh.bundle.host)
    return PushedInstaller(mesh.fleet, _istioctl(mesh, shell), shell)


_INSTALLERS: Mapping[InstalledBy, Callable[[Mesh, Shell], Installer]] = {
    InstalledBy.ISTIOCTL: _istioctl,
    InstalledBy.HELM: _helm,
    InstalledBy.PUSHED: _pushed,
}
