"""Finds a lab that was kept, for a run that is to use it."""

from __future__ import annotations

from meshproof.errors import LabError, UsageError
from meshproof.lab.ownership import Claim, Description
from meshproof.lab.sweep import find


def find_kept(lab_id: str) -> tuple[Claim, Description]:
    """The claim of a lab that can be used again, and what it is made of.

    Raises UsageError when there is none of this id, or it never came up; LabError when a living
    process uses it.
    """
    claim = find(lab_id)
    about = claim.read()
    if claim.is_unreadable:
        raise LabError(
            f"what lab {lab_id} says of itself ({claim.folder}/lab.json) cannot be read",
            f"remove it with 'meshproof down {lab_id}'",
        )
    if about is None or not about.ready:
        raise UsageError(
            f"lab {lab_id} never came up in full, so it cannot be used",
            f"remove it with 'meshproof down {lab_id}'",
        )
    if not claim.is_free:
        raise LabError(f"lab {lab_id} is in use by another process", "wait until that has ended")
    return claim, about
