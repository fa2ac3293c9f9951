"""`annotations.txt`: what a step of GitHub Actions prints to have failures shown beside the code.

`cat annotations.txt` in a workflow is all there is to do. GitHub shows ten errors, ten warnings and
ten notices of a step: each cause is one, and the failures come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from meshproof.model import issue_name
from meshproof.report.cases import cases, not_run
from meshproof.report.causes import Cause, by_cause
from meshproof.report.formats import written
from meshproof.report.known import mended_in, shown_in
from meshproof.report.record import Record
from meshproof.report.texts import bounded, in_line

NAME = "annotations.txt"
_LONGEST = 4000
_TITLE = 200


def render(record: Record, folder: Path) -> list[Path]:
    """Write the file into a folder. Raises MeshproofError when it cannot be written."""
    return [written(folder / NAME, commands(record))]


def commands(record: Record) -> str:
    """The commands, one a line; nothing where everything held."""
    return "".join(f"{one}\n" for one in _commands(record))


def _commands(record: Record) -> Iterable[str]:
    tests = [one.judged for one in cases(record)]
    for outcome, command in (
        ("FAIL", "error"),
        ("INCONCLUSIVE", "warning"),
        ("skipped", "warning"),
    ):
        for cause in by_cause(one for one in tests if one.outcome == outcome):
            yield _of_cause(command, cause)
    if lacking := not_run(record):
        why = record.ending.early or "The run came to its end without them."
        yield _command("warning", f"{len(lacking)} tests were not run", why)
    for shown in shown_in(tests):
        title = f"known issue {issue_name(shown.issue.link)}, {len(shown.tests)} tests"
        yield _command("notice", title, f"{shown.issue.seen}\n{shown.issue.link}")
    for mended in mended_in(tests):
        yield _command("notice", f"{issue_name(mended.issue.link)} seems to be mended", str(mended))


def _of_cause(command: str, cause: Cause) -> str:
    first, more = cause.tests[0], len(cause.tests) - 1
    others = f" and {more} more" if more else ""
    title = f"{first.behaviour} on {first.deployment}{others}"
    return _command(
        command, title, f"{first.sentence}\n{cause.text}", first.test.partition("::")[0]
    )


def _command(command: str, title: str, text: str, file: str = "") -> str:
    """A workflow command, escaped as GitHub's own toolkit does it (actions/toolkit, command.ts)."""
    given: Mapping[str, str] = {"file": in_line(file), "title": in_line(title, _TITLE)}
    words = ",".join(f"{name}={_property(value)}" for name, value in given.items() if value)
    return f"::{command} {words}::{_data(bounded(text, _LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
