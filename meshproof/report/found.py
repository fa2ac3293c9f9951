"""What of a kept lab was not found as it should be, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.events import Event

_DONE = {
    "left": "NOT AS IT WAS INSTALLED, and left so, on lab {lab} (--repair installs the mesh anew)",
    "repaired": "Not as it should have been on lab {lab}, whose mesh was installed anew",
    "mended": "Mended of lab {lab} itself",
    "broken": "BROKEN of lab {lab} itself, and left so (no installation mends it)",
}
_SHOWN = 20


@dataclass(frozen=True)
class Found:
    """What was found on a lab, in a sentence each, of which the same became, ``done``."""

    lab: str
    done: str
    sentences: Sequence[str]

    def __str__(self) -> str:
        title = _DONE[self.done].format(lab=self.lab)
        more = len(self.sentences) - _SHOWN
        lines = [f"{title}:", *self.sentences[:_SHOWN]]
        return "\n  ".join([*lines, f"and {more} more, see the record"] if more > 0 else lines)


def found_in(events: Iterable[Event]) -> list[Found]:
    """What a record says was found, each sentence once."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for event in events:
        if event.kind == "found":
            data = event.data
            found.setdefault((data["lab"], data["done"]), {})[data["text"]] = None
    return [Found(lab, done, tuple(texts)) for (lab, done), texts in found.items()]
