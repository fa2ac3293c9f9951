"""Chooses the container engine."""

from __future__ import annotations

import os
import shutil

from meshproof.engine.docker import Docker
from meshproof.engine.engine import Engine
from meshproof.engine.podman import Podman
from meshproof.errors import EngineError, UsageError
from meshproof.process import Shell

_KNOWN: dict[str, type[Engine]] = {"docker": Docker, "podman": Podman}


def choose_engine(shell: Shell, wanted: str | None = None) -> Engine:
    """The engine called ``wanted``, or the first of docker and podman that answers.

    Raises UsageError for an unknown name, EngineError when no engine answers, or when it would
    have to run without root (it could then neither route nor write nft rules).
    """
    if wanted is not None and wanted not in _KNOWN:
        raise UsageError(f"there is no engine '{wanted}'", f"choose one of {', '.join(_KNOWN)}")
    reasons = []
    for name in [wanted] if wanted else list(_KNOWN):
        if shutil.which(name) is None:
            reasons.append(f"{name} is not installed")
            continue
        engine = _KNOWN[name](shell)
        try:
            engine.version()
        except EngineError as error:
            reasons.append(error.cause)
            continue
        engine.check_local()
        if os.geteuid() != 0:
            raise EngineError(
                f"{name} is there, but the lab's router and nft rules need root",
                "run meshproof as root, for example with sudo",
            )
        return engine
    raise EngineError(
        f"no container engine can be used ({'; '.join(reasons)})", "run 'meshproof doctor --fix'"
    )
