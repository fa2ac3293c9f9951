"""Finds labs: those that live, those that were kept, and those whose owner died; removes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from meshproof.engine import Engine, choose_engine
from meshproof.errors import LabError, MeshproofError, UsageError
from meshproof.lab.ownership import (
    Claim,
    Description,
    LabInUseError,
    claims,
    real_state_dir,
)
from meshproof.lab.remove import lab_ids_in, remains, remove_lab
from meshproof.nearest import choose
from meshproof.owned import LAB, STATE, check_owned
from meshproof.process import Shell


class State(Enum):
    """In use: a living process holds it. Kept: left on purpose. Leftover: its owner died.
    Unreadable: what it says of itself was damaged, so it may have been kept, and is spared."""

    IN_USE = "in use"
    KEPT = "kept"
    UNREADABLE = "unreadable"
    LEFTOVER = "leftover"


@dataclass(frozen=True)
class Found:
    """A lab on this machine. ``description``: None when it was interrupted very early."""

    claim: Claim
    state: State
    description: Description | None


def find_all(engine: Engine | None) -> list[Found]:
    """All labs of this user, also those of which only networks, rules or leases are left.

    Without an engine only those that have a folder are found.
    """
    known = {claim.id: claim for claim in claims()}
    if engine is not None:
        for lab_id in sorted(lab_ids_in(engine) - known.keys()):
            known[lab_id] = Claim(lab_id)
    return [_found(claim) for claim in known.values()]


def find(lab_id: str) -> Claim:
    """The claim of the lab with this id.

    Raises UsageError for what is no id, or when there is none; NotOursError when the folder of
    that name is not one that meshproof made.
    """
    claim = Claim(lab_id)
    if claim.has_folder:
        return claim
    if claim.folder.is_dir():
        check_owned(real_state_dir(), STATE)
        check_owned(claim.folder, LAB)
    known = [one.id for one in claims()]
    remedy = choose(lab_id, known) if known else "see 'meshproof status'"
    raise UsageError(f"there is no lab '{lab_id}'", remedy)


def to_be_swept(engine: Engine, *, also_kept: bool = False) -> list[Claim]:
    """The leftovers, with ``also_kept`` the kept labs too: what ``sweep`` removes if nobody takes
    it first. Changes nothing."""
    wanted = {State.LEFTOVER}
    if also_kept:
        wanted |= {State.KEPT, State.UNREADABLE}
    return [
        found.claim
        for found in find_all(engine)
        if found.state in wanted and not is_in_own_clusters(found.description)
    ]


def is_in_own_clusters(about: Description | None) -> bool:
    """Whether a lab is in clusters of somebody's own. None of it is this machine's to remove: who
    removes it has to reach those clusters."""
    return about is not None and bool(about.own)


def what_would_go(engine: Engine, claim: Claim) -> list[str]:
    """The names of all that ``take_down`` would remove. Changes nothing.

    Raises LabInUseError when a living process uses the lab: then nothing would go.
    """
    if not claim.is_free:
        raise LabInUseError(claim.id)
    return remains(_engine_of(claim, engine), claim.id)


def sweep(engine: Engine, also_kept: bool = False) -> dict[str, list[str]]:
    """Remove all leftovers; with ``also_kept`` the kept labs too.

    Returns the names of what went, by lab. What a living process uses is never touched. What
    cannot be removed does not keep the rest from it: LabError tells of it at the end.
    """
    removed, resisting = {}, []
    for claim in to_be_swept(engine, also_kept=also_kept):
        try:
            if (names := _sweep_one(engine, claim, also_kept)) is not None:
                removed[claim.id] = names
        except MeshproofError as error:
            resisting.append(f"{error.cause} ({error.remedy})" if error.remedy else error.cause)
    if resisting:
        went = f"; removed: {', '.join(removed)}" if removed else ""
        raise LabError(f"not all could be removed: {'; '.join(resisting)}{went}")
    return removed


def take_down(engine: Engine, claim: Claim) -> list[str]:
    """Remove one lab, kept or not, and return the names of what went.

    Raises LabInUseError, and removes nothing, when a living process uses it; LabError when
    something resists.
    """
    claim.take()
    try:
        return remove_lab(_engine_of(claim, engine), claim)
    finally:
        claim.release()


def _sweep_one(engine: Engine, claim: Claim, also_kept: bool) -> list[str] | None:
    """Remove one lab; None when it is to be left alone after all: its owner may have taken or kept
    it just now, or it is in clusters of somebody's own, where `meshproof down` removes it."""
    try:
        claim.take()
    except LabInUseError:
        return None
    try:
        about = claim.read()
        if is_in_own_clusters(about):
            return None
        kept = about.kept if about is not None else claim.is_unreadable
        if kept and not also_kept:
            return None
        return remove_lab(_engine_of(claim, engine), claim)
    finally:
        claim.release()


def _engine_of(claim: Claim, engine: Engine) -> Engine:
    """The engine that a lab was made with: another would leave half of it."""
    about = claim.read()
    if about is None or about.engine == engine.name:
        return engine
    return choose_engine(Shell(engine.shell.recorder), about.engine)


def _found(claim: Claim) -> Found:
    description = claim.read()
    if not claim.is_free:
        return Found(claim, State.IN_USE, description)
    if description is None and claim.is_unreadable:
        return Found(claim, State.UNREADABLE, None)
    kept = description is not None and description.kept
    return Found(claim, State.KEPT if kept else State.LEFTOVER, description)
