"""Real kind clusters, each on a network of its own, and the router that is all their contact."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meshproof.lab.lab import Ingredients, Lab

__all__ = ["Ingredients", "Lab"]


def __getattr__(name: str) -> Any:
    """``Ingredients`` and ``Lab``, when they are asked for: they take long to be loaded, and what
    only looks at labs, or at this machine, has no need of them."""
    if name in __all__:
        from meshproof.lab import lab

        return getattr(lab, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
