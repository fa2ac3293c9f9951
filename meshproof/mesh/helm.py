"""Helm, and the charts of the version that each cluster gets.

As Istio's pages on multicluster have it (the tabs "Helm" below
https://istio.io/latest/docs/setup/install/multicluster/). What is installed is translated from the
documents that istioctl would be given; ``helm_values`` says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from meshproof.artifacts import Helm
from meshproof.errors import CommandError, LabError, WaitFailedError
from meshproof.kube import RunningCluster, client
from meshproof.kube.objects import Object, delete
from meshproof.kube.rollout import hopeless
from meshproof.kube.seam import lab_errors
from meshproof.mesh.direct import Direct
from meshproof.mesh.helm_values import BASE, EAST_WEST, ISTIOD, Release, releases
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import Document
from meshproof.model import Version
from meshproof.process import Shell
from meshproof.telling import plain_lines, shortened

_HOMES = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
"""Where Helm looks for repositories, credentials and plugins
(https://helm.sh/docs/helm/helm/): those of the user's have no part in it."""
_OF_ISTIO = "istio.io"
_ORDER = (ISTIOD, EAST_WEST, BASE)


@dataclass(frozen=True)
class HelmInstaller(Direct):
    """Runs Helm. ``folder``: where the values it is given are kept."""

    helm: Helm
    shell: Shell
    folder: Path

    def install(
        self, cluster: RunningCluster, version: Version, name: str, document: Document
    ) -> None:
        """Install what ``document`` says, release by release, each when the one before is ready.

        The values are kept as ``<cluster>-<name>-<release>.yaml``. Raises LabError with Helm's or
        the pod's own words, at once when something can never become ready.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for release in releases(document):
            path = self.folder / f"{cluster.name}-{name}-{release.name}.yaml"
            path.write_text(yaml.safe_dump(release.values, sort_keys=False), encoding="utf-8")
            self._install(cluster, version, release, path)

    def uninstall(self, cluster: RunningCluster, version: Version) -> None:
        """Uninstall every release that is there, istiod's first, and delete Istio's kinds, which
        Helm keeps: the step that the pages call optional. Raises LabError with Helm's words."""
        try:
            names = self._run(cluster, "list", "--short").split()
            for name in sorted(names, key=_turn):
                self._run(cluster, "uninstall", name)
        except (CommandError, WaitFailedError) as error:
            why = _said(error)
            raise LabError(f"Istio {version} was not removed from {cluster.name}: {why}") from error
        delete(cluster, _kinds(cluster))

    def _install(
        self, cluster: RunningCluster, version: Version, release: Release, values: Path
    ) -> None:
        chart = self.helm.charts[version] / release.chart
        wait = ("--wait=watcher", "--timeout", "180s", "--hide-notes")
        try:
            self._run(cluster, "install", release.name, str(chart), "-f", str(values), *wait)
        except (CommandError, WaitFailedError) as error:
            why = hopeless(cluster, SYSTEM) or _said(error)
            what = f"the release {release.name} of Istio {version}"
            raise LabError(f"{what} was not installed in {cluster.name}: {why}") from error

    def _run(self, cluster: RunningCluster, *arguments: str) -> str:
        argv = [str(self.helm.program), *arguments, "--namespace", SYSTEM]
        argv += cluster.chosen("--kube-context")
        alone = dict.fromkeys(_HOMES, str(self.folder / "helm"))
        finished = self.shell.run(
            argv, env=alone, timeout=240, give_up_if=lambda: hopeless(cluster, SYSTEM)
        )
        return finished.stdout


def _turn(release: str) -> int:
    """As the pages uninstall them: istiod, the gateway, what both rest on."""
    chart = next((one for one in _ORDER if one in release), BASE)
    return _ORDER.index(chart)


def _kinds(cluster: RunningCluster) -> list[Object]:
    """The definitions of Istio's kinds."""
    with lab_errors(f"list the kinds in {cluster.name}"):
        found = client.ApiextensionsV1Api(cluster.api).list_custom_resource_definition().items
    names = [one.metadata.name for one in found if _OF_ISTIO in one.metadata.name]
    api = "apiextensions.k8s.io/v1"
    return [
        {"apiVersion": api, "kind": "CustomResourceDefinition", "metadata": {"name": name}}
        for name in names
    ]


def _said(error: Exception) -> str:
    """From "Error:" on, below which Helm tells one by one what was not ready."""
    if isinstance(error, CommandError):
        _, found, words = " ".join(plain_lines(error.stderr)).partition("Error: ")
        return shortened(words, 600) if found else str(error)
    return str(error)
