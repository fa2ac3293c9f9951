"""Measures topologies in one run of verify: how soon each is judged, and how long all take."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from meshproof.bench.figure import Figure
from meshproof.errors import EXIT_DID_NOT_HOLD, EXIT_HELD, LabError
from meshproof.events import read
from meshproof.model import RunRequest
from meshproof.model.request import VERIFYS, words
from meshproof.report.timeline import spans, timeline
from meshproof.run.program import run_program


def measure_run(request: RunRequest, folder: Path, console: Console) -> list[Figure]:
    """Run verify once for a request, and print its timeline.

    ``folder``: where the run's own folder is made. Raises LabError when the run could not tell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("reports/*/events.jsonl"))
    code = run_program(["verify", *words(request, VERIFYS)], folder=folder)
    made = set(folder.glob("reports/*/events.jsonl")) - before
    if code not in (EXIT_HELD, EXIT_DID_NOT_HOLD) or not made:
        raise LabError(f"the run of all topologies could not tell: it ended with {code}")
    events = read(made.pop())
    console.print(timeline(events))
    found = spans(events)
    figures = [
        Figure(f"one run, {span.deployment}: to its first verdict", "s", (span.first,))
        for span in found
    ]
    figures += [
        Figure(f"one run, {span.deployment}: {span.tests} tests", "s", (span.tested,))
        for span in found
    ]
    whole = events[-1].at - events[0].at
    return [*figures, Figure(f"one run of {len(found)} deployments: in all", "s", (whole,))]
