"""What a lab remembers of the mesh on it, so that it can be removed, by another run as well."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from meshproof.artifacts import Bundle
from meshproof.errors import LabError
from meshproof.lab import Lab
from meshproof.mesh.inventory import Inventory
from meshproof.mesh.mesh import Mesh, remove_mesh
from meshproof.model import Deployment
from meshproof.process import Shell
from meshproof.reading import file_errors, read_text

_FILE = "mesh.json"
_WHAT = "the note of the lab's mesh"


_Key = tuple[str, str, str, str]
_Record = tuple[str, str, str, str, list[str], _Key | None]


@dataclass(frozen=True)
class _Noted:
    """The file's content. ``before``: by cluster, what ``Inventory.to_json`` gave."""

    lab: str
    deployment: str
    dirty: str | None
    folder: str
    before: dict[str, list[_Record]]

    def inventories(self) -> dict[str, Inventory]:
        """What each cluster held before the mesh."""
        return {name: Inventory.from_json(map(list, told)) for name, told in self.before.items()}


_NOTED = TypeAdapter(_Noted)


def note_before(mesh: Mesh) -> None:
    """Write down what the clusters held before the mesh, which may be unfinished or changed."""
    _write(mesh, deployment="", dirty="its installation did not come to an end")


def keep_mesh(mesh: Mesh) -> None:
    """Write down which mesh is on the lab, for ``find_mesh``."""
    _write(mesh, deployment=repr(mesh.deployment), dirty=mesh.dirty)


def find_mesh(lab: Lab, deployment: Deployment, bundle: Bundle) -> Mesh | None:
    """The mesh that an earlier run has left on a kept lab, if it is of this deployment.

    None when there is none, when it is of another deployment, or dirty. Raises LabError as
    ``remove_noted`` does.
    """
    noted = _read(lab)
    if noted is None or noted.deployment != repr(deployment) or noted.dirty:
        return None
    mesh = Mesh(lab, deployment, bundle, Path(noted.folder), noted.inventories())
    lab.recorder.emit("notice", text=f"the mesh {deployment} on lab {lab.id} is used as it is")
    note_before(mesh)
    return mesh


def remove_noted(lab: Lab) -> bool:
    """Remove the mesh that is on a lab, finished or not, from this run or an earlier one.

    Returns whether there was one. Raises WaitTimeoutError that names what cannot be removed;
    LabError when what was noted cannot be read, or is not of this lab: then nothing is removed,
    since all that it does not name would be.
    """
    noted = _read(lab)
    if noted is None:
        return False
    remove_mesh(lab, noted.inventories(), Shell(lab.recorder))
    path = lab.claim.folder / _FILE
    with file_errors(path, _WHAT, doing="delete", error=LabError):
        path.unlink()
    return True


def _write(mesh: Mesh, deployment: str, dirty: str | None) -> None:
    before = {name: inventory.to_json() for name, inventory in mesh.before.items()}
    noted = {
        "lab": mesh.lab.id,
        "deployment": deployment,
        "dirty": dirty,
        "folder": str(mesh.folder),
        "before": before,
    }
    path = mesh.lab.claim.folder / _FILE
    draft = path.with_suffix(".new")
    with file_errors(path, _WHAT, doing="write", error=LabError):
        draft.write_text(json.dumps(noted), encoding="utf-8")
        draft.replace(path)


def _read(lab: Lab) -> _Noted | None:
    path = lab.claim.folder / _FILE
    if not path.is_file():
        return None
    remedy = f"remove the lab with 'meshproof down {lab.id}'"
    text = read_text(path, _WHAT, remedy=remedy, error=LabError)
    try:
        noted = _NOTED.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        cause = f"{_WHAT} {path} does not say what is needed ({where}: {first['msg']})"
        raise LabError(cause, remedy) from None
    missing = sorted(lab.clusters.keys() - noted.before.keys())
    if noted.lab != lab.id or missing:
        of = f"lab {noted.lab[:40]!r}" if noted.lab != lab.id else f"no cluster {missing[0]}"
        raise LabError(f"{_WHAT} {path} tells of {of}, not of lab {lab.id}", remedy)
    return noted
