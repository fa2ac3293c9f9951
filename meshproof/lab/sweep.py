"""Finds labs: those that live, those that were kept, and those whose owner died."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from meshproof.engine import Engine
from meshproof.errors import MeshproofError, UsageError
from meshproof.lab.ownership import Claim, Description, claims, labs_dir
from meshproof.lab.remove import lab_ids_in, remains, remove_lab


class State(Enum):
    """In use: a living process holds it. Kept: left on purpose. Leftover: its owner died."""

    IN_USE = "in use"
    KEPT = "kept"
    LEFTOVER = "leftover"


@dataclass(frozen=True)
class Found:
    """A lab on this machine. ``description``: None when it was interrupted very early."""

    claim: Claim
    state: State
    description: Description | None


def find_all(engine: Engine | None) -> list[Found]:
    """All labs of this user, also those of which only containers, networks or rules are left.

    Without an engine only those that have a folder are found.
    """
    known = {claim.id: claim for claim in claims()}
    if engine is not None:
        for lab_id in sorted(lab_ids_in(engine) - known.keys()):
            known[lab_id] = Claim(lab_id)
    return [_found(claim) for claim in known.values()]


def find(lab_id: str) -> Claim:
    """The claim of the lab with this id. Raises UsageError when there is none."""
    if not (labs_dir() / lab_id).is_dir():
        raise UsageError(f"there is no lab '{lab_id}'", "see 'meshproof status'")
    return Claim(lab_id)


def sweep(engine: Engine, also_kept: bool = False) -> list[str]:
    """Remove all leftovers and return their ids; with ``also_kept`` the kept labs too.

    What a living process uses is never touched. Raises LabError when something resists.
    """
    wanted = {State.LEFTOVER, State.KEPT} if also_kept else {State.LEFTOVER}
    removed = []
    for found in find_all(engine):
        if found.state in wanted and take_down(engine, found.claim, spare_kept=not also_kept):
            removed.append(found.claim.id)
    return removed


def take_down(engine: Engine, claim: Claim, *, spare_kept: bool = False) -> bool:
    """Remove one lab; False when another process took it first.

    ``spare_kept``: leave it when it turns out to be kept: its owner may have ended just now.
    """
    try:
        claim.take()
    except MeshproofError:
        return False
    if spare_kept and (about := claim.read()) is not None and about.kept:
        claim.release()
        return False
    remove_lab(engine, claim)
    left = remains(engine, claim.id)
    if left:
        raise MeshproofError(f"of lab {claim.id} there is still: {', '.join(left)}")
    return True


def _found(claim: Claim) -> Found:
    description = claim.read()
    if not claim.is_free:
        return Found(claim, State.IN_USE, description)
    kept = description is not None and description.kept
    return Found(claim, State.KEPT if kept else State.LEFTOVER, description)
