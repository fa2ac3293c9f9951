"""`allure-results/`: a record as Allure reads it; `allure generate` makes a page of that folder.

Names of files come from what is in them, so that a record that is rendered twice is there once.
"""

from __future__ import annotations

import json
from pathlib import Path

from allure_commons.model2 import TestResult

from meshproof.reading import file_errors
from meshproof.report.about import about
from meshproof.report.allure.beside import write_beside
from meshproof.report.allure.result import lacking_result, result_of
from meshproof.report.cases import cases, not_run
from meshproof.report.formats import written
from meshproof.report.record import Record

NAME = "allure-results"


def render(record: Record, folder: Path) -> list[Path]:
    """Write the results of all tests into a folder of the folder. Returns that folder.

    Raises MeshproofError when something cannot be written.
    """
    made = folder / NAME
    with file_errors(made, "the folder of Allure's results", doing="make"):
        made.mkdir(exist_ok=True)
    for case in cases(record):
        result, attached = result_of(case)
        for name, body in attached.items():
            written(made / name, body)
        _write(made, result)
    why = record.ending.early or "The run came to its end without it."
    for test in not_run(record):
        _write(made, lacking_result(test, why))
    write_beside(made, about(record))
    return [made]


def _write(made: Path, result: TestResult) -> None:
    # As allure-python-commons' own writer does it, but for the names of files.
    text = json.dumps(result, default=_fields, ensure_ascii=False)
    written(made / result.file_pattern.format(prefix=result.uuid), text)


def _fields(part: object) -> dict[str, object]:
    """What a part of a result says, without what it leaves open."""
    return {name: value for name, value in vars(part).items() if value or value is False}
