"""Measures topologies in one run of verify: how soon each is judged, and how long all take."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from meshproof.bench_figure import Figure
from meshproof.errors import LabError
from meshproof.events import read
from meshproof.report.timeline import spans, timeline


def measure_run(topologies: Sequence[str], folder: Path, console: Console) -> list[Figure]:
    """Run verify once on these topologies, strict, and print its timeline.

    ``folder``: where the run's own folder is made. Raises LabError when it made no record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("reports/*/events.jsonl"))
    argv = [sys.executable, "-m", "meshproof", "verify", "--mtls", "strict", *topologies]
    subprocess.run(argv, cwd=folder, check=False)
    made = set(folder.glob("reports/*/events.jsonl")) - before
    if not made:
        raise LabError("the run of all topologies left no record")
    events = read(made.pop())
    console.print(timeline(events))
    found = spans(events)
    figures = [
        Figure(f"one run, {span.ground}: to its first verdict", "s", (span.first,))
        for span in found
    ]
    figures += [
        Figure(f"one run, {span.ground}: {span.tests} tests", "s", (span.tested,)) for span in found
    ]
    whole = events[-1].at - events[0].at
    return [*figures, Figure(f"one run of {len(found)} deployments: in all", "s", (whole,))]
