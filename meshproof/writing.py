"""Writes files that others may read meanwhile, or that must outlive a run that is ended."""

from __future__ import annotations

from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.reading import file_errors


def written(
    path: Path,
    content: str | bytes,
    what: str,
    *,
    error: type[MeshproofError] = MeshproofError,
) -> Path:
    """Write a file so that whoever reads it finds the old content or the new one, never a part.

    ``what`` names its kind, as in "the report". Returns the path. Raises ``error`` when it cannot
    be written; then nothing is left beside it.
    """
    draft = path.with_name(f".{path.name}.new")
    # JSON can hold halves of characters, which no file can.
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    with file_errors(path, what, doing="write", error=error):
        try:
            draft.write_bytes(data)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return path
