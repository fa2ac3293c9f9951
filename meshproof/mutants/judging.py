"""Has a kept mesh judged as it is, by one behaviour or by all: by `meshproof verify`, as anybody
would run it, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from meshproof.errors import EXIT_DID_NOT_HOLD, EXIT_HELD, LabError
from meshproof.events import read
from meshproof.report import Judged, judged
from meshproof.run.program import run_program


@dataclass(frozen=True)
class Bench:
    """``lab``: the kept one; ``tree``: the Istio that its images were built from."""

    lab: str
    topology: str
    tree: Path
    engine: str
    kubernetes: str


def words(bench: Bench, behaviour: str | None, reports: Path) -> list[str]:
    """The words of the command: `verify` on the kept lab, of one behaviour or of all."""
    asked = ["verify", bench.topology, "--reuse", bench.lab, "--mtls", "strict", "--workers", "1"]
    asked += ["--artifacts", "checkout", "--checkout", str(bench.tree)]
    asked += ["--kubernetes", bench.kubernetes, "--engine", bench.engine]
    asked += ["--reports", str(reports)]
    return asked if behaviour is None else [*asked, "--only", behaviour]


def judge(bench: Bench, behaviour: str | None, reports: Path) -> list[Judged]:
    """How the tests ended, of a behaviour or of all that there are.

    ``reports``: a folder that is not there yet, for the run's own. Raises LabError when no test
    was run, with what the run said.
    """
    reports.mkdir(parents=True)
    said = reports / "said.txt"
    code = run_program(words(bench, behaviour, reports), printed=said)
    records = list(reports.glob("*/events.jsonl"))
    found = judged(read(records[0])) if records else []
    if not found or (code not in (EXIT_HELD, EXIT_DID_NOT_HOLD) and not _tells(found)):
        last = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        what = behaviour or "all behaviours"
        raise LabError(f"{what} could not be judged: {last[0] if last else 'nothing was said'}")
    return found


def _tells(found: list[Judged]) -> bool:
    """Whether any test was judged, or says why it was not."""
    return any(one.outcome != "skipped" for one in found)
