"""Chooses the container engine."""

from __future__ import annotations

import os
from collections.abc import Sequence

from meshproof.engine.docker import Docker
from meshproof.engine.engine import Engine, OtherEngineError
from meshproof.engine.names import ENGINES, check_engine_name
from meshproof.engine.podman import Podman
from meshproof.environment import find_program
from meshproof.errors import EngineError
from meshproof.process import Shell

_KNOWN: dict[str, type[Engine]] = {"docker": Docker, "podman": Podman}
SEE_DOCTOR = "run 'meshproof doctor --fix'"
"""The remedy where the doctor knows more."""


def choose_engine(shell: Shell, wanted: str | None = None) -> Engine:
    """The engine called ``wanted``, or the first of docker and podman that answers.

    Raises UsageError for an unknown name, EngineError when no engine answers (its remedy names
    the other one where that works), or when it would have to run without root (it could then
    neither route nor write nft rules).
    """
    if wanted is not None:
        check_engine_name(wanted)
    refusals: list[EngineError] = []
    for name in [wanted] if wanted else ENGINES:
        engine = _KNOWN[name](shell)
        try:
            engine.version()
        except EngineError as error:
            refusals.append(error)
            continue
        if os.geteuid() != 0:
            raise EngineError(
                f"{name} is there, but the lab's router and nft rules need root",
                "run meshproof as root, for example with sudo",
            )
        return engine
    raise _refused(shell, wanted, refusals)


def _refused(shell: Shell, wanted: str | None, refusals: Sequence[EngineError]) -> EngineError:
    """Why no engine can be used, and what to do about it."""
    told = "; ".join(refusal.cause for refusal in refusals)
    for refusal in refusals:
        if isinstance(refusal, OtherEngineError) and find_program(refusal.other) is None:
            remedy = f"put {refusal.other} on the PATH under its own name"
            return EngineError(f"no container engine can be used ({told})", remedy)
    if wanted is None:
        return EngineError(f"no container engine can be used ({told})", SEE_DOCTOR)
    (other,) = (name for name in ENGINES if name != wanted)
    (why,) = refusals
    if isinstance(why, OtherEngineError):
        return why
    try:
        _KNOWN[other](shell).version()
    except EngineError:
        return EngineError(why.cause, why.remedy or SEE_DOCTOR)
    return EngineError(why.cause, f"use '--engine {other}', which works here")
