"""Has a kept mesh judged as it is, by some behaviours or by all: by `meshproof verify`, as anybody
would run it, in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from meshproof.errors import LabError, WaitTimeoutError
from meshproof.events import read
from meshproof.report import Judged, judged
from meshproof.run.program import run_program

_ONE_WITHIN, _EACH_MORE, _ALL_WITHIN = 600.0, 60.0, 1800.0
"""Seconds. With a mutant on, much of what is waited for does not come, for a minute each."""


@dataclass(frozen=True)
class Bench:
    """``lab``: the kept one; ``checkout``: the Istio tree that it was made of, None where that is
    the newest version."""

    lab: str
    topology: str
    checkout: Path | None
    engine: str
    kubernetes: str


def words(bench: Bench, behaviours: Sequence[str] | None, reports: Path) -> list[str]:
    """The words of the command: `verify` on the kept lab, of some behaviours or of all (None)."""
    asked = ["verify", bench.topology, "--reuse", bench.lab, "--mtls", "strict", "--workers", "1"]
    if bench.checkout is not None:
        asked += ["--artifacts", "checkout", "--checkout", str(bench.checkout)]
    asked += ["--kubernetes", bench.kubernetes, "--engine", bench.engine]
    asked += ["--reports", str(reports)]
    return [*asked, *(word for one in behaviours or () for word in ("--behaviour", one))]


def judge(bench: Bench, behaviours: Sequence[str] | None, reports: Path) -> list[Judged]:
    """How the tests ended, of some behaviours or of all that there are (None); those that ended in
    ten minutes, and a minute more for each behaviour but the first, or half an hour.

    ``reports``: a folder that is not there yet, for the run's own. Raises LabError when no test
    was run to its end, with what the run said.
    """
    reports.mkdir(parents=True)
    said = reports / "said.txt"
    late = ""
    try:
        run_program(words(bench, behaviours, reports), printed=said, within=_within(behaviours))
    except WaitTimeoutError as error:
        late = error.cause
    records = list(reports.glob("*/events.jsonl"))
    found = judged(read(records[0])) if records else []
    if not any(one.outcome != "skipped" for one in found):
        last = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        what = "all behaviours" if behaviours is None else ", ".join(behaviours)
        why = late or (last[0] if last else "nothing was said")
        raise LabError(f"{what} could not be judged: {why}")
    return found


def _within(behaviours: Sequence[str] | None) -> float:
    if behaviours is None:
        return _ALL_WITHIN
    return min(_ONE_WITHIN + _EACH_MORE * (len(behaviours) - 1), _ALL_WITHIN)
