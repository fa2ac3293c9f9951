"""istioctl, of the version that each cluster gets, and the files it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import yaml

from meshproof.errors import CommandError, LabError, WaitFailedError
from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object
from meshproof.kube.rollout import hopeless
from meshproof.mesh.direct import Direct
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import Document
from meshproof.model import Version
from meshproof.process import Shell
from meshproof.telling import plain_lines, shortened, telling_line

WORKLOAD_FILES = ("cluster.env", "mesh.yaml", "root-cert.pem", "istio-token", "hosts")
"""What istioctl writes for a machine outside Kubernetes."""


@dataclass(frozen=True)
class Istioctl(Direct):
    """Runs istioctl. ``folder``: where the configurations it is given are kept."""

    programs: Mapping[Version, Path]
    shell: Shell
    folder: Path

    def install(
        self, cluster: RunningCluster, version: Version, name: str, document: Document
    ) -> None:
        """Install what ``document`` says and wait until it is ready.

        The document is kept as ``<cluster>-<name>.yaml``. Raises LabError with istioctl's or
        the pod's own words, at once when something can never become ready.
        """
        path = self._kept(cluster, name, document)
        arguments = ["install", "-y", "-f", str(path), "--readiness-timeout", "180s"]
        try:
            self._run(cluster, version, *arguments)
        except (CommandError, WaitFailedError) as error:
            why = hopeless(cluster, SYSTEM) or _said(error)
            raise LabError(f"Istio {version} was not installed in {cluster.name}: {why}") from error

    def manifest(
        self, cluster: RunningCluster, version: Version, name: str, document: Document
    ) -> str:
        """What would be installed of ``document``, as YAML; no cluster is asked for it. The
        document is kept as by ``install``. Raises LabError with istioctl's words."""
        path = self._kept(cluster, name, document)
        argv = [str(self.programs[version]), "manifest", "generate", "-f", str(path)]
        try:
            return self.shell.run(argv, timeout=240).stdout
        except CommandError as error:
            told = f"istioctl {version} wrote no manifest of {name} for {cluster.name}"
            raise LabError(f"{told}: {_said(error)}") from error

    def uninstall(self, cluster: RunningCluster, version: Version, revision: str = "") -> None:
        """Remove what istioctl takes for Istio's own, or for a revision's alone. Raises LabError
        with its words."""
        what = ["--revision", revision] if revision else ["--purge"]
        try:
            self._run(cluster, version, "uninstall", "-y", *what)
        except (CommandError, WaitFailedError) as error:
            why = _said(error)
            raise LabError(f"Istio {version} was not removed from {cluster.name}: {why}") from error

    def tag(self, cluster: RunningCluster, version: Version, name: str, revision: str) -> None:
        """Let a tag name a revision (https://istio.io/latest/docs/setup/upgrade/canary/). Raises
        LabError with istioctl's words."""
        try:
            self._run(
                cluster, version, "tag", "set", name, "--revision", revision, "--overwrite", "-y"
            )
        except (CommandError, WaitFailedError) as error:
            told = f"the tag {name} of {cluster.name} does not name {revision}"
            raise LabError(f"{told}: {_said(error)}") from error

    def remote_secret(self, cluster: RunningCluster, version: Version) -> Object:
        """The secret by which an istiod elsewhere reads this cluster, under the reader account.

        The address in it is the one that other clusters reach. Raises LabError.
        """
        return self._secret(cluster, version)

    def config_secret(self, cluster: RunningCluster, version: Version, account: str) -> Object:
        """The secret by which an istiod outside takes this cluster for its own.

        It carries istiod's own ``account``, which the cluster has for it
        (https://istio.io/latest/docs/setup/install/external-controlplane/). Raises LabError.
        """
        arguments = ["--type", "config", "--service-account", account]
        secret = self._secret(cluster, version, *arguments, "--create-service-account=false")
        # With the label istiod would take the cluster for a second one, called "config".
        secret["metadata"].pop("labels", None)
        return secret

    def workload_group(
        self,
        cluster: RunningCluster,
        version: Version,
        called: tuple[str, str, str],
        network: str,
        labels: Mapping[str, str],
    ) -> Object:
        """A WorkloadGroup for machines outside Kubernetes. ``called``: its name, namespace and
        service account; ``network`` and ``labels``: of its instances. Raises LabError with
        istioctl's words."""
        name, namespace, account = called
        arguments = ["x", "workload", "group", "create", "--name", name, "--namespace", namespace]
        listed = ",".join(f"{key}={value}" for key, value in labels.items())
        arguments += ["--serviceAccount", account, "--network", network]
        arguments += ["--labels", listed] if listed else []
        try:
            printed = self._run(cluster, version, *arguments)
        except CommandError as error:
            raise LabError(f"no WorkloadGroup {name}: {_said(error)}") from error
        return _object_in(printed, "WorkloadGroup", name)

    def workload_files(
        self,
        cluster: RunningCluster,
        version: Version,
        group: Object,
        ingress: IPv4Address,
        revision: str = "",
    ) -> dict[str, str]:
        """The files for a machine of a WorkloadGroup that registers itself, by name, as `istioctl x
        workload entry configure` writes them. ``ingress``: where it reaches istiod.

        They are kept in the folder, but for the token. Raises LabError with istioctl's words.
        """
        name = group["metadata"]["name"]
        out, path = self.folder / f"machine-{name}", self.folder / f"machine-{name}.yaml"
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(group, sort_keys=False), encoding="utf-8")
        arguments = ["x", "workload", "entry", "configure", "-f", str(path), "-o", str(out)]
        arguments += ["--clusterID", cluster.name, "--autoregister", "--ingressIP", str(ingress)]
        try:
            self._run(cluster, version, *arguments, *(["--revision", revision] if revision else []))
            return {one: (out / one).read_text(encoding="utf-8") for one in WORKLOAD_FILES}
        except CommandError as error:
            raise LabError(f"no files for machine {name}: {_said(error)}") from error
        except OSError as error:
            raise LabError(f"istioctl wrote no {error.filename} for machine {name}") from error
        finally:
            (out / "istio-token").unlink(missing_ok=True)

    def _kept(self, cluster: RunningCluster, name: str, document: Document) -> Path:
        """The file with a document."""
        path = self.folder / f"{cluster.name}-{name}.yaml"
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return path

    def _secret(self, cluster: RunningCluster, version: Version, *more: str) -> Object:
        arguments = ["create-remote-secret", "--name", cluster.name, "--server", cluster.server]
        try:
            printed = self._run(cluster, version, *arguments, *more)
        except CommandError as error:
            raise LabError(f"no remote secret of {cluster.name}: {_said(error)}") from error
        return _secret_in(printed, cluster.name)

    def _run(self, cluster: RunningCluster, version: Version, *arguments: str) -> str:
        argv = [str(self.programs[version]), *arguments, *cluster.chosen()]
        finished = self.shell.run(argv, timeout=240, give_up_if=lambda: hopeless(cluster, SYSTEM))
        return finished.stdout


def _secret_in(printed: str, name: str) -> Object:
    """The remote secret of a cluster among what istioctl printed. Raises LabError when there is
    none."""
    return _object_in(printed, "Secret", name)


def _object_in(printed: str, kind: str, name: str) -> Object:
    """The object of a kind among what istioctl printed. Raises LabError when there is none."""
    try:
        documents = list(yaml.safe_load_all(printed))
    except yaml.YAMLError:
        documents = []
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == kind:
            return document
    words, what = telling_line(printed), "remote secret" if kind == "Secret" else kind
    raise LabError(f"no {what} of {name}: istioctl printed none, but '{words}'")


def _said(error: Exception) -> str:
    if isinstance(error, CommandError):
        lines = [line for line in plain_lines(error.stderr) if "rror" in line]
        return shortened(" ".join(lines[-2:]), 600) or str(error)
    return str(error)
