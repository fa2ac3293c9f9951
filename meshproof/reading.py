"""Reads files that people or earlier runs have written: their content, or one sentence that names
the file and says what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from meshproof.errors import MeshproofError


def read_text(
    path: Path, what: str, *, remedy: str = "", error: type[MeshproofError] = MeshproofError
) -> str:
    """The text of a UTF-8 file. ``what`` names its kind, as in "the run's record".

    Raises ``error`` when it cannot be read or is not UTF-8.
    """
    with file_errors(path, what, remedy=remedy, error=error):
        return path.read_text(encoding="utf-8-sig")


def read_json(
    path: Path, what: str, *, remedy: str = "", error: type[MeshproofError] = MeshproofError
) -> Any:
    """The content of a JSON file. Raises ``error`` as ``read_text`` does, also for what is not
    JSON."""
    text = read_text(path, what, remedy=remedy, error=error)
    try:
        return json.loads(text)
    except json.JSONDecodeError as found:
        cause = f"{what} {path} is not JSON (line {found.lineno}: {found.msg})"
        raise error(cause, remedy) from None
    except RecursionError:
        raise error(f"{what} {path} is nested too deeply", remedy) from None


@contextmanager
def file_errors(
    path: Path,
    what: str,
    *,
    doing: str = "read",
    remedy: str = "",
    error: type[MeshproofError] = MeshproofError,
) -> Iterator[None]:
    """Raise ``error``, one sentence that names the file, for what goes wrong with it inside.

    ``doing``: what is done with it, as in "cannot write …".
    """
    try:
        yield
    except UnicodeDecodeError as found:
        line = found.object.count(b"\n", 0, found.start) + 1
        raise error(f"{what} {path} is not UTF-8 (line {line})", remedy) from None
    except OSError as found:
        raise error(f"cannot {doing} {what} {path} ({reason(found)})", remedy) from found


def reason(error: OSError) -> str:
    """Why the system refused, in its own words: "permission denied", "no space left on device"."""
    said = error.strerror or str(error) or type(error).__name__
    return said[0].lower() + said[1:]
