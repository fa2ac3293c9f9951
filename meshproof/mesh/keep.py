"""What a lab remembers of the mesh on it, so that it can be removed, judged as it is, and compared
with what was installed, by another run as well."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from meshproof.artifacts import Bundle
from meshproof.errors import LabError, UsageError
from meshproof.lab import Lab
from meshproof.lab.ownership import Claim
from meshproof.mesh.contents import Contents, Difference, differences, take_contents
from meshproof.mesh.inventory import Inventory
from meshproof.mesh.mesh import Mesh, remove_mesh
from meshproof.model import Deployment, Flow, Wiring
from meshproof.process import Shell, side_by_side
from meshproof.reading import file_errors, read_text
from meshproof.writing import written

_FILE = "mesh.json"
_WHAT = "the note of the lab's mesh"
_UNFINISHED = "its installation did not come to an end"


_Key = tuple[str, str, str, str]
_Record = tuple[str, str, str, str, list[str], _Key | None]


@dataclass(frozen=True)
class NotedWiring:
    """How clusters are wired for a mesh, as ``Wiring`` has it. ``flows``: who calls, who is called,
    and what may pass."""

    name: str
    flows: list[tuple[str, str, frozenset[Flow]]]
    gateway_ports: tuple[int, ...]

    def wiring(self) -> Wiring:
        """The same as it is used."""
        flows = {(caller, called): kinds for caller, called, kinds in self.flows}
        return Wiring(self.name, flows, self.gateway_ports)


@dataclass(frozen=True)
class Noted:
    """What is noted of a lab's mesh. ``deployment``: what it is of, in full, "" where that is not
    known; ``name``: as tests' ids have it; ``dirty``: why it is not as a run should find it;
    ``before``: by cluster, what ``Inventory.to_json`` gave; ``istioctl``: by cluster, the program
    of the version that it got; ``installed``: by cluster, what its
    objects said when it was installed, None where nobody looked; ``wired``: how its clusters are to
    be wired, which its topology's file need not say any more; None where an older meshproof has
    noted it."""

    lab: str
    deployment: str
    dirty: str | None
    folder: str
    before: dict[str, list[_Record]]
    name: str = ""
    istioctl: dict[str, str] = field(default_factory=dict)
    installed: dict[str, Contents] | None = None
    wired: NotedWiring | None = None

    def inventories(self) -> dict[str, Inventory]:
        """What each cluster held before the mesh."""
        return {name: Inventory.from_json(map(list, told)) for name, told in self.before.items()}

    def is_of(self, deployment: Deployment) -> bool:
        """Whether the mesh is of this deployment, in every detail."""
        return self.deployment == repr(deployment)

    def refusal(self, asked: Sequence[str]) -> UsageError:
        """Why meshes (or bare clusters) of these names are not judged on this lab as it is."""
        remedy = "ask for the one that is there, or add --repair, by which it is removed"
        there, wanted = self.name or "a mesh of which nobody noted what it is", ", ".join(asked)
        if self.name in asked:
            there = f"{self.name} of another description"
        return UsageError(f"lab {self.lab} holds {there}, and {wanted} is asked for", remedy)


_NOTED = TypeAdapter(Noted)


def note_before(mesh: Mesh, dirty: str = _UNFINISHED) -> None:
    """Write down what the clusters held before the mesh, of which nobody can tell how it is if
    the run ends now: ``dirty`` says so."""
    _write(mesh, dirty)


def keep_mesh(mesh: Mesh) -> None:
    """Write down which mesh is on the lab, for ``find_mesh``."""
    _write(mesh, mesh.dirty or mesh.spoilt)


def note_installed(mesh: Mesh) -> None:
    """Take down what the mesh's objects say, now that it is installed. Raises LabError, or
    WaitTimeoutError."""
    with mesh.lab.recorder.step("take down what is installed"):
        mesh.installed = _contents(mesh.lab, mesh.before)


def find_mesh(lab: Lab, deployment: Deployment, bundle: Bundle) -> Mesh | None:
    """The mesh that an earlier run has left on a kept lab, if it is of this deployment.

    None when there is none, when it is of another deployment, or dirty. Raises LabError as
    ``remove_noted`` does.
    """
    noted = read_noted(lab)
    if noted is None or not noted.is_of(deployment) or noted.dirty:
        return None
    return take_over(lab, noted, deployment, bundle)


def take_over(lab: Lab, noted: Noted, deployment: Deployment, bundle: Bundle) -> Mesh:
    """The mesh that is noted, which is of this deployment, whatever became of it. Raises
    LabError."""
    mesh = Mesh(lab, deployment, bundle, Path(noted.folder), noted.inventories())
    mesh.installed, mesh.spoilt = noted.installed, noted.dirty
    lab.recorder.emit("notice", text=f"the mesh {deployment} on lab {lab.id} is used as it is")
    note_before(mesh, noted.dirty or "a run that used it did not come to its end")
    return mesh


def changed_since_installed(lab: Lab, noted: Noted) -> list[Difference]:
    """What on a lab is not as its mesh was installed. Raises LabError, or WaitTimeoutError."""
    if noted.installed is None:
        return []
    now = _contents(lab, noted.inventories())
    return [
        one
        for name, installed in noted.installed.items()
        for one in differences(name, installed, now.get(name, {}))
    ]


def remove_noted(lab: Lab) -> bool:
    """Remove the mesh that is on a lab, finished or not, from this run or an earlier one.

    Returns whether there was one. Raises WaitTimeoutError that names what cannot be removed;
    LabError when what was noted cannot be read, or is not of this lab: then nothing is removed,
    since all that it does not name would be.
    """
    noted = read_noted(lab)
    if noted is None:
        return False
    remove_mesh(lab, noted.inventories(), Shell(lab.recorder))
    path = lab.claim.folder / _FILE
    with file_errors(path, _WHAT, doing="delete", error=LabError):
        path.unlink()
    return True


def read_noted(lab: Lab) -> Noted | None:
    """What is noted of the mesh on a lab; None when there is none. Raises LabError as
    ``remove_noted`` does."""
    noted = noted_of(lab.claim)
    missing = sorted(lab.clusters.keys() - noted.before.keys()) if noted is not None else []
    if missing:
        path = lab.claim.folder / _FILE
        cause = f"{_WHAT} {path} tells of no cluster {missing[0]}, not of lab {lab.id}"
        raise LabError(cause, _remedy(lab.id))
    return noted


def noted_of(claim: Claim) -> Noted | None:
    """The same of a lab that need not run. Raises LabError when it cannot be read, or is not of
    this lab."""
    path = claim.folder / _FILE
    if not path.is_file():
        return None
    text = read_text(path, _WHAT, remedy=_remedy(claim.id), error=LabError)
    try:
        noted = _NOTED.validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        cause = f"{_WHAT} {path} does not say what is needed ({where}: {first['msg']})"
        raise LabError(cause, _remedy(claim.id)) from None
    if noted.lab != claim.id:
        cause = f"{_WHAT} {path} tells of lab {noted.lab[:40]!r}, not of lab {claim.id}"
        raise LabError(cause, _remedy(claim.id))
    return noted


def _remedy(lab_id: str) -> str:
    return f"remove the lab with 'meshproof down {lab_id}'"


def _contents(lab: Lab, before: Mapping[str, Inventory]) -> dict[str, Contents]:
    """What the objects of each cluster say that were not there ``before``."""
    running = lab.clusters.values()
    found = side_by_side(
        Shell(lab.recorder), lambda one: take_contents(one, before[one.name]), running
    )
    return dict(zip(lab.clusters, found, strict=True))


def _write(mesh: Mesh, dirty: str | None) -> None:
    before = {name: inventory.to_json() for name, inventory in mesh.before.items()}
    noted = {
        "lab": mesh.lab.id,
        "deployment": repr(mesh.deployment),
        "name": str(mesh.deployment),
        "dirty": dirty,
        "folder": str(mesh.folder),
        "before": before,
        "istioctl": {
            name: str(mesh.bundle.istioctl[version])
            for name, version in mesh.deployment.istio.items()
            if version in mesh.bundle.istioctl
        },
        "installed": mesh.installed,
        "wired": _wired(mesh.deployment.topology.wiring(mesh.lab.footprint)),
    }
    written(mesh.lab.claim.folder / _FILE, json.dumps(noted), _WHAT, error=LabError)


def _wired(wiring: Wiring) -> dict[str, object]:
    """A wiring as JSON takes it; ``NotedWiring`` is read from that."""
    flows = [
        [caller, called, sorted(kind.value for kind in kinds)]
        for (caller, called), kinds in wiring.flows.items()
    ]
    return {"name": wiring.name, "flows": flows, "gateway_ports": list(wiring.gateway_ports)}
