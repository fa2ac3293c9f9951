"""The pytest plugin: options, the matrix of deployments, order, verdicts and exit codes."""

from __future__ import annotations

import json
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from meshproof.console import explained, say_line
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_HELD, MeshproofError
from meshproof.events import Listener
from meshproof.files import BARES, read_footprint, read_known_issues
from meshproof.live import LiveNarrator
from meshproof.model import Deployment, Footprint, Policy
from meshproof.narrator import Narrator, QuietNarrator
from meshproof.run.session import orderly_end, unhurried
from meshproof.runner import (
    applies,
    behaviours,
    declaring,
    enforcing,
    late,
    planning,
    recording,
    showing,
    unjudged,
)
from meshproof.runner.bare_lab import bare_labs, runs_on
from meshproof.runner.behaviours import BEHAVIOURS, Behaviours
from meshproof.runner.choosing import is_asked_for
from meshproof.runner.declaring import declared_by, note
from meshproof.runner.ending import Heard, end_run
from meshproof.runner.enforcing import as_failure
from meshproof.runner.failures import collect_evidence, note_cause
from meshproof.runner.fixtures import register_fixtures
from meshproof.runner.judging import (
    DidNotHoldError,
    InconclusiveError,
    KnownIssueError,
    was_judged,
)
from meshproof.runner.known import CATALOGUE, policy_of
from meshproof.runner.late import does_not_apply, note_late
from meshproof.runner.matrix import MATRIX, Matrix, expand
from meshproof.runner.options import (
    add_options,
    conforms,
    pytest_cmdline_main,  # noqa: F401 - a hook of this plugin by being here
    pytest_load_initial_conftests,  # noqa: F401 - so is this one
    request_of,
    selection_of,
    usage,
)
from meshproof.runner.order import in_order
from meshproof.runner.recording import record_test
from meshproof.runner.stash import LABS, NARRATOR, ROUND, SESSION
from meshproof.runner.unjudged import (
    refusal,
    remember,
    spare_other_clusters,
    spare_other_meshes,
    spare_what_is_kept,
)
from meshproof.runner.workers import (
    Controller,
    is_controller,
    is_worker,
    make_session,
    pytest_xdist_auto_num_workers,  # noqa: F401 - a hook of this plugin by being here
    tell_controller,
    worker_count,
)

_HEARD = pytest.StashKey[Heard]()
_ENDING = pytest.StashKey[Any]()
_LISTED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


def pytest_addoption(parser: pytest.Parser) -> None:
    """meshproof's own options, in a group of their own."""
    add_options(parser.getgroup("meshproof"))


def pytest_configure(config: pytest.Config) -> None:
    """Fixtures, markers, the session, and an orderly end on SIGTERM."""
    for part in (declaring, enforcing, late, planning, recording, showing, unjudged):
        config.pluginmanager.register(part)
    register_fixtures(config)
    config.addinivalue_line(
        "markers",
        "bare_lab(clusters, *wirings, name): the bare clusters and the wirings that a test runs "
        "on, for example bare_lab('east,west', 'isolated', 'flat'), and which of "
        f"{', '.join(BARES)} asks for them (the first, unless it is named)",
    )
    config.addinivalue_line("markers", "last: the test removes the mesh, so it comes last on it")
    for marker in (*applies.MARKERS, *behaviours.MARKERS):
        config.addinivalue_line("markers", marker)
    config.stash[NARRATOR] = narrator = _narrator(config)
    config.stash[_HEARD] = heard = Heard()
    listeners: list[Listener] = [narrator, heard] if conforms(config) else []
    try:
        choices = selection_of(config).choices
        if not is_worker(config):
            selection_of(config).check_pool(worker_count(config))
        config.stash.setdefault(CATALOGUE, read_known_issues())
        config.stash[SESSION] = session = make_session(config, choices, listeners)
        if not is_worker(config) and (choices.kubernetes or choices.istio):
            session.check_versions()
        if folder := getattr(config.option, "allure_report_dir", None):
            # Allure takes a while to load, which no run without it need wait for.
            from meshproof.runner.allure_live import report_live

            report_live(config, session, Path(folder))
        if is_controller(config):
            config.pluginmanager.register(Controller(config, session, narrator, listeners))
    except MeshproofError as error:
        raise usage(config, error) from error
    ending = orderly_end(narrator.say)
    ending.__enter__()
    config.stash[_ENDING] = ending


