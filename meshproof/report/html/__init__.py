"""`report.html`: a record as one page that needs nothing else."""

from __future__ import annotations

from pathlib import Path

from meshproof.report.formats import written
from meshproof.report.html.page import page
from meshproof.report.record import Record

NAME = "report.html"


def render(record: Record, folder: Path) -> list[Path]:
    """Write the page into a folder. Raises MeshproofError when it cannot be written."""
    return [written(folder / NAME, page(record))]
