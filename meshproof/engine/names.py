"""The names of the engines that there are."""

from __future__ import annotations

from meshproof.errors import UsageError
from meshproof.nearest import choose

ENGINES = ("docker", "podman")


def check_engine_name(name: str) -> None:
    """Raise UsageError for what is no engine's name."""
    if name not in ENGINES:
        raise UsageError(f"there is no engine '{name}'", choose(name, ENGINES))
