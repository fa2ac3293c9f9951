"""What a lab remembers of the mesh on it, so that it can be removed, by another run as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meshproof.artifacts import Bundle
from meshproof.lab import Lab
from meshproof.mesh.inventory import Inventory
from meshproof.mesh.mesh import Mesh, remove_mesh
from meshproof.model import Deployment
from meshproof.process import Shell

_FILE = "mesh.json"


def note_before(mesh: Mesh) -> None:
    """Write down what the clusters held before the mesh, which may be unfinished or changed."""
    _write(mesh, deployment="", dirty="its installation did not come to an end")


def keep_mesh(mesh: Mesh) -> None:
    """Write down which mesh is on the lab, for ``find_mesh``."""
    _write(mesh, deployment=repr(mesh.deployment), dirty=mesh.dirty)


def find_mesh(lab: Lab, deployment: Deployment, bundle: Bundle) -> Mesh | None:
    """The mesh that an earlier run has left on a kept lab, if it is of this deployment.

    None when there is none, when it is of another deployment, or dirty.
    """
    noted = _read(lab)
    if noted is None or noted["deployment"] != repr(deployment) or noted["dirty"]:
        return None
    mesh = Mesh(lab, deployment, bundle, Path(noted["folder"]), _before(noted))
    lab.recorder.emit("notice", text=f"the mesh {deployment} on lab {lab.id} is used as it is")
    note_before(mesh)
    return mesh


def remove_noted(lab: Lab) -> bool:
    """Remove the mesh that is on a lab, finished or not, from this run or an earlier one.

    Returns whether there was one. Raises WaitTimeoutError that names what cannot be removed.
    """
    noted = _read(lab)
    if noted is None:
        return False
    remove_mesh(lab, _before(noted), Shell(lab.recorder))
    (lab.claim.folder / _FILE).unlink()
    return True


def _write(mesh: Mesh, deployment: str, dirty: str | None) -> None:
    noted = {
        "deployment": deployment,
        "dirty": dirty,
        "folder": str(mesh.folder),
        "before": {name: inventory.to_json() for name, inventory in mesh.before.items()},
    }
    (mesh.lab.claim.folder / _FILE).write_text(json.dumps(noted), encoding="utf-8")


def _read(lab: Lab) -> dict[str, Any] | None:
    path = lab.claim.folder / _FILE
    if not path.is_file():
        return None
    noted: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return noted


def _before(noted: dict[str, Any]) -> dict[str, Inventory]:
    return {name: Inventory.from_json(text) for name, text in noted["before"].items()}
