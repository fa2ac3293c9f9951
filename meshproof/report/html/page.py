"""The page, from its templates: whatever the record says is escaped, and no script but the page's
own can run, nor anything be fetched."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from meshproof.events import Data
from meshproof.model import issue_name
from meshproof.report.cases import not_run
from meshproof.report.causes import by_cause
from meshproof.report.html import streams
from meshproof.report.html.drawing import Drawing, drawings
from meshproof.report.html.flows import Pictures, Way, ways
from meshproof.report.html.lanes import WIDTH, clock, lanes
from meshproof.report.html.material import Material, Test
from meshproof.report.html.matrix import Suite, by_outcome, suites
from meshproof.report.html.pages import Pages
from meshproof.report.known import mended_in, shown_in
from meshproof.report.outcomes import KNOWN, SIGNS
from meshproof.report.record import Record
from meshproof.report.setting import setting
from meshproof.report.templating import asset, environment
from meshproof.report.timeline import timeline

OUTCOMES = {
    "FAIL": (SIGNS["FAIL"], "failed"),
    "INCONCLUSIVE": (SIGNS["INCONCLUSIVE"], "could not tell"),
    KNOWN: (SIGNS[KNOWN], "known issue"),
    "skipped": (SIGNS["skipped"], "not run"),
    "PASS": (SIGNS["PASS"], "held"),
    "n/a": ("·", "does not apply"),
}
"""The mark and the words of each outcome."""
_MOST_NOT_RUN = 500
_FIELDS = ("status", "upstream_host", "upstream_cluster", "flags", "details", "attempts")


def page(record: Record) -> str:
    """The page's text."""
    material = Material(record)
    found, left = suites(material), not_run(record)
    template = _environment().get_template("report.html.j2")
    style, script = (asset(_environment(), name) for name in ("style.css", "script.js"))
    return template.render(
        material=material,
        record=record,
        suites=found,
        rows=by_outcome(found),
        anchors=_anchors(found),
        causes=by_cause(_unexplained(material)),
        known=shown_in(record.outcomes),
        mended=mended_in(record.outcomes),
        against=_against(material),
        span=_span(record),
        settings=[setting(run.events) for run in record.runs],
        drawings=drawings(material),
        lanes=[one for run in record.runs if (one := lanes(run)) is not None],
        times=[timeline(run.events) for run in record.runs],
        not_run=left[:_MOST_NOT_RUN],
        more_not_run=max(len(left) - _MOST_NOT_RUN, 0),
        pages=Pages(),
        pictures=Pictures(),
        outcomes=OUTCOMES,
        width=WIDTH,
        style=Markup(style),
        script=Markup(script),
        policy="; ".join(
            [
                "default-src 'none'",
                f"style-src '{_digest(style)}'",
                f"script-src '{_digest(script)}'",
                "base-uri 'none'",
                "form-action 'none'",
            ]
        ),
    )


def picture(drawing: Drawing) -> str:
    """A drawing alone, as an element ``svg``; whoever embeds it has the styles of its classes."""
    return _environment().get_template("drawing.svg.j2").render(drawing=drawing, outcomes=OUTCOMES)


def _unexplained(material: Material) -> list[Any]:
    return [one.judged for one in material.tests if one.judged.outcome in ("FAIL", "INCONCLUSIVE")]


def _anchors(found: Iterable[Suite]) -> dict[str, str]:
    """The anchor of the cell that each test is in, by the test's id."""
    rows = chain.from_iterable(suite.rows for suite in found)
    cells = chain.from_iterable(row.every_cell for row in rows)
    return {test.judged.test: cell.anchor for cell in cells for test in cell.tests}


def _against(material: Material) -> list[tuple[str, str]]:
    """What was run against what: a word for each thing, and what it was."""
    meshes = [one for one in material.deployments.values() if "topology" in one]
    ran = {test.judged.deployment for test in material.tests}
    versions = dict.fromkeys(v for one in meshes for v in one["istio"].values())
    kubernetes = dict.fromkeys(one["kubernetes"] for one in material.deployments.values())
    proxies = dict.fromkeys(p for one in material.made_of for p in one["proxies"].values())
    off = dict.fromkeys(f for one in material.made_of for f in one.get("filters_off", []))
    told = [
        ("Istio", ", ".join(versions)),
        ("proxy", ", ".join(proxies) + (f", without {', '.join(off)}" if off else "")),
        ("Kubernetes", ", ".join(kubernetes)),
        ("mTLS", ", ".join(dict.fromkeys(one["mtls"] for one in meshes if one["id"] in ran))),
        ("deployments", str(len(ran))),
        ("tests", str(len(material.record.planned))),
    ]
    return [(what, text) for what, text in told if text]


def _span(record: Record) -> str:
    """When the runs were, and how long they took."""
    times = [event.at for event in record.events]
    if not times:
        return ""
    try:
        day = datetime.fromtimestamp(min(times), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return ""
    took = [max(e.at for e in run.events) - min(e.at for e in run.events) for run in record.runs]
    several = f"{len(took)} runs, " if len(took) > 1 else ""
    return f"{day}, {several}{clock(sum(took))}"


def _ways(test: Test) -> Counter[Way]:
    """How the calls of a test went."""
    return ways(test.told.calls, test.gateways)


def _lines(test: Test) -> list[Data]:
    """The lines of access logs that the record has of a test's calls, three at most."""
    return [line for batch in test.told.calls for line in batch.get("lines", [])][:3]


def _log_line(line: Data) -> str:
    """A line of an access log: what tells most of it comes first."""
    order = [*(name for name in _FIELDS if name in line), *(n for n in line if n not in _FIELDS)]
    return " ".join(f"{name}={line[name]}" for name in order)


def _wire(test: Test) -> list[tuple[str, str, int]]:
    """What the wire counted during a test, the most first: where, what, how many packets."""
    counted: Counter[tuple[str, str]] = Counter()
    for one in test.told.wire:
        for flow in one["flows"]:
            counted[flow["place"], f"{flow['kind']} {flow['source']} → {flow['target']}"] += flow[
                "packets"
            ]
        for some in one["packets"]:
            counted[some["place"], some["kind"]] += some["packets"]
    return [
        (place.replace("_to_", " → "), what, count)
        for (place, what), count in counted.most_common(12)
    ]


def _untold(texts: Sequence[str], why: str) -> bool:
    """Whether a test's reason says more than its verdicts do."""
    return bool(why) and not any(text and text in why for text in texts)


def _is_public(link: str) -> bool:
    """Whether a link may be followed from the page."""
    return link.startswith("https://")


@cache
def _environment() -> Environment:
    made = environment(
        "meshproof.report.html",
        clock=clock,
        issue_name=issue_name,
        log_line=_log_line,
        public=_is_public,
    )
    made.globals |= {
        "ways": _ways,
        "lines": _lines,
        "wire": _wire,
        "streams": streams.pictures,
        "untold": _untold,
    }
    return made


def _digest(text: str) -> str:
    """By what a Content Security Policy lets through a style or a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
