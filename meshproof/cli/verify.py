"""`meshproof verify`, which goes on as pytest with the suites, and `meshproof behaviours`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, NoReturn

import typer

from meshproof.cli.asking import asking
from meshproof.cli.options import check_ready, check_writable, session_for
from meshproof.console import say_line
from meshproof.environment import for_pytest
from meshproof.errors import EXIT_USAGE
from meshproof.files import hand_on, request_text
from meshproof.first import hold_signals
from meshproof.model import Profile, RunRequest
from meshproof.model.request import PYTESTS
from meshproof.paths import named
from meshproof.resources import resource
from meshproof.run.selection import Selection
from meshproof.run.session import Session, orderly_end
from meshproof.run.workers import chosen_workers

CollectOnlyOption = Annotated[
    bool, typer.Option("--collect-only", help="list the tests; nothing is brought up")
]
AlluredirOption = Annotated[
    str | None,
    typer.Option("--alluredir", metavar="FOLDER", help="results for Allure, written as they come"),
]
_RESULTS = "the folder of Allure's results"
_QUIET = ("-qq", "--no-header", "--no-summary")
# The plugin lists them, and counts; nothing has run that would have left anything unclosed.
_LIST = ("-p", "no:terminal", "-p", "no:unraisableexception", "--collect-only")


@asking
def verify(
    request: RunRequest,
    *,
    collect_only: CollectOnlyOption = False,
    alluredir: AlluredirOption = None,
) -> None:
    """Install the topologies, judge every behaviour from evidence, and print the verdict."""
    switches = [*(_LIST if collect_only else _QUIET)]
    with orderly_end(_say):
        _prepare(request, only_listed=collect_only)
        if alluredir is not None and not collect_only:
            switches += _allure(alluredir)
    _become_pytest(request, switches)


def _prepare(request: RunRequest, *, only_listed: bool) -> None:
    """Say what cannot be before anything is made, then make the artifacts that are missing."""
    selection = Selection(request)
    selection.check()
    selection.check_pool(chosen_workers(request, selection.topologies))
    request_text(request)  # what cannot be handed on is told now
    # The run's own folder is made by pytest, when there is something to record.
    session = session_for(replace(selection.choices, reports=None))
    if request.reuse is not None:
        # What few runs need, and takes long to be loaded: here and below.
        from meshproof.lab.kept import find_kept
        from meshproof.mesh.keep import noted_of

        claim, _ = find_kept(request.reuse)
        noted_of(claim)
    if only_listed:
        return
    needles = (request.reuse, request.only, request.revision)
    if request.variant or any(one is not None for one in needles):
        _find_tests(request, session)
    check_ready(session)
    check_writable(request.reports, "the folder of reports")
    _ = session.bundle
    if request.mutants:  # now, and not by each worker while tests wait for it
        from meshproof.mutants.program import program_for

        for version in dict.fromkeys(one.elsewhere for one in selection.releases):
            program_for(session, version)


def _find_tests(request: RunRequest, session: Session) -> None:
    """Ask pytest, which takes two seconds, whether there are the tests that were named."""
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = session.shell.run(_pytest(request, _LIST), env=alone, check=False)
    if found.returncode == EXIT_USAGE:
        _say(found.stderr.strip())
        raise typer.Exit(EXIT_USAGE)


def _allure(alluredir: str) -> list[str]:
    """What makes pytest write results for Allure into a folder, which can be written to."""
    folder = named(_RESULTS, alluredir)
    check_writable(folder, _RESULTS)
    return ["-p", "allure_pytest.plugin", f"--alluredir={folder}"]


def behaviours(
    markdown: Annotated[bool, typer.Option("--markdown", help="as docs/behaviours.md")] = False,
) -> None:
    """Print which behaviours are judged on which topologies, and why not on the others."""
    shape = f"{PYTESTS}behaviours={'markdown' if markdown else 'table'}"
    _become_pytest(RunRequest(profile=Profile.ALL), [*_LIST, shape])


def _become_pytest(request: RunRequest, switches: Sequence[str]) -> NoReturn:
    """Go on as pytest, with the suites: signals and the exit code are then pytest's own."""
    sys.stdout.flush()
    hold_signals()
    os.execve(sys.executable, _pytest(request, switches), for_pytest(os.environ))


def _pytest(request: RunRequest, switches: Sequence[str]) -> list[str]:
    """The command line of pytest for a request, with the suites' own configuration, and with no
    other plugins than these: what was asked for is what runs, wherever it is run."""
    suites = resource("suites")
    argv = [sys.executable, "-P", "-m", "meshproof.runner", "-c", str(suites / "verify.ini")]
    argv += ["--rootdir", str(suites.parent), "-p", "xdist.plugin", "-p", "meshproof.runner.plugin"]
    argv += ["-p", "no:cacheprovider", "--capture=no", *switches]
    # The suites as words as well: else pytest reads a conftest.py of the working directory.
    return [*argv, str(suites), f"{PYTESTS}request={hand_on(request)}"]


def _say(text: str) -> None:
    say_line(text, err=True)
