"""Becomes the conftest.py of runs that are looked at: their labs and meshes are only noted.

What Labs decides is left as it is; what it would make is replaced. Each line of the file made.log
is a worker's name and what it has made, changed or removed.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from xdist.workermanage import NodeManager

from meshproof.errors import LabError
from meshproof.process import Shell
from meshproof.run import labs
from meshproof.run.session import Session

_LOG = Path("made.log").absolute()
_FAILS = os.environ.get("STAND_IN_FAILS")
_REMOVAL = float(os.environ.get("STAND_IN_REMOVAL", "0"))

# So that a removal outlasts xdist's patience, which is ten seconds, in less than that.
NodeManager.EXIT_TIMEOUT = 1


def note(what: str, which: object = "") -> None:
    """Add a line, in one write."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with _LOG.open("a") as log:
        log.write(f"{worker} {what} {which}".rstrip() + "\n")


class StandInLab:
    """Clusters that do not exist; where STAND_IN_FAILS is their kind configuration, they fail."""

    shared = False

    def __init__(self, footprint: Any, recorder: Any, wiring: Any) -> None:
        self.footprint, self.recorder, self.wiring = footprint, recorder, wiring
        self.id, self.kept = "0a1b2c3d", False
        self.shell = Shell()
        self.claim = SimpleNamespace(folder=Path("lab"))
        self.kinds = "+".join(
            dict.fromkeys(Path(one).stem for one in footprint.kind_configs.values())
        )

    @classmethod
    def create(cls, footprint: Any, recorder: Any, wiring: Any) -> StandInLab:
        lab = cls(footprint, recorder, wiring)
        note("create", lab.kinds)
        if lab.kinds == _FAILS:
            raise LabError(f"{lab.kinds} did not come up")
        return lab

    def is_made_of(self, footprint: Any) -> bool:
        return bool(self.footprint == footprint)

    def rewire(self, wiring: Any) -> None:
        self.wiring = wiring

    def await_dns(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        time.sleep(_REMOVAL)
        note("remove", self.kinds)


class StandInMesh:
    """A mesh that does not exist."""

    def __init__(self, lab: object, deployment: Any) -> None:
        self.lab, self.deployment, self.dirty = lab, deployment, None
        self.unmet: list[str] = []

    @classmethod
    def begin(cls, lab: object, deployment: Any, *_: object) -> StandInMesh:
        return cls(lab, deployment)

    def take_down(self) -> None:
        pass


def turn(sample: Any, deployment: Any) -> None:
    note("turn", deployment)
    sample.mesh.deployment = deployment


_REPLACED = {
    "KindLab": StandInLab,
    "Mesh": StandInMesh,
    "deploy_sample": lambda mesh: SimpleNamespace(mesh=mesh, topology=mesh.deployment.topology),
    "install_mesh": lambda mesh: note("install", mesh.deployment),
    "lost_part": lambda lab: None,
    "note_before": lambda mesh: None,
    "note_installed": lambda mesh: None,
    "remove_noted": lambda lab: False,
    "settle": lambda sample: True,
    "turn": turn,
}
for _name, _value in _REPLACED.items():
    setattr(labs, _name, _value)
setattr(Session, "bundle", None)  # noqa: B010 - it is a property
setattr(Session, "ingredients", lambda session, machines=False: session.recorder)  # noqa: B010
