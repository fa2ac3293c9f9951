"""How a run ends: the table, the line that says what it came to, the record's last event, and the
exit code; all of it from what the record says."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from meshproof.console import say_line, with_lost_output
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_HELD, EXIT_USAGE, MeshproofError
from meshproof.events import Event
from meshproof.model import Policy
from meshproof.model.request import command_line, once_more
from meshproof.report import Judged, Tally, found_in, judged, left_out_in, planned_in, summary
from meshproof.report.ended import as_json
from meshproof.report.formats import rendered, written
from meshproof.report.outcomes import KNOWN
from meshproof.report.record import Record, run_named
from meshproof.runner.known import policy_of
from meshproof.runner.options import request_of
from meshproof.runner.stash import LABS, SESSION

_NEEDED = frozenset({"run-begin", "not-applicable", "found", "test"})


class Heard:
    """A listener that keeps the events of a run's record that its end is reckoned from."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep the event, if it is needed at the end."""
        if event.kind in _NEEDED:
            self.events.append(event)


def end_run(config: pytest.Config, events: Sequence[Event], exitstatus: int) -> int:
    """Say what a run came to, and write down how it ended. Returns its exit code.

    ``events``: what its record says; ``exitstatus``: pytest's own. All held only if the record
    and what was printed hold it all, too.
    """
    outcomes, planned = judged(events), planned_in(events)
    # A worker that dies with nothing to do leaves no test behind that would tell of it.
    tally = Tally.of(outcomes, planned)
    recorder = config.stash[SESSION].recorder
    policy = policy_of(config)
    code = _exit_code(tally.exit_code(policy), exitstatus)
    if recorder.lost is not None and code == EXIT_HELD:
        code = EXIT_COULD_NOT_TELL
    tell = config.option.meshproof_tell
    if tell == "lines" or (tell == "quiet" and code != EXIT_HELD):
        _sum_up(config, events, outcomes, planned=bool(planned))
    if recorder.lost is not None:
        say_line(f"The record is not whole: {recorder.lost}.", err=tell == "json")
    if code == EXIT_USAGE:
        return code
    if tell == "json":
        again_by = _repeating(config, outcomes)
        folder = str(config.stash[SESSION].folder) if planned else None
        say_line(as_json(outcomes, tally, code, folder, again_by))
    else:
        say_line(tally.line(code))
    code = with_lost_output(code)
    # Also where it turned out that none of the tests applies.
    if any(one.kind == "run-begin" and one.data["tests"] for one in events):
        recorder.emit("run-end", exit_code=code)
        if request_of(config).upgrade_to is not None:
            _tell_of_upgrades(config)
        if config.option.meshproof_junitxml is not None:
            _write_junit(config, Path(config.option.meshproof_junitxml))
    if recorder.lost is not None and code == EXIT_HELD:
        code = EXIT_COULD_NOT_TELL
    return code


def _tell_of_upgrades(config: pytest.Config) -> None:
    """Write what the upgrades of this run came to, and say it; whatever prevents that, what the run
    came to stays."""
    # Loaded by those runs alone that have a use for it.
    from meshproof.report.upgrade.views import lines
    from meshproof.report.upgrade.ways import ways

    folder = config.stash[SESSION].folder
    if folder is None:
        return
    err = config.option.meshproof_tell == "json"
    try:
        record = Record((run_named(str(folder)),))
        told = [*lines(ways(record)), *map(str, rendered(record, "upgrade", folder))]
    except MeshproofError as error:
        told = [f"The upgrade's page is not there: {error}"]
    for text in told:
        say_line(text, err=err)


def _write_junit(config: pytest.Config, file: Path) -> None:
    """Write JUnit's results, which are rendered of the record as any time later; what prevents that
    is said, and what the run came to stays."""
    # Loaded by those runs alone that have a use for it.
    from meshproof.report.junit import document

    folder = config.stash[SESSION].folder
    if folder is None:
        return
    try:
        written(file, document(Record((run_named(str(folder)),))))
    except MeshproofError as error:
        say_line(f"{file} is not there: {error}", err=True)


def _exit_code(code: int, exitstatus: int) -> int:
    """What the tests' outcomes say, unless pytest itself came to grief."""
    if exitstatus == pytest.ExitCode.USAGE_ERROR:
        return EXIT_USAGE
    if code == EXIT_HELD and exitstatus != pytest.ExitCode.OK:
        return EXIT_COULD_NOT_TELL
    return code


def _sum_up(
    config: pytest.Config, events: Sequence[Event], outcomes: Sequence[Judged], *, planned: bool
) -> None:
    """The table of behaviours, and where the run's record is.

    There is none where nothing was judged, unless that is because nothing applies.
    """
    without = left_out_in(events)
    if not outcomes and (planned or not without):
        return
    Console().print(summary(outcomes, without, found_in(events)))
    say_line(f"\nRecord: {config.stash[SESSION].folder}")
    command = _repeating(config, outcomes)
    if command is not None:
        say_line(f"To repeat the first failure, on a lab that is kept: {command}")


def _repeating(config: pytest.Config, outcomes: Sequence[Judged]) -> str | None:
    """The command that repeats the first failure; None where there is none."""
    bad = {"FAIL", "INCONCLUSIVE"} | ({KNOWN} if policy_of(config) is Policy.FAIL else set())
    failed = next((one for one in outcomes if one.outcome in bad), None)
    return again(config, failed.test, failed.deployment) if failed is not None else None


def again(config: pytest.Config, test: str, deployment: str) -> str:
    """A command that makes one of this run's tests, on this deployment, again: `meshproof verify`
    for one of meshproof's own suites, pytest for others, of which that knows nothing."""
    labs, request = config.stash.get(LABS, None), request_of(config)
    asked = once_more(request, test, None)
    if labs is not None:
        repair = labs.on_kept not in (None, deployment)
        asked = once_more(request, test, labs.kept, repair=repair)
    # From its root a test's id is reckoned.
    own = [f"--rootdir={config.rootpath}"] if request.suites else []
    return shlex.join(command_line(asked, *own))
