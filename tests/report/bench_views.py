"""How long it takes to render a thousand tests into every format: prints, and judges nothing.

python -m tests.report.bench_views [TESTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from meshproof.events import read
from meshproof.report.formats import FORMATS, rendered
from meshproof.report.record import Record, Run
from tests.report.runs import a_test, known, recorded

_SUITES, _PLACES = 20, 10


def main(count: int) -> None:
    """Print a table: seconds and bytes of each format."""
    table = Table("format", "seconds", "KiB")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        tests = [
            (a_test if number % 50 else known)(
                f"suite-{number % _SUITES}/does-{number // _SUITES % 5}",
                f"flat-{number % _PLACES}+1.31.1+strict",
                of=f"-{number}",
                why=f"FAIL: expected v2; observed v{number % 7}" if number % 10 == 1 else "",
            )
            | ({"outcome": "FAIL"} if number % 10 == 1 else {})
            for number in range(count)
        ]
        recorded(folder / "run", tests, 1)
        begin = time.perf_counter()
        events = read(folder / "run" / "events.jsonl")
        table.add_row("reading the record", f"{time.perf_counter() - begin:.2f}", "")
        for name in FORMATS:
            record = Record((Run(folder / "run", events),))
            begin = time.perf_counter()
            files = rendered(record, name, folder / name)
            seconds = time.perf_counter() - begin
            every = [path for one in files for path in (one.rglob("*") if one.is_dir() else [one])]
            size = sum(path.stat().st_size for path in every) / 1024
            table.add_row(name, f"{seconds:.2f}", f"{size:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