def _narrator(config: pytest.Config) -> Narrator:
    """Who tells the run: on a terminal what goes on now as well, in a log line by line."""
    tell = config.option.meshproof_tell
    if tell == "quiet":
        return QuietNarrator(Console())
    if tell == "json":  # which has standard output for itself
        return Narrator(Console(stderr=True))
    console = Console()
    is_told = conforms(config) and not config.option.collectonly and not is_worker(config)
    return LiveNarrator(console) if is_told and console.is_terminal else Narrator(console)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give signals back to whoever had them."""
    if NARRATOR in config.stash:
        config.stash[NARRATOR].close()
    if _ENDING in config.stash:
        config.stash[_ENDING].__exit__(None, None, None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each of its deployments or bare labs, from each cluster or pair of clusters,
    as often as it is asked for."""
    if "sample" in metafunc.fixturenames:
        note(metafunc.definition, expand(metafunc, _matrix(metafunc.config)))
    elif "lab" in metafunc.fixturenames:
        _on_bare_labs(metafunc)
    else:
        return
    rounds = selection_of(metafunc.config).rounds
    if rounds > 1:
        metafunc.fixturenames.append(ROUND)
        metafunc.parametrize(ROUND, [f"#{number}" for number in range(1, rounds + 1)])


def _on_bare_labs(metafunc: pytest.Metafunc) -> None:
    marker = next(metafunc.definition.iter_markers("bare_lab"), None)
    if marker is None:
        raise pytest.UsageError(
            f"{metafunc.definition.nodeid} uses a lab but has no marker bare_lab"
        )
    bare = bare_labs(marker)
    selection = selection_of(metafunc.config)
    unable = applies.lacking(metafunc.definition.iter_markers(), selection.capabilities)
    if unable is not None:
        asked = {str(one): unable for one in bare if selection.asks_for_bare(one.name)}
        note(metafunc.definition, declared_by(metafunc.definition, bare_left_out=asked))
        # As for a mesh: a parameter that nobody runs, since pytest would make a skip of none.
        metafunc.parametrize("lab", [pytest.param(None, id="nowhere")], indirect=True)
        if "pair" in metafunc.fixturenames:
            metafunc.parametrize("pair", [None])
        return
    names = tuple(map(str, bare))
    note(metafunc.definition, declared_by(metafunc.definition, bare=names))
    if "pair" not in metafunc.fixturenames:
        metafunc.parametrize("lab", bare, ids=str, indirect=True)
        return
    combined = [(one, pair) for one in bare for pair in one.pairs]
    ids = [f"{one}-{pair[0]}-to-{pair[1]}" for one, pair in combined]
    metafunc.parametrize(("lab", "pair"), combined, ids=ids, indirect=["lab"])


def _matrix(config: pytest.Config) -> Matrix:
    if MATRIX not in config.stash:
        kubernetes = config.stash[SESSION].wanted.kubernetes
        config.stash[MATRIX] = Matrix.of(selection_of(config), kubernetes)
    return config.stash[MATRIX]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for, and put tests that share a lab or a mesh together."""
    config.stash[BEHAVIOURS] = Behaviours.of(items)
    remember(config, [item for item in items if runs_on(item)])
    asked = [item for item in items if is_asked_for(item)]
    footprint_of = partial(_footprint, config)
    chosen = spare_other_clusters(config, spare_what_is_kept(config, asked), footprint_of)
    chosen = spare_other_meshes(config, chosen)
    config.hook.pytest_deselected(items=list(set(items).difference(chosen)))
    items[:] = in_order(chosen, runs_on)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Without pytest's own summary, nobody else would say why a suite cannot be read."""
    if report.failed:
        say_line(str(report.longrepr))


