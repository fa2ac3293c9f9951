"""The plugin's part in runs that are shared out among workers of pytest-xdist.

The controller starts the workers, plans, narrates and sums up; each worker has a lab of its own
and writes to the record of the run itself.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.workermanage import parse_tx_spec_config

from meshproof.errors import LabError, UsageError
from meshproof.events import Follower, Listener
from meshproof.files import hand_on
from meshproof.narrator import Narrator
from meshproof.run.plan import Plan
from meshproof.run.session import Choices, Session, unhurried
from meshproof.run.workers import check_one_lab, labs_here, one_lab_option
from meshproof.runner.bare_lab import runs_on
from meshproof.runner.options import REQUEST, conforms, request_of, selection_of, usage
from meshproof.runner.order import units
from meshproof.runner.recording import record_test
from meshproof.runner.scheduler import Scheduler

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_PLACE = "meshproof_place"
_LOST = "meshproof_lost"
_FOLLOW_EVERY = 0.5
# A lab is removed in seconds; engines that are still busy with what was called off take longer.
_CLEANING_UP = 180.0


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """For ``-n auto``: as many workers as there is room for labs; none at all rather than one."""
    if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    selection = selection_of(config)
    try:
        alone = one_lab_option(selection.request) is not None
        count = 1 if alone else labs_here(selection.topologies)
    except UsageError as error:
        raise usage(config, error) from None
    return count if count > 1 else 0


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process gives all tests to workers."""
    option = config.option
    distributes = getattr(option, "dist", "no") != "no" and bool(getattr(option, "tx", None))
    return distributes and not option.collectonly and not is_worker(config)


def worker_count(config: pytest.Config) -> int:
    """How many processes share the run out."""
    return len(parse_tx_spec_config(config)) if is_controller(config) else 1


def make_session(config: pytest.Config, choices: Choices, listeners: list[Listener]) -> Session:
    """The session of this process; all processes of a run share the run's folder.

    ``listeners``: those of a run that is one process; several are followed by their record.
    Raises UsageError for an option about one lab when there are several workers.
    """
    if is_worker(config):
        given: dict[str, Any] = config.workerinput  # type: ignore[attr-defined]
        return Session(choices, worker=given["workerid"], place=Path(given[_PLACE]))
    if is_controller(config):
        check_one_lab(len(parse_tx_spec_config(config)), request_of(config))
        return Session(choices)
    return Session(choices, listeners)


class Controller:
    """A plugin of the process that gives all tests to workers.

    ``listeners``: who is told what the record says, whichever process wrote it.
    """

    def __init__(
        self,
        config: pytest.Config,
        session: Session,
        narrator: Narrator,
        listeners: list[Listener],
    ) -> None:
        assert session.record is not None  # the option has a default
        self._config, self._session = config, session
        self._narrator, self._request = narrator, hand_on(request_of(config))
        self._follower = Follower(session.record.absolute(), listeners)
        self._items: dict[str, pytest.Item] = {}
        self._nodes: list[WorkerController] = []
        self._plan = Plan([])
        self._ended = threading.Event()
        self._following = threading.Thread(target=self._follow, daemon=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """The narrator tells what workers do; what xdist calls nodes is no node of a cluster."""
        if conforms(self._config):
            plugins = self._config.pluginmanager
            plugins.unregister(name="terminaldistreporter")
            plugins.getplugin("dsession").terminal = None  # as with "-p no:terminal"
            self._following.start()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        """A worker is about to be started: hand down what is asked for, as a file, and the run's
        folder, which is not made yet."""
        node.workerinput[REQUEST] = str(self._request)
        node.workerinput[_PLACE] = str(self._follower.path.parent)
        self._nodes.append(node)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Collect here as well, while the workers do: node ids are all that they will report.

        So what each test stands on is taken from the tests themselves; and what is wrong with
        options or suites is said once, before any worker has begun with anything.
        """
        if self._config.option.dist != "load":
            return  # another way to share out was asked for
        session.perform_collect()
        if session.testsfailed and not self._config.option.continue_on_collection_errors:
            raise session.Interrupted(f"{session.testsfailed} errors during collection")
        self._items = {item.nodeid: item for item in session.items}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self) -> Scheduler | None:
        """A scheduler that keeps installations and footprints together, if it comes to any."""
        items = list(self._items.values())
        if not any(runs_on(item) for item in items):
            return None
        self._plan = Plan(units(items, runs_on))
        return Scheduler(self._plan, len(self._nodes))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A worker has got on with a test: tell first what happened before."""
        self._catch_up()
        node = getattr(report, "node", None)
        if node is not None and report.when == "setup" and not report.skipped:
            self._plan.note(node.gateway.id, report.nodeid, set_up=report.passed)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A worker has died in the middle of a test."""
        item = self._items.get(crashitem)
        if item is not None:
            cause = "the worker that ran this test has ended before the test did"
            remedy = "what it has left is removed by 'meshproof sweep'"
            record_test(item, report, LabError(cause, remedy), worker=report.node.gateway.id)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Before xdist ends its workers, for which it gives them ten seconds: let them end."""
        with unhurried(self._narrator.say):
            _end_in_order(self._nodes)
        self._ended.set()
        if self._following.is_alive():
            self._following.join()
        self._catch_up()
        recorder = self._session.recorder
        recorder.lost = recorder.lost or _lost(self._nodes) or self._follower.lost

    def _follow(self) -> None:
        while not self._ended.wait(_FOLLOW_EVERY):
            self._catch_up()

    def _catch_up(self) -> None:
        if conforms(self._config):
            self._follower.catch_up()


def tell_controller(config: pytest.Config, lost: str | None) -> None:
    """Hand on from a worker why it could not write to the record, if so."""
    config.workeroutput[_LOST] = lost  # type: ignore[attr-defined]


def _lost(nodes: list[WorkerController]) -> str | None:
    """Why one of the workers could not write to the record, if so."""
    said = (getattr(node, "workeroutput", {}).get(_LOST) for node in nodes)
    return next((str(one) for one in said if one), None)


def _end_in_order(nodes: list[WorkerController]) -> None:
    """Ask workers that are still at work to clean up and end, and wait until they have."""
    at_work = [node for node in nodes if hasattr(node, "channel") and not node.channel.isclosed()]
    for node in at_work:
        if not hasattr(node, "workeroutput"):  # which comes when a worker has ended its session
            with suppress(ProcessLookupError):
                os.kill(node.gateway._rinfo().pid, signal.SIGTERM)
    until = time.monotonic() + _CLEANING_UP
    for node in at_work:
        # How it ends is not judged here: what it has not reported has no verdict.
        with suppress(node.channel.RemoteError, node.channel.TimeoutError, EOFError, OSError):
            node.channel.waitclose(max(0.1, until - time.monotonic()))
