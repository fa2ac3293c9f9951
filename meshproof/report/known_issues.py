"""The catalogue of known issues: for a terminal, as Markdown, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from meshproof.model import CONDITIONS, KnownIssue

_COLUMNS = ("behaviour", "Istio", "when", "what is seen")
_PREFACE = """\
# Known issues

Made from `meshproof/known-issues.yaml` by `make docs`, not written by hand; `meshproof known-issues` prints it, with `--json` for programs.

These are behaviours that users rely on and some versions of Istio do not keep, each with the public issue. Such a failure is told as KNOWN, with its link, and does not fail a run by itself, if every part of the verdict that failed was seen just as the entry says. On another version, where a condition does not hold, or seen otherwise, it is a failure as any; where something else beside it failed or could not be told, that is what the verdict is on. What is KNOWN has been judged, also for `--enforce`.

If every test of a behaviour on a deployment held where an entry applies to it, the end of the run says so: the issue seems to be mended there, and the entry needs an upper version. A sabotage whose claim failed just as an entry says has shown nothing, and is KNOWN as well.

The versions are those of the istiod that serves the caller; where a test has no caller, all control planes must be of them. A pre-release counts as the release that it leads to.
"""  # noqa: E501 - a paragraph of Markdown is one line


def listing(issues: Iterable[KnownIssue]) -> str:
    """The catalogue for a terminal, in lines."""
    texts = []
    for one in issues:
        behaviour, versions, when, seen = _cells(one)
        texts.append(
            f"{one.name}  {one.link}\n  {behaviour}, Istio {versions}, when: {when}\n  {seen}"
        )
    return "\n\n".join(texts)


def markdown(issues: Sequence[KnownIssue]) -> str:
    """The catalogue as a page."""
    lines = [_PREFACE, f"| issue | {' | '.join(_COLUMNS)} |", f"|{' --- |' * 5}"]
    for one in issues:
        behaviour, *others = _cells(one)
        cells = (f"[{one.name}]({one.link})", f"`{behaviour}`", *others)
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "## Conditions", ""]
    lines += [f"- *{one.name}*: {one.meaning}" for one in CONDITIONS.values()]
    return "\n".join(lines) + "\n"


def as_json(issues: Iterable[KnownIssue]) -> str:
    """The catalogue as a list of objects."""
    return json.dumps(
        [
            {
                "name": one.name,
                "link": one.link,
                "behaviour": one.behaviour,
                "istio": str(one.istio),
                "when": list(one.when),
                "topologies": list(one.topologies),
                "mtls": [mode.value for mode in one.mtls],
                "seen": one.seen,
                "observed": list(one.observed),
            }
            for one in issues
        ],
        indent=2,
    )


def _cells(one: KnownIssue) -> tuple[str, str, str, str]:
    where = [*one.when, *(f"on {name}" for name in one.topologies)]
    where += [f"mTLS {mode.value}" for mode in one.mtls]
    return one.behaviour, str(one.istio) or "all", ", ".join(where) or "always", one.seen