def pytest_collection_finish(session: pytest.Session) -> None:
    """List the tests, where that is all that was asked for, and count them in words."""
    config, option = session.config, session.config.option
    otherwise = option.meshproof_behaviours or option.meshproof_plan
    if not (conforms(config) and option.collectonly) or otherwise or session.testsfailed:
        return
    if not config.pluginmanager.hasplugin("terminalreporter"):  # which lists them itself
        if option.meshproof_tell == "json":
            say_line(json.dumps({"tests": [item.nodeid for item in session.items]}, indent=1))
            return
        say_line("\n".join(item.nodeid for item in session.items))
    places = _counted(len({str(runs_on(item)) for item in session.items}), "deployment")
    say_line(f"{_counted(len(session.items), 'test')} would run, on {places}.")


def pytest_internalerror(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """One sentence for what the machine refuses; pytest's own pages look like a verdict's."""
    if not isinstance(excinfo.value, Exception):
        return False
    explained(excinfo.value)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Record how each test ended; what only meshproof said needs no traceback."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, MeshproofError | DidNotHoldError) and runs_on(item):
        report.longrepr = str(error)
    if report.when == "call" and report.passed and runs_on(item) and not was_judged(item):
        error = InconclusiveError("the test ended without a verdict: nothing was judged")
        report.outcome, report.longrepr = "failed", str(error)
    if does_not_apply(item):
        if report.skipped:
            note_late(item)
        return report
    known = isinstance(error, KnownIssueError)
    if isinstance(error, KnownIssueError) and policy_of(item.config) is Policy.ALLOW:
        # pytest's own word for what fails as it should, which fails no run.
        report.outcome = "skipped"
        report.wasxfail = f"known issue {error.names}"
    if report.failed and runs_on(item):
        _note_why_unjudged(item, error)
        collect_evidence(item)
    if report.skipped and request_of(item.config).enforce and not known:
        report, error = as_failure(report, error)
    if report.when == "call" or report.outcome != "passed":
        record_test(item, report, error)
    return report


def _note_why_unjudged(item: pytest.Item, error: BaseException | None) -> None:
    """Note for a test that ended without a verdict what it was that kept it from one.

    A cluster that is lost shows in many ways; the tests after this one need not find out again.
    """
    if isinstance(error, InconclusiveError | DidNotHoldError):
        return
    labs = item.config.stash.get(LABS, None)
    lost = labs.lost() if labs is not None else None
    if lost is not None:
        note_cause(item, lost)
    elif isinstance(error, MeshproofError):
        note_cause(item, error)


def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """A verdict that is not clear counts as an error; the narrator has named each already."""
    if report.failed and getattr(report, "inconclusive", False):
        return "error", "" if conforms(config) else "E", "INCONCLUSIVE"
    if conforms(config):
        said = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        return said if report.when == "call" else "", "", ""
    return None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Table and exit code: 0 all held, 1 something did not, 2 could not tell, 64 usage.

    Not in ``pytest_terminal_summary``: before pytest 9, ``--no-summary`` keeps that from being
    called.
    """
    config = session.config
    refused = refusal(config)
    if refused is not None:
        session.exitstatus = refused
    elif is_worker(config):
        tell_controller(config, config.stash[SESSION].recorder.lost)
    elif conforms(config) and config.option.collectonly:
        session.exitstatus = EXIT_HELD if exitstatus in _LISTED else EXIT_COULD_NOT_TELL
    elif conforms(config):
        config.stash[NARRATOR].close()
        with unhurried(lambda text: say_line(text, err=True)):
            session.exitstatus = end_run(config, config.stash[_HEARD].events, exitstatus)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _footprint(config: pytest.Config, item: pytest.Item) -> Footprint | None:
    """The clusters that a test stands on; None for tests that are none of ours."""
    on, kubernetes = runs_on(item), config.stash[SESSION].wanted.kubernetes
    if isinstance(on, Deployment):
        return on.topology.footprint(kubernetes)
    return read_footprint(on.clusters, kubernetes) if on is not None else None
