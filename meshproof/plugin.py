"""The pytest plugin: options, the matrix of grounds, order, verdicts and exit codes."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from meshproof.console import Narrator, wide_console
from meshproof.errors import (
    EXIT_COULD_NOT_TELL,
    EXIT_DID_NOT_HOLD,
    EXIT_HELD,
    EXIT_USAGE,
    MeshproofError,
)
from meshproof.expect import Outcome, Verdict
from meshproof.fixtures import ground as ground_fixtures
from meshproof.fixtures.ground import SESSION, Ground
from meshproof.report import Judged, summary
from meshproof.session import Choices, Session, orderly_end

_OUTCOMES = pytest.StashKey[list[Judged]]()
_NARRATOR = pytest.StashKey[Narrator]()
_ENDING = pytest.StashKey[Any]()


_JUDGED = pytest.StashKey[bool]()


class InconclusiveError(MeshproofError):
    """A verdict was INCONCLUSIVE: an error in pytest's terms, never a skip."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """meshproof's own options, in a group of their own."""
    group = parser.getgroup("meshproof")
    group.addoption("--engine", choices=("podman", "docker"), help="container engine")
    group.addoption(
        "--artifacts",
        choices=("published", "built", "checkout"),
        help="where binaries and images come from (default: published if to be had, else built)",
    )
    group.addoption("--checkout", type=Path, help="an Istio source tree, for --artifacts checkout")
    group.addoption("--kubernetes", help="Kubernetes version of the clusters")
    group.addoption("--istio", action="append", default=[], help="Istio version (repeatable)")
    group.addoption("--only", metavar="TEST", help="run the one test that the summary names so")
    group.addoption("--keep", action="store_true", help="keep the last lab when the run ends")
    group.addoption("--reuse", metavar="LAB", help="use the kept lab LAB instead of a new one")
    group.addoption("--reports", type=Path, default=Path("reports"), help="where runs are kept")
    group.addoption(
        "--conformance", action="store_true", help="table at the end, exit codes 0, 1, 2 and 64"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Fixtures, markers, the session, and an orderly end on SIGTERM."""
    config.pluginmanager.register(ground_fixtures, "meshproof-ground")
    config.addinivalue_line(
        "markers",
        "ground(clusters, *wirings): the bare clusters and the wirings that a test runs on, "
        "for example ground('east,west', 'isolated', 'flat')",
    )
    narrator = Narrator(wide_console())
    options = config.option
    choices = Choices(
        engine=options.engine,
        source=options.artifacts,
        checkout=options.checkout,
        kubernetes=options.kubernetes,
        istio=tuple(options.istio),
        reports=options.reports,
    )
    config.stash[SESSION] = Session(choices, [narrator] if options.conformance else [])
    config.stash[_NARRATOR] = narrator
    config.stash[_OUTCOMES] = []
    ending = orderly_end(narrator.say)
    ending.__enter__()
    config.stash[_ENDING] = ending


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give signals back to whoever had them."""
    if _ENDING in config.stash:
        config.stash[_ENDING].__exit__(None, None, None)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on each ground its marker names, and with each ordered pair of its clusters."""
    if "lab" not in metafunc.fixturenames:
        return
    marker = next(metafunc.definition.iter_markers("ground"), None)
    if marker is None:
        raise pytest.UsageError(f"{metafunc.definition.nodeid} uses a lab but names no ground")
    clusters, *wirings = marker.args
    grounds = [Ground(clusters, wiring) for wiring in wirings]
    if "pair" not in metafunc.fixturenames:
        metafunc.parametrize("lab", grounds, ids=str, indirect=True)
        return
    combined = [(ground, pair) for ground in grounds for pair in ground.pairs]
    ids = [f"{ground}-{pair[0]}-to-{pair[1]}" for ground, pair in combined]
    metafunc.parametrize(("lab", "pair"), combined, ids=ids, indirect=["lab"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests of one ground next to each other, in the order in which grounds first come."""
    only = config.option.only
    if only is not None:
        chosen = [item for item in items if item.nodeid == only]
        if not chosen:
            pytest.exit(f"there is no test '{only}': take it from a summary", EXIT_USAGE)
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen
    order: dict[tuple[str, ...], int] = {}

    def place(item: pytest.Item) -> tuple[int, int]:
        ground = _ground(item)
        if ground is None:
            return (-1, -1)
        lab = order.setdefault((ground.clusters,), len(order))
        return (lab, order.setdefault((ground.clusters, ground.wiring), len(order)))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note each test's outcome in the record; what only meshproof said needs no traceback."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, MeshproofError | AssertionError) and _ground(item):
        report.longrepr = str(error)
    if report.when == "call" and report.passed and _ground(item) and _JUDGED not in item.stash:
        error = InconclusiveError("the test ended without a verdict: nothing was judged")
        report.outcome, report.longrepr = "failed", str(error)
    if report.when == "call" or report.outcome != "passed":
        _note(item, report, error)
    return report


def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """A verdict that is not clear counts as an error; the narrator has named each already."""
    if report.failed and getattr(report, "inconclusive", False):
        return "error", "" if config.option.conformance else "E", "INCONCLUSIVE"
    if config.option.conformance:
        return report.outcome if report.when == "call" else "", "", ""
    return None


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(config: pytest.Config) -> None:
    """The table of behaviours, and where the run's record is."""
    outcomes = config.stash[_OUTCOMES]
    if not config.option.conformance or not outcomes:
        return
    console = wide_console()
    console.print(summary(outcomes))
    session = config.stash[SESSION]
    console.print(f"\nRecord: {session.folder}", highlight=False, soft_wrap=True)
    failed = [one.test for one in outcomes if one.outcome in ("FAIL", "INCONCLUSIVE")]
    if failed:
        command = f"meshproof verify --only '{failed[0]}'"
        console.print(f"To repeat the first failure: {command}", markup=False, soft_wrap=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Exit codes: 0 all held, 1 something did not, 2 could not tell, 64 usage."""
    if session.config.option.conformance:
        session.exitstatus = _exit_code(session.config.stash[_OUTCOMES], exitstatus)


def _exit_code(outcomes: list[Judged], exitstatus: int) -> int:
    found = {one.outcome for one in outcomes}
    if exitstatus in (EXIT_USAGE, pytest.ExitCode.USAGE_ERROR):
        return EXIT_USAGE
    if "FAIL" in found:
        return EXIT_DID_NOT_HOLD
    if exitstatus != pytest.ExitCode.OK or found != {"PASS"}:
        return EXIT_COULD_NOT_TELL
    return EXIT_HELD


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Any:
    """A function that takes a Verdict, records it, and ends the test unless it is a PASS."""
    recorder = request.config.stash[SESSION].recorder

    def pronounce(verdict: Verdict) -> None:
        request.node.stash[_JUDGED] = True
        recorder.emit(
            "verdict",
            outcome=verdict.outcome.value,
            expected=verdict.expected,
            observed=verdict.observed,
            evidence=dict(verdict.evidence),
        )
        if verdict.outcome is Outcome.INCONCLUSIVE:
            raise InconclusiveError(str(verdict))
        assert verdict.outcome is Outcome.PASS, str(verdict)

    return pronounce


def _ground(item: pytest.Item) -> Ground | None:
    params = getattr(getattr(item, "callspec", None), "params", {})
    ground = params.get("lab")
    return ground if isinstance(ground, Ground) else None


def _note(item: pytest.Item, report: pytest.TestReport, error: BaseException | None) -> None:
    ground = _ground(item)
    if ground is None:
        return
    outcome = {"passed": "PASS", "skipped": "skipped"}.get(report.outcome)
    if outcome is None:
        outcome = "FAIL" if isinstance(error, AssertionError) else "INCONCLUSIVE"
    report.inconclusive = outcome == "INCONCLUSIVE"  # type: ignore[attr-defined]
    function = getattr(item, "function", None)
    claim = (getattr(function, "__doc__", None) or item.name).strip().splitlines()[0]
    one = Judged(item.nodeid, claim, str(ground), outcome, str(error or ""), report.duration)
    item.config.stash[_OUTCOMES].append(one)
    fields = {name: getattr(one, name) for name in Judged.__dataclass_fields__}
    item.config.stash[SESSION].recorder.emit("test", **fields)
    if item.config.option.conformance:
        pair = item.callspec.params.get("pair") if hasattr(item, "callspec") else None
        where = " → ".join(pair) if pair else ""
        line = f"{one.seconds:7.1f} s  {outcome:12} {claim} ({ground}{', ' if pair else ''}{where})"
        item.config.stash[_NARRATOR].say(line)
