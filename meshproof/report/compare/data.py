"""A comparison for programs. Whatever older readers would misread takes another ``apiVersion``."""

from __future__ import annotations

import json

from meshproof.errors import EXIT_DID_NOT_HOLD, EXIT_HELD
from meshproof.events import Data
from meshproof.report.about import about
from meshproof.report.compare.cells import Cell
from meshproof.report.compare.changes import Change, Comparison, Kind, Phase
from meshproof.report.record import Record
from meshproof.report.texts import moment

API_VERSION, KIND = "meshproof/v1", "Comparison"
_RESULTS = {EXIT_HELD: "nothing-broke", EXIT_DID_NOT_HOLD: "broke"}
_KINDS = {
    Kind.BROKE: "broke",
    Kind.UNCLEAR: "unclear",
    Kind.STILL: "still-not-held",
    Kind.MENDED: "mended",
    Kind.TOLD: "told-now",
    Kind.NEW: "new",
    Kind.GONE: "gone",
    Kind.SAME: "same",
}


def as_json(found: Comparison) -> str:
    """What was compared, every change with both of its sides, and what it comes to, as JSON;
    docs/views.md describes it."""
    counts = {word: len(found.of(kind)) for kind, word in _KINDS.items()}
    counts |= {"slower": sum(one.slower for one in found.changes)}
    counts |= {"lossier": sum(one.lossier for one in found.changes)}
    data = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "result": _RESULTS.get(found.exit_code, "could-not-tell"),
        "exitCode": found.exit_code,
        "summary": found.line,
        "before": _side(found.before),
        "after": _side(found.after),
        "compared": found.compared,
        "counts": counts,
        "changes": [_change(one) for one in found.changes],
        "slowerPhases": [_phase(one) for one in found.phases],
    }
    return json.dumps(data, indent=1)


def _side(record: Record) -> Data:
    made_of = about(record)
    return {
        "runs": [run.folder.name for run in record.runs],
        "began": moment(made_of.began),
        "istio": list(made_of.istio),
        "kubernetes": list(made_of.kubernetes),
        "bench": list(made_of.bench),
        "proxies": dict(made_of.proxies),
        "endedEarly": record.ending.early,
    }


def _change(one: Change) -> Data:
    return {
        "behaviour": one.behaviour,
        "sentence": one.sentence,
        "deployment": one.place,
        "change": _KINDS[one.kind],
        "leavesOpen": one.leaves_open,
        "notApplicable": one.declared,
        "slower": one.slower,
        "lossier": one.lossier,
        "before": _cell(one.before),
        "after": _cell(one.after),
    }


def _cell(found: Cell | None) -> Data | None:
    if found is None:
        return None
    issues = found.worst.judged.known_issues
    return {
        "outcome": found.outcome,
        "tests": len(found.cases) + found.lacking,
        "notRun": found.lacking,
        "why": found.why,
        "knownIssues": [one.link for one in issues if one.shows],
        "seconds": round(found.seconds, 3),
        "calls": found.calls,
        "unanswered": found.unanswered,
    }


def _phase(one: Phase) -> Data:
    return {
        "deployment": one.place,
        "phase": one.name,
        "before": round(one.before, 3),
        "after": round(one.after, 3),
    }
