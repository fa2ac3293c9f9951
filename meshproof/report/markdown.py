"""`report.md`: a record for a pull request or a job's summary, what did not hold first.

GitHub refuses summaries of more than 1 MiB whole: what does not fit is counted and left out, from
the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from meshproof.model import issue_name
from meshproof.report.about import about
from meshproof.report.cases import cases, not_run
from meshproof.report.causes import Cause, by_cause
from meshproof.report.formats import written
from meshproof.report.known import mended_in, shown_in
from meshproof.report.marked import cell, code, fenced, link, table
from meshproof.report.outcomes import KNOWN, WORST_FIRST, Judged
from meshproof.report.record import Record
from meshproof.report.texts import bounded

NAME = "report.md"
MOST = 2**20
"""Bytes that GitHub takes."""
_SIGNS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "❓", "skipped": "⏭️", KNOWN: "⚠️"}
_WORDS = {
    "PASS": "held",
    "FAIL": "did not hold",
    "INCONCLUSIVE": "could not be told",
    "skipped": "was skipped",
    KNOWN: "failed as a known issue says",
}
_LONGEST = 4000
_EXIT = {0: "✅", 1: "❌"}


def render(record: Record, folder: Path) -> list[Path]:
    """Write the file into a folder. Raises MeshproofError when it cannot be written."""
    return [written(folder / NAME, markdown(record))]


def markdown(record: Record, most: int = MOST) -> str:
    """The text, of ``most`` bytes of UTF-8 at most."""
    return joined(_sections(record), most)


def joined(sections: Iterable[str], most: int) -> str:
    """As many sections, in order, as fit into so many bytes, and how many do not."""
    given = list(sections)
    left = most - 200  # for the line that tells what is left out
    taken = 0
    for section in given:
        left -= len(section.encode()) + 2
        if left < 0:
            break
        taken += 1
    lacking = len(given) - taken
    told = [f"*… and {lacking} more sections, which would be too long here.*"] if lacking else []
    return "\n\n".join([*given[:taken], *told]) + "\n"


def _sections(record: Record) -> Iterable[str]:
    found = record.ending
    yield f"## {_EXIT.get(found.exit_code, '❓')} {cell(found.tally.line(found.exit_code))}"
    if found.early is not None:
        yield f"**{cell(found.early)}**"
    yield _made_of(record)
    tests = [one.judged for one in cases(record)]
    for outcome in ("FAIL", "INCONCLUSIVE", "skipped"):
        causes = by_cause(one for one in tests if one.outcome == outcome)
        if causes:
            yield f"### {_SIGNS[outcome]} What {_WORDS[outcome]}"
        for cause in causes:
            yield _cause(cause)
    if lacking := not_run(record):
        yield f"### ❓ What was not run\n\n{_tests(lacking)}"
    yield from _known(tests)
    yield from _matrix(tests)


def _made_of(record: Record) -> str:
    made_of = about(record)
    proxies = (f"Istio {istio} with {proxy}" for istio, proxy in made_of.proxies.items())
    given = {
        "meshproof": ", ".join(made_of.bench),
        "Istio": ", ".join(made_of.istio),
        "Kubernetes": ", ".join(made_of.kubernetes),
        "engine": ", ".join(made_of.engines),
        "proxies": "; ".join(proxies),
    }
    return " · ".join(f"{name} {cell(value)}" for name, value in given.items() if value)


def _cause(cause: Cause) -> str:
    """A cause with its tests: folded, since one may have hundreds."""
    first = cause.tests[0]
    name = f"{first.behaviour} on {first.deployment}"
    count = f"{len(cause.tests)} tests" if len(cause.tests) > 1 else "1 test"
    head = f"**{code(name)}**, {count}: {cell(first.sentence)}"
    if cause.unjudged:
        head = f"**{count} could not be judged**, the first: {code(name)}"
    parts = [head, fenced(bounded(cause.text, _LONGEST))]
    if len(cause.tests) > 1:
        listed = _tests([one.test for one in cause.tests])
        parts.append(f"<details><summary>{count}</summary>\n\n{listed}\n\n</details>")
    return "\n\n".join(parts)


def _tests(tests: Sequence[str]) -> str:
    return "\n".join(f"- {code(test)}" for test in tests)


def _known(tests: Sequence[Judged]) -> Iterable[str]:
    shown = shown_in(tests)
    if shown:
        yield f"### {_SIGNS[KNOWN]} Known issues that showed"
        rows = [
            [
                link(issue_name(one.issue.link), one.issue.link),
                cell(one.issue.seen),
                str(len(one.tests)),
            ]
            for one in shown
        ]
        yield table(("issue", "what is seen", "tests"), rows)
    mended = mended_in(tests)
    if mended:
        yield "### 🎉 Known issues that did not show, though they should have"
        rows = [
            [link(issue_name(one.issue.link), one.issue.link), cell(", ".join(one.deployments))]
            for one in mended
        ]
        yield table(("issue", "seems to be mended on"), rows)


def _matrix(outcomes: Sequence[Judged]) -> Iterable[str]:
    """A table for each suite: its behaviours by deployment, those first that did not hold."""
    suites: dict[str, list[Judged]] = {}
    for one in outcomes:
        suites.setdefault(one.behaviour.partition("/")[0], []).append(one)
    if suites:
        legend = ", ".join(f"{sign} {_WORDS[outcome]}" for outcome, sign in _SIGNS.items())
        yield f"### Behaviours\n\n{legend}"
    for name, own in sorted(suites.items(), key=lambda suite: min(map(_badness, suite[1]))):
        signs = "".join(
            _SIGNS[worst] for worst in WORST_FIRST if any(o.outcome == worst for o in own)
        )
        body = _suite(own)
        yield f"<details><summary>{signs} {cell(name)}</summary>\n\n{body}\n\n</details>"


def _suite(own: Sequence[Judged]) -> str:
    deployments = list(dict.fromkeys(one.deployment for one in own))
    cells: dict[tuple[str, str], list[Judged]] = {}
    for one in own:
        cells.setdefault((one.behaviour, one.deployment), []).append(one)
    rows = [
        [code(behaviour), *(_cell(cells.get((behaviour, on), ())) for on in deployments)]
        for behaviour in dict.fromkeys(one.behaviour for one in own)
    ]
    return table(("behaviour", *map(cell, deployments)), rows)


def _cell(tests: Sequence[Judged]) -> str:
    if not tests:
        return ""
    worst = min(tests, key=_badness).outcome
    count = sum(one.outcome == worst for one in tests)
    others = f" of {len(tests)}" if count < len(tests) else ""
    return f"{_SIGNS[worst]} {count}{others}"


def _badness(one: Judged) -> int:
    return WORST_FIRST.index(one.outcome)
