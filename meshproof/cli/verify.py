"""`meshproof verify`, which goes on as pytest with the suites, and `meshproof behaviours`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from meshproof.cli.asking import asking
from meshproof.cli.numbers import number_of
from meshproof.cli.options import check_ready, check_writable, say_lines, session_for
from meshproof.console import say_line
from meshproof.environment import for_pytest
from meshproof.errors import EXIT_USAGE, UsageError
from meshproof.files import hand_on, request_text
from meshproof.first import hold_signals
from meshproof.model import Profile, RunRequest
from meshproof.model.request import PYTESTS, has_own_clusters
from meshproof.paths import named
from meshproof.resources import resource
from meshproof.run.again import as_asked_before
from meshproof.run.exact import exact
from meshproof.run.selection import Selection
from meshproof.run.session import Session, orderly_end
from meshproof.run.workers import chosen_workers

CollectOnlyOption = Annotated[
    bool, typer.Option("--collect-only", help="list the tests; nothing is brought up")
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="show the order, and how long it takes; nothing is brought up"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="the result as JSON, for programs")]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="say what does not hold, and the last line alone")
]
AlluredirOption = Annotated[
    str | None,
    typer.Option("--alluredir", metavar="FOLDER", help="results for Allure, written as they come"),
]
JunitxmlOption = Annotated[
    str | None,
    typer.Option("--junitxml", metavar="FILE", help="results for CI systems, as the run ends"),
]
_RESULTS = "the folder of Allure's results"
_JUNIT = "the file of JUnit's results"
_QUIET = ("-qq", "--no-header", "--no-summary")
# The plugin lists them, and counts; nothing runs, so that nothing could be left unclosed, and no
# assertion fails that would have to be explained.
_LIST = (
    *("-p", "no:terminal", "-p", "no:unraisableexception"),
    *("--assert=plain", "--collect-only"),
)


@asking
def verify(
    request: RunRequest,
    *,
    collect_only: CollectOnlyOption = False,
    dry_run: DryRunOption = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
    alluredir: AlluredirOption = None,
    junitxml: JunitxmlOption = None,
) -> None:
    """Install the topologies, judge every behaviour from evidence, and print the verdict."""
    go_on_as_verify(
        request,
        collect_only=collect_only,
        dry_run=dry_run,
        quiet=quiet,
        json=json,
        alluredir=alluredir,
        junitxml=junitxml,
    )


def go_on_as_verify(
    request: RunRequest,
    *,
    collect_only: bool,
    dry_run: bool,
    quiet: bool,
    json: bool,
    alluredir: str | None = None,
    junitxml: str | None = None,
) -> NoReturn:
    """Do what `meshproof verify` does with this request and these options of its own."""
    if collect_only and dry_run:
        raise UsageError("--collect-only and --dry-run ask for two lists", "give one of them")
    only_listed = collect_only or dry_run
    told: list[str] = []
    with orderly_end(_say):
        request = exact(as_asked_before(request), told.append)
        if not only_listed and has_own_clusters(request):
            from meshproof.cli.own import agreed

            request = agreed(request)
        _prepare(request, told, only_listed=only_listed)
        if only_listed:
            switches = [*_LIST, *(_plan("json" if json else "table") if dry_run else ())]
            if collect_only and json:
                switches += _told("json")
            elif dry_run and quiet:
                switches += _told("quiet")
        else:
            switches = [*_QUIET, *_told("json" if json else "quiet" if quiet else "lines")]
            if alluredir is not None:
                switches += _allure(alluredir)
            if junitxml is not None:
                switches.append(f"{PYTESTS}junitxml={_junit(junitxml)}")
    _become_pytest(request, switches)


@asking
def matrix(
    request: RunRequest,
    *,
    shards: Annotated[
        str | None,
        typer.Option(metavar="N", help="so many machines at most; by default one a deployment"),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="as a matrix of GitHub's, on one line")
    ] = False,
) -> None:
    """Share the deployments of a run out among machines, so that all take about as long by the
    records of earlier runs; each gets the arguments that it gives to `meshproof verify`."""
    machines = number_of("--shards", shards) if shards is not None else None
    told: list[str] = []
    with orderly_end(_say):
        request = exact(as_asked_before(request), told.append)
        _prepare(request, told, only_listed=True)
    switches = [*_LIST, *_plan("shards-json" if json else "shards")]
    if machines is not None:
        switches.append(f"{PYTESTS}shards={machines}")
    _become_pytest(request, switches)


def _plan(view: str) -> tuple[str, ...]:
    return (f"{PYTESTS}plan={view}",)


def _told(how: str) -> tuple[str, ...]:
    """How pytest tells the run."""
    return (f"{PYTESTS}tell={how}",) if how != "lines" else ()


def become_verify(request: RunRequest, made: Callable[[Mapping[str, str]], None]) -> NoReturn:
    """Go on as `meshproof verify` does with this request; ``made`` is given the digest of each part
    of the artifacts, when they are there."""
    told: list[str] = []
    with orderly_end(_say):
        request = exact(request, told.append)
        session = _prepare(request, told, only_listed=False)
        made(session.bundle.parts)
    _become_pytest(request, _QUIET)


def _prepare(request: RunRequest, told: Sequence[str], *, only_listed: bool) -> Session:
    """Say what cannot be before anything is made, then make the artifacts that are missing.

    ``told``: what open words of the request came to, said once nothing is wrong with it."""
    selection = Selection(request)
    selection.check()
    selection.check_pool(chosen_workers(request, selection.topologies))
    request_text(request)  # what cannot be handed on is told now
    # The run's own folder is made by pytest, when there is something to record.
    session = session_for(replace(selection.choices, reports=None))
    if request.reuse is not None:
        # What few runs need, and takes long to be loaded: here and below.
        from meshproof.faults.unhealed import unhealed
        from meshproof.lab.kept import find_kept
        from meshproof.mesh.keep import noted_of

        claim, _ = find_kept(request.reuse)
        noted_of(claim)
        unhealed(claim)
    if only_listed:
        say_lines(told)
        return session
    needles = (
        *(request.reuse, request.only, request.revision, request.variant, request.keyword),
        *(request.deployment, request.suite, request.behaviour, request.rerun_failed),
    )
    if any(one not in (None, ()) for one in needles):
        _find_tests(request, session)
    check_ready(session)
    check_writable(request.reports, "the folder of reports")
    say_lines(told)
    _ = session.bundle
    if request.mutants:  # now, and not by each worker while tests wait for it
        from meshproof.mutants.program import program_for

        for version in dict.fromkeys(one.elsewhere for one in selection.releases):
            program_for(session, version)
    return session


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


def _junit(junitxml: str) -> Path:
    """The file that JUnit's results are written into at the end, where one can be."""
    file = named(_JUNIT, junitxml)
    if file.is_dir():
        raise UsageError(f"{_JUNIT}, {file}, is a folder", "name a file")
    check_writable(file.parent, f"the folder of {_JUNIT}")
    return file


def behaviours(
    markdown: Annotated[bool, typer.Option("--markdown", help="as docs/behaviours.md")] = False,
    json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Print which behaviours are judged on which topologies, and why not on the others."""
    if json and markdown:
        raise UsageError("--json and --markdown ask for two forms", "give one of them")
    shape = f"{PYTESTS}behaviours={'json' if json else 'markdown' if markdown else 'table'}"
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
