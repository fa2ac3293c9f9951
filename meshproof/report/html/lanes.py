"""A run's time, worker by worker: what was made, and which tests ran when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meshproof.events import Event, worker_name
from meshproof.report.record import Run

WIDTH = 1000
_TICKS = 8
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400)
_SHORTEST = 0.8
"""Of the picture's width: what is shorter, is not drawn by itself."""


@dataclass
class Bar:
    """A stretch of time. ``kind``: the outcome of its tests, or "step"."""

    x: float
    width: float
    kind: str
    text: str
    tests: int = 1

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.x + self.width


@dataclass(frozen=True)
class Lane:
    """A worker's bars."""

    name: str
    steps: Sequence[Bar]
    tests: Sequence[Bar]


@dataclass(frozen=True)
class Lanes:
    """``ticks``: where the axis has marks, and how they are called; ``seconds``: in all."""

    run: str
    lanes: Sequence[Lane]
    ticks: Sequence[tuple[float, str]]
    seconds: float


def lanes(run: Run) -> Lanes | None:
    """The lanes of a run; None where nothing took any time."""
    timed = [one for one in run.events if one.kind in ("step-begin", "step-end", "test")]
    if not timed:
        return None
    begin = min(one.at for one in run.events)
    begin = min([begin, *(one.at - one.data["seconds"] for one in timed if one.kind == "test")])
    seconds = max(one.at for one in run.events) - begin
    if seconds <= 0:
        return None
    workers: dict[str, list[Event]] = {}
    for one in timed:
        workers.setdefault(str(one.data.get("worker", "")), []).append(one)
    scale = WIDTH / seconds
    made = [
        Lane(worker_name(name) or "the run", *_bars(events, begin, scale))
        for name, events in sorted(workers.items())
    ]
    return Lanes(run.folder.name, made, _ticks(seconds, scale), seconds)


def clock(seconds: float) -> str:
    """A length of time as people write it: "41 min 7 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if whole < 10 else f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _bars(events: Sequence[Event], begin: float, scale: float) -> tuple[list[Bar], list[Bar]]:
    steps: list[Bar] = []
    tests: list[Bar] = []
    depth = 0
    for one in events:
        if one.kind == "step-begin":
            depth += 1
            continue
        if one.kind == "step-end":
            depth = max(depth - 1, 0)
            if depth:
                continue
        took = max(one.data["seconds"], 0.0)
        x, width = (one.at - took - begin) * scale, took * scale
        if one.kind == "step-end":
            if width >= _SHORTEST:
                failed = "" if one.data["outcome"] == "ok" else ", which failed"
                text = f"{one.data['step']}, {clock(took)}{failed}"
                steps.append(Bar(max(x, 0), width, "step", text))
        else:
            data = one.data
            text = f"{data['deployment']['id']}: {data['sentence']}, {clock(took)}"
            _add(tests, Bar(max(x, 0), width, data["outcome"], text))
    return steps, tests


def _add(bars: list[Bar], bar: Bar) -> None:
    """Add a test's bar, to the one before where both come to the same and neither can be told
    apart."""
    last = bars[-1] if bars else None
    near = last is not None and bar.x - last.end < 1
    if last is not None and near and last.kind == bar.kind and min(last.width, bar.width) < 4:
        last.width = max(bar.end - last.x, last.width)
        last.tests += 1
        last.text = f"{last.tests} tests: {bar.kind}"
    else:
        bars.append(bar)


def _ticks(seconds: float, scale: float) -> list[tuple[float, str]]:
    step = next((one for one in _STEPS if seconds / one <= _TICKS), _STEPS[-1])
    return [
        (number * step * scale, clock(number * step) if number else "0")
        for number in range(int(seconds // step) + 1)
    ][:200]
