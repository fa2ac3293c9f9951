"""Gives allure-pytest, where it is asked for results, what the record says of each test while the
run goes on: labels, steps, parameters, links and attachments, as they are rendered later."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import allure_commons
import pytest
from allure_commons.model2 import TestResult

from meshproof.errors import MeshproofError
from meshproof.events import Event, read
from meshproof.report.about import about
from meshproof.report.allure.beside import write_beside
from meshproof.report.allure.result import result_of
from meshproof.report.cases import BELONGS, case_of
from meshproof.report.record import Record, Run
from meshproof.run.session import Session
from meshproof.runner.workers import is_worker

_FROM_RECORD = (
    "name",
    "description",
    "status",
    "statusDetails",
    "start",
    "stop",
    "historyId",
    "testCaseId",
    "fullName",
    "titlePath",
    "parameters",
)
_ADDED = ("links", "steps", "attachments")
"""To these what a suite says to Allure itself is added."""
_NOT_TOLD = frozenset({"host"})
"""Labels of allure-pytest's that would name the machine."""


def report_live(config: pytest.Config, session: Session, folder: Path) -> None:
    """Have the results that allure-pytest writes into a folder told as the record tells them."""
    live = Live(session)
    session.listeners.append(live)
    allure_commons.plugin_manager.register(live)
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(live))
    if not is_worker(config):
        config.add_cleanup(lambda: _tell_beside(folder, session))


class Live:
    """A listener that keeps what belongs to the test that is running, and a plugin of Allure's
    that makes the test's result of it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep the event, if it is of a test."""
        test = event.data.get("test")
        if test is None or event.kind not in BELONGS:
            return
        if self._events and self._events[0].data["test"] != test:
            self._events = []
        self._events.append(event)

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Complete a result before it is written; that of a test of others' stays as it is."""
        events, self._events = self._events, []
        case = case_of(events, self._session.folder or Path()) if events else None
        if case is None:
            return
        made, attached = result_of(case)
        write = allure_commons.plugin_manager.hook.report_attached_data
        for name, body in attached.items():
            write(body=body, file_name=name)
        for name in _FROM_RECORD:
            setattr(result, name, getattr(made, name))
        for name in _ADDED:
            setattr(result, name, [*getattr(made, name), *getattr(result, name)])
        ours = {label.name for label in made.labels} | _NOT_TOLD
        theirs = [label for label in result.labels if label.name not in ours]
        result.labels = [*made.labels, *theirs]


def _tell_beside(folder: Path, session: Session) -> None:
    """Write environment and categories beside the results, from what the record says by now."""
    # A record that cannot be read is told of at the end of the run; the results are there.
    with suppress(MeshproofError):
        if session.record is not None and session.record.exists():
            run = Run(session.record.parent, read(session.record))
            write_beside(folder, about(Record((run,))))
