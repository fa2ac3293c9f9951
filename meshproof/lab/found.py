"""Says what of a kept lab was not found as it should be, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from meshproof.lab.base import Lab

LEFT: Final = "left"
"""It is the mesh's, and is judged as it is."""
REPAIRED: Final = "repaired"
"""The mesh is installed anew because of it."""
MENDED: Final = "mended"
"""It is the lab's own, and is put right."""
BROKEN: Final = "broken"
"""It was broken on purpose outside the mesh, and nobody has healed it."""


def say(lab: Lab, done: str, sentences: Iterable[str]) -> None:
    """Record what was not as it should be, in a sentence each. ``done``: one of the above."""
    for text in sentences:
        lab.recorder.emit("found", lab=lab.id, done=done, text=text)
