"""Clusters to install meshes on: kind's, each on a network of its own with a router that is all
their contact; or clusters of one's own."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshproof.lab.base import Lab
    from meshproof.lab.lab import Ingredients, KindLab

__all__ = ["Ingredients", "KindLab", "Lab"]


def __getattr__(name: str) -> Any:
    """What is said above, when it is asked for: it takes long to be loaded, and what only looks at
    labs, or at this machine, has no need of it."""
    if name in __all__:
        from meshproof.lab import base, lab

        return getattr(base if name == "Lab" else lab, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
