"""`meshproof known-issues`: the catalogue of behaviours that Istio is known not to keep."""

from __future__ import annotations

from typing import Annotated

import typer

from meshproof.console import say_line
from meshproof.errors import UsageError
from meshproof.files import read_known_issues
from meshproof.report.known_issues import as_json, listing, markdown


def known_issues(
    json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    as_page: Annotated[bool, typer.Option("--markdown", help="as docs/known-issues.md")] = False,
) -> None:
    """List the behaviours that Istio is known not to keep, with versions and public links."""
    if json and as_page:
        raise UsageError("--json and --markdown ask for two forms", "give one of them")
    issues = read_known_issues()
    if json:
        say_line(as_json(issues))
    elif as_page:
        say_line(markdown(issues).rstrip("\n"))
    else:
        say_line(listing(issues))
