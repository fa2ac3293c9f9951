"""The files of a run's evidence that views may take along: bounded, and none from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

_MOST_FILES = 60
_MOST_BYTES = 2**20
"""A view is to be looked at; what is larger stays in the run's folder."""


def evidence_files(folder: Path, pages: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """The pages of evidence that a test names, each followed by the files beside it, with their
    names in the run's folder.

    A record may come from anywhere: what lies outside the run's folder, is no file, or is larger
    than 1 MiB is left out. Of a folder the first 60 files are there.
    """
    home = folder.resolve()
    for page in pages:
        first = folder / page
        if not _is_within(first, home):
            continue
        beside = sorted(path for path in first.parent.iterdir() if path != first)
        for path in [first, *beside][:_MOST_FILES]:
            if _is_within(path, home) and path.stat().st_size <= _MOST_BYTES:
                yield str(path.relative_to(folder)), path


def _is_within(path: Path, home: Path) -> bool:
    """Whether it is a file somewhere below a folder, and not beside the run's own record."""
    try:
        real = path.resolve(strict=True)
        return real.is_file() and real.is_relative_to(home) and real.parent != home
    except (OSError, ValueError, RuntimeError):  # no such file, a NUL, a loop of links
        return False
