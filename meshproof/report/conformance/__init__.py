"""`conformance.yaml`: what an Istio keeps and what it does not, for programs and for other people.

It is in the manner of the Gateway API's ConformanceReport, in a schema of its own
(``schema.json``), which has a version.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from meshproof.report.conformance.build import report_of
from meshproof.report.formats import written
from meshproof.report.record import Record

NAME = "conformance.yaml"
_WIDTH = 100


def render(record: Record, folder: Path) -> list[Path]:
    """Write the file into a folder. Raises MeshproofError when it cannot be written."""
    text = yaml.safe_dump(report_of(record), sort_keys=False, allow_unicode=True, width=_WIDTH)
    return [written(folder / NAME, text)]
