"""What installs a mesh, by the programs that there are for it.

A further one, such as Sail's operator, is a word in ``InstalledBy``, a class with the two methods
of ``Installer`` in a file beside ``helm``, and a line in ``_INSTALLERS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from meshproof.artifacts import Bundle
from meshproof.errors import LabError
from meshproof.kube import RunningCluster
from meshproof.mesh.helm import HelmInstaller
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.mesh import Mesh
from meshproof.mesh.operator_config import Document
from meshproof.model import InstalledBy, Version
from meshproof.process import Shell


class Installer(Protocol):
    """Installs what an IstioOperator document says, and removes it again."""

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
    return _INSTALLERS[mesh.deployment.installed_by](mesh.bundle, shell, mesh.folder)


def _helm(bundle: Bundle, shell: Shell, folder: Path) -> Installer:
    if bundle.helm is None:
        raise LabError("the artifacts hold no Helm", "ask for them anew, with --installer helm")
    return HelmInstaller(bundle.helm, shell, folder)


def _istioctl(bundle: Bundle, shell: Shell, folder: Path) -> Installer:
    return Istioctl(bundle.istioctl, shell, folder)


_INSTALLERS: Mapping[InstalledBy, Callable[[Bundle, Shell, Path], Installer]] = {
    InstalledBy.ISTIOCTL: _istioctl,
    InstalledBy.HELM: _helm,
}
