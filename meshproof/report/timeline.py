"""Where a run's time went: for each deployment, by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from meshproof.events import Event, worker_name
from meshproof.report.words import Grid

# What the columns are called, and how the names of their steps begin.
_COLUMNS = {
    "clusters": ("lease subnets", "start the router", "create cluster", "wire the clusters"),
    "DNS": ("wait for the clusters' DNS",),
    "removal before": ("remove the mesh", "remove the lab"),
    "install": ("install ",),
    "workloads": ("deploy sleep",),
    "propagation": ("wait until the proxies",),
}


@dataclass
class Span:
    """The time from one deployment's last test to the next one's.

    ``deployment``: its name; ``begin``: seconds since the epoch; ``first``: seconds to
    its first verdict; ``steps``: seconds by column, of what came before that; ``tests``: how
    many; ``tested``: seconds from the first verdict's end to the last.
    """

    deployment: str
    worker: str
    begin: float
    first: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    tests: int = 0
    tested: float = 0.0

    @property
    def total(self) -> float:
        """All of it, in seconds."""
        return self.first + self.tested


def spans(events: Iterable[Event]) -> list[Span]:
    """The spans of a record, in order, each worker's apart.

    What has no test after it, such as the removal of the last lab, is in none.
    """
    made: list[Span] = []
    for worker, own in _by_worker(events).items():
        made += _spans(worker, own)
    return made


def _spans(worker: str, events: Sequence[Event]) -> list[Span]:
    made: list[Span] = []
    open_steps, reached = 0, events[0].at
    pending: dict[str, float] = {}
    """What was done since the last test: for the next deployment, if it is another's."""
    for event in events:
        if event.kind == "step-begin":
            open_steps += 1
        elif event.kind == "step-end":
            open_steps -= 1
            if column := _column(event, open_steps):
                pending[column] = pending.get(column, 0.0) + event.data["seconds"]
        elif event.kind == "test" and event.data["outcome"] != "skipped":
            deployment = event.data["deployment"]["id"]
            if not made or made[-1].deployment != deployment:
                made.append(Span(deployment, worker, reached, event.at - reached, pending))
            span = made[-1]
            span.tests += 1
            span.tested = event.at - span.begin - span.first
            reached, pending = event.at, {}
    return made


def _column(event: Event, open_steps: int) -> str:
    """Where a step that no other contains is counted; "" for others."""
    beginnings = _COLUMNS.items() if not open_steps else ()
    return next((name for name, one in beginnings if event.data["step"].startswith(one)), "")


def timeline(events: Iterable[Event]) -> Grid:
    """The table of a record's spans."""
    found = spans(events)
    start = min((span.begin for span in found), default=0.0)
    rows = []
    for span in found:
        steps = [f"{span.steps[name]:.1f}" if name in span.steps else "" for name in _COLUMNS]
        last = (f"{span.first:.1f}", str(span.tests), f"{span.tested:.1f}", f"{span.total:.1f}")
        name = f"{worker_name(span.worker)} {span.deployment}".strip()
        rows.append((name, (f"{span.begin - start:.0f}", *steps, *last)))
    columns = ("begins", *_COLUMNS, "first verdict", "tests", "tested", "in all")
    return Grid("Where the time went, in seconds", columns, rows, right=True)


def _by_worker(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(str(event.data.get("worker", "")), []).append(event)
    return found
