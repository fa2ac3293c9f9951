"""The kept lab with the mutated mesh: made once, held for a while, and let go for judging."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.errors import LabError
from meshproof.lab import KindLab
from meshproof.lab.kept import find_kept
from meshproof.lab.sweep import take_down
from meshproof.mesh.keep import find_mesh, keep_mesh
from meshproof.model import Deployment
from meshproof.run.labs import Labs
from meshproof.run.session import Session
from meshproof.workloads.sample import Sample


def make(session: Session, deployment: Deployment) -> str:
    """Bring up a lab with this deployment, and leave it; returns its id. Raises LabError."""
    labs = Labs(session, reuse=None, keep=True)
    try:
        labs.sample(deployment)
    except BaseException:
        labs.close()
        raise
    labs.close(keep=True)
    if labs.kept is None:
        raise LabError("the lab for mutants was not kept")
    return labs.kept


@contextmanager
def held(session: Session, deployment: Deployment, lab_id: str) -> Iterator[Sample]:
    """The sample on a kept lab, for this process alone inside the block.

    A mesh that is as it was left is taken as it is, whatever it does: a mutant may be on in it.
    One that a test has removed or damaged is installed anew, in which none is. Raises LabError.
    """
    topology = deployment.topology
    footprint = topology.footprint(deployment.kubernetes)
    claim, _ = find_kept(lab_id)
    lab = KindLab.adopt(claim, footprint, session.ingredients(), topology.wiring(footprint))
    mesh = None
    try:
        mesh = find_mesh(lab, deployment, session.bundle)
        if mesh is not None:
            yield Sample(mesh)
            return
    finally:
        if mesh is not None:
            keep_mesh(mesh)
        lab.__exit__()
    labs = Labs(session, reuse=lab_id, repair=True)
    try:
        yield labs.sample(deployment)
    finally:
        labs.close()


def take_away(session: Session, lab_id: str) -> None:
    """Remove the lab."""
    claim, _ = find_kept(lab_id)
    take_down(session.engine, claim)
