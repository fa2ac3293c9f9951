"""A stream of calls as a picture: for each caller who answered when, what was lost, and what was
done meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from meshproof.events import Data

WIDTH, HEIGHT = 640, 56
"""Of one caller's lane, in the picture's units."""
_COLOURS = 6
_MOST = 2000
"""Stretches of time that are drawn: a record may come from anywhere."""


@dataclass(frozen=True)
class Part:
    """Calls of one kind over time. ``name``: the version that answered them, or "lost"; ``kind``:
    how it is coloured; ``path``: of an SVG."""

    name: str
    kind: str
    path: str


@dataclass(frozen=True)
class Lane:
    """A caller's calls, with how many were lost, and the slowest answer in milliseconds."""

    caller: str
    parts: Sequence[Part]
    lost: int
    slowest: int


@dataclass(frozen=True)
class Band:
    """A time in which something was done."""

    x: float
    width: float
    text: str


@dataclass(frozen=True)
class Picture:
    """A stream. ``seconds``: how long it was; ``calls`` and ``lost``: in all."""

    lanes: Sequence[Lane]
    bands: Sequence[Band]
    seconds: float
    rate: float
    calls: int
    lost: int


def pictures(streams: Iterable[Data]) -> Iterator[Picture]:
    """The pictures of a test's streams."""
    for one in streams:
        seconds = max(one["seconds"], 0.001)
        yield Picture(
            [_lane(lane) for lane in one["lanes"]],
            [
                Band(
                    _bounded(done["begin"] / seconds * WIDTH),
                    max(_bounded((done["end"] - done["begin"]) / seconds * WIDTH), 1.0),
                    f"{done['what']}: {done['begin']:.1f} to {done['end']:.1f} s",
                )
                for done in one["marks"]
            ],
            one["seconds"],
            one["rate"],
            one["calls"],
            one["lost"],
        )


def _lane(lane: Data) -> Lane:
    names = [*sorted(lane["answered"])]
    counts = [*(lane["answered"][name] for name in names), lane["lost"]]
    length = min(min(map(len, counts)), _MOST)
    highest = max((sum(one[place] for one in counts) for place in range(length)), default=0)
    base = [0.0] * length
    parts = []
    for number, (name, one) in enumerate(zip([*names, "lost"], counts, strict=True)):
        path = _bars(one[:length], base, highest)
        kind = "lost" if number == len(names) else f"s{number % _COLOURS}"
        if path:
            parts.append(Part(name, kind, path))
    return Lane(lane["caller"], parts, sum(lane["lost"]), max(lane["slowest"], default=0))


def _bars(counts: Sequence[int], base: list[float], highest: int) -> str:
    """Bars upon what is there already, to which they are added."""
    width = WIDTH / max(len(counts), 1)
    found = []
    for place, count in enumerate(counts):
        if not count:
            continue
        height = count / highest * HEIGHT
        bottom = HEIGHT - base[place]
        base[place] += height
        found.append(f"M{place * width:.1f} {bottom:.1f}v{-height:.1f}h{width:.2f}v{height:.1f}z")
    return "".join(found)


def _bounded(place: float) -> float:
    return min(max(place, 0.0), float(WIDTH))
