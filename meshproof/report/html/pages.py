"""Pages of evidence from runs' folders, as much of them as a report can carry.

What a record names is not trusted: only regular files below the run's own folder are read, and
none through a link.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meshproof.report.html.material import Test

_MOST = 700_000
"""Bytes in all, so that the report stays one that can be sent around."""
_MOST_OF_A_TEST = 60_000
_MOST_OF_A_FILE = 6_000
_MOST_FILES = 400


@dataclass(frozen=True)
class Page:
    """A file of evidence. ``name``: from the run's folder; ``size``: in bytes; ``text``: its
    beginning, or of a log its end, None where there is no room for any of it."""

    name: str
    size: int
    text: str | None = None
    cut: str = ""


class Pages:
    """Gives the evidence of tests until the report is full; the most telling files come first."""

    def __init__(self) -> None:
        self._left = _MOST

    def of(self, test: Test) -> Sequence[Page]:
        """The pages of a test: that which its record names, and those beside it."""
        found: list[Page] = []
        left = _MOST_OF_A_TEST
        for path in _files(test):
            room = min(left, self._left, _MOST_OF_A_FILE)
            page = _page(test.run.folder, path, room)
            if page is None:
                continue
            taken = len((page.text or "").encode(errors="replace"))
            left, self._left = left - taken, self._left - taken
            found.append(page)
        return found


def _files(test: Test) -> list[Path]:
    """The first pages that a record names, each followed by the files beside it."""
    found: list[Path] = []
    for named in test.judged.evidence:
        first = test.run.folder / named
        folder = first.parent
        if not _is_inside(first, test.run.folder) or folder == test.run.folder:
            continue
        try:
            beside = sorted(
                one.path for one in os.scandir(folder) if one.is_file(follow_symlinks=False)
            )
        except OSError:
            continue
        found += [first, *(path for one in beside if (path := Path(one)) != first)]
    return list(dict.fromkeys(found))[:_MOST_FILES]


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path, links followed, stays below a folder."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _page(folder: Path, path: Path, room: int) -> Page | None:
    """A page with as much of its text as there is room for; None for what is no file."""
    name = str(path.relative_to(folder))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not path.is_file():
                return None
            if room < min(size, 500):
                return Page(name, size)
            is_log = path.name.endswith((".log", "-log.txt"))
            if is_log and size > room:
                file.seek(size - room)
            text = file.read(room).decode(errors="replace")
    except (OSError, ValueError):
        return None
    cut = "" if size <= room else "the last part" if is_log else "the first part"
    return Page(name, size, text, cut)
