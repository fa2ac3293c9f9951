"""What somebody may have meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def choose(name: str, known: Iterable[str]) -> str:
    """The remedy for an unknown name: the nearest known ones, or all where none is near."""
    names = list(known)
    if "," in name and names:
        return f"give each name by itself: {', '.join(names)}"
    near = get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}"
    return f"choose one of {', '.join(names)}" if names else "there is none"
