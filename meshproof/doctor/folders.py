"""Judges the folders in which labs and artifacts are kept."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.artifacts import Store
from meshproof.doctor.findings import Finding, Level
from meshproof.errors import MeshproofError
from meshproof.lab.network.subnets import check_state_dir
from meshproof.paths import state_dir


def judge_folders() -> list[Finding]:
    """Whether the state folder and the store are ours, or can become so. Changes nothing."""
    return [
        _folder("state", check_state_dir, lambda: str(state_dir())),
        _folder("store", lambda: Store().check_ours(), lambda: str(Store().root)),
    ]


def _folder(name: str, check: Callable[[], None], where: Callable[[], str]) -> Finding:
    try:
        check()
    except MeshproofError as error:
        remedy = error.remedy or f"let MESHPROOF_{name.upper()} name another folder"
        return Finding(name, Level.FAIL, error.cause, remedy)
    return Finding(name, Level.OK, where())
