"""Marks a state folder that was made before such folders were marked: what is in it proves whose
it is."""

from __future__ import annotations

from pathlib import Path

from meshproof.lab.network.subnets import Leases
from meshproof.lab.ownership import Claim, is_lab_id, real_state_dir
from meshproof.owned import LAB, STATE, is_owned, mark_proven

_NAMES = frozenset({"labs", "subnets.json", "subnets.lock", "subnets.new"})


def mark_older_state() -> None:
    """Mark the state folder, if it is not marked and yet shown to be one.

    It holds nothing but leases that can be read as such, and labs. Of these each is marked whose
    description names it. Raises OSError when it cannot be read or written to, LabError when the
    leases cannot be read.
    """
    state = real_state_dir()
    if not (state / "subnets.json").is_file() or is_owned(state, STATE):
        return
    Leases().owners()  # raises for what is none
    if {path.name for path in state.iterdir()} <= _NAMES and _holds_labs_alone(state / "labs"):
        for lab in _labs(state / "labs"):
            if Claim(lab.name).read() is not None:
                mark_proven(lab, LAB)
        mark_proven(state, STATE)


def _labs(labs: Path) -> list[Path]:
    found = labs.iterdir() if labs.is_dir() else ()
    return [one for one in found if is_lab_id(one.name) and one.is_dir() and not one.is_symlink()]


def _holds_labs_alone(labs: Path) -> bool:
    if labs.is_symlink() or (labs.exists() and not labs.is_dir()):
        return False
    return not labs.exists() or all(
        is_lab_id(path.name.removesuffix(".lock")) for path in labs.iterdir()
    )
