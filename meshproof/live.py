"""Tells on a terminal, besides what has happened, what goes on: each worker, and how far the run
is. In a log there are lines alone (``narrator``)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from meshproof.events import Event, worker_name
from meshproof.narrator import Narrator
from meshproof.telling import in_time, shown

_BAD = frozenset({"FAIL", "INCONCLUSIVE"})
_ENOUGH = 0.1
"""As much of the whole must be done before the rest is reckoned from what that took."""
_PER_SECOND = 2
_BAR = 24


@dataclass
class _Doing:
    """What a worker is at. ``steps``: those that have begun, the outermost first, with when."""

    on: str = ""
    steps: list[tuple[str, float]] = field(default_factory=list)


class LiveNarrator(Narrator):
    """A narrator with a display below its lines: of what failed there are lines at once, of steps
    and tests that held there are none."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._workers: dict[str, _Doing] = {}
        self._weights: Mapping[str, float] = {}
        self._seconds: float | None = None
        self._done: set[str] = set()
        self._failed = 0
        self._since = time.monotonic()
        self._live = Live(self, console=console, refresh_per_second=_PER_SECOND, transient=True)

    def expect(self, tests: Mapping[str, float], seconds: float | None) -> None:
        """Begin to show how far the run is."""
        self._weights, self._seconds, self._since = tests, seconds, time.monotonic()
        self._live.start()
        # Nothing is typed, and a run that is killed must not leave a terminal without a cursor.
        self._console.show_cursor(True)

    def close(self) -> None:
        """Take the display away."""
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Take note of the event; print it if it is one that a person has to see."""
        self._note(event)
        held = event.kind == "test" and event.data["outcome"] not in _BAD
        if not (self._live.is_started and (held or event.kind in ("step-end", "progress"))):
            super().__call__(event)

    def _note(self, event: Event) -> None:
        data = event.data
        doing = self._workers.setdefault(str(data.get("worker", "")), _Doing())
        if event.kind == "step-begin":
            doing.steps.append((data["step"], event.at))
        elif event.kind == "step-end":
            # Of steps side by side the one that ends need not be the last that was begun.
            doing.steps = [one for one in doing.steps if one[0] != data["step"]]
        elif event.kind == "test":
            self._done.add(data["test"])
            self._failed += data["outcome"] in _BAD
            doing.on = ""
        if "test" in data and event.kind != "test":
            doing.on = str(data["test"])

    def __rich_console__(self, _: Console, __: ConsoleOptions) -> Iterator[RenderableType]:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for worker, doing in sorted(self._workers.items()):
            if worker or len(self._workers) == 1:
                grid.add_row(Text(worker_name(worker) or "now"), Text(shown(self._at(doing))))
        yield grid
        yield self._progress()

    def _at(self, doing: _Doing) -> str:
        """What a worker does: the innermost step with its time, and the test that it is for."""
        test = doing.on.rpartition("::")[2]
        steps = doing.steps  # which another thread may replace
        if not steps:
            return test or "…"
        step, since = steps[-1]
        told = f"{step} ({time.time() - since:.0f} s)"
        return f"{told}  {test}" if test else told

    def _progress(self) -> RenderableType:
        whole = sum(self._weights.values()) or 1.0
        part = min(1.0, sum(self._weights.get(one, 0.0) for one in self._done) / whole)
        grid = Table.grid(padding=(0, 1))
        failed = f", {self._failed} not held" if self._failed else ""
        said = f"{len(self._done)} of {len(self._weights)} tests{failed}{self._left(part)}"
        grid.add_row(ProgressBar(1.0, part, width=_BAR), Text(said))
        return grid

    def _left(self, part: float) -> str:
        gone = time.monotonic() - self._since
        if part >= _ENOUGH:
            left = gone * (1 - part) / part
        elif self._seconds is not None:
            left = max(0.0, self._seconds - gone)
        else:
            return f", since {in_time(gone)}"
        return f", about {in_time(left)} left"
