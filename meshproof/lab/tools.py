"""A folder for people who work on a lab: kubectl as its clusters have it, istioctl, kubeconfigs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from meshproof.engine import Engine
from meshproof.errors import LabError, MeshproofError
from meshproof.lab.ownership import Claim, object_name
from meshproof.reading import file_errors, read_text
from meshproof.writing import written

_ON_NODES = "/usr/bin/kubectl"
_KUBECTL, _ISTIOCTL = "kubectl", "istioctl"
_WHAT = "the programs for a lab"


def put_programs(
    claim: Claim, engine: Engine, clusters: Iterable[str], istioctl: Path | None
) -> Path:
    """The folder with programs for some of a lab's clusters, in the lab's own, for the PATH.

    kubectl is taken from a node, and so of its version; ``istioctl``: that of the mesh's version,
    None where there is none. Raises MeshproofError when a node does not give its own, or the
    folder cannot be written to.
    """
    names = sorted(clusters)
    folder = claim.folder / "programs" / "-".join(names)
    with file_errors(folder, _WHAT, doing="make"):
        folder.mkdir(parents=True, exist_ok=True)
        _copy_kubectl(claim, engine, names[0], folder / _KUBECTL)
        link = folder / _ISTIOCTL
        link.unlink(missing_ok=True)
        if istioctl is not None:
            link.symlink_to(istioctl)
    return folder


def put_kubeconfigs(claim: Claim, folder: Path, clusters: Iterable[str]) -> list[Path]:
    """Copies of clusters' kubeconfigs in a folder, in the order given, that people may change.

    What 'kubectl config use-context' writes goes into the first file of several: into the lab's
    own, it would make that lead to another cluster. Raises MeshproofError where one is not there.
    """
    made = []
    for name in clusters:
        original = claim.folder / f"{name}.kubeconfig"
        text = read_text(original, "the kubeconfig", error=LabError)
        copy = written(folder / original.name, text, "the kubeconfig")
        copy.chmod(0o600)  # others could not come so far anyway, but programs ask for it
        made.append(copy)
    return made


def _copy_kubectl(claim: Claim, engine: Engine, cluster: str, target: Path) -> None:
    if target.exists():
        return
    node = f"{object_name(claim.id, cluster)}-control-plane"
    part = target.with_suffix(".part")
    done = engine.command("cp", f"{node}:{_ON_NODES}", str(part), check=False)
    if done.returncode != 0 or not part.is_file():
        raise MeshproofError(
            f"node {node} of lab {claim.id} does not give its kubectl",
            f"see that the lab is there: 'meshproof status', '{engine.name} ps -a'",
        )
    part.chmod(0o755)
    part.replace(target)
