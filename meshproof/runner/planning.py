"""Shows how a run would go, or how it is shared out among machines, instead of running it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pytest
from rich.console import Console

from meshproof.console import say_line
from meshproof.model import Deployment, installer_words
from meshproof.report.times import Shape, times_in
from meshproof.run.forecast import Costs, Part, forecast
from meshproof.run.foretold import (
    Foretold,
    as_json,
    shard_json,
    shard_table,
    shared_out,
    table,
)
from meshproof.run.workers import chosen_workers
from meshproof.runner.bare_lab import BareLab, runs_on
from meshproof.runner.behaviours import behaviour_of
from meshproof.runner.options import conforms, request_of, selection_of
from meshproof.runner.order import shared_keys, units
from meshproof.runner.stash import NARRATOR, SESSION
from meshproof.runner.workers import is_worker, worker_count

_IN_SHORT = (
    "on every topology what is its own, all else on one that stands for the rest; for all core "
    "behaviours of a topology, name it"
)


def foretold(config: pytest.Config, items: Iterable[pytest.Item], workers: int) -> Foretold:
    """How these tests, which are in order, would be judged by so many workers, and how long that
    takes by the records in the folder of reports."""
    ours, request = [item for item in items if runs_on(item) is not None], request_of(config)
    parts = parts_of(ours)
    costs = Costs(times_in(request.reports))
    turns = forecast(parts, units(ours, runs_on), workers, costs)
    return Foretold(parts, turns, workers, costs, request.reports)


def parts_of(items: Iterable[pytest.Item]) -> list[Part]:
    """The deployments that tests run on, with their tests."""
    tests: dict[BareLab | Deployment, dict[str, str]] = {}
    for item in items:
        if (on := runs_on(item)) is not None:
            tests.setdefault(on, {})[item.nodeid] = behaviour_of(item).id
    return [_part(on, own) for on, own in tests.items()]


def _part(on: BareLab | Deployment, tests: Mapping[str, str]) -> Part:
    shape: Shape
    if isinstance(on, Deployment):
        way = [str(on.upgrade)] if on.upgrade is not None else []
        way += installer_words(on.installed_by)
        shape = (on.topology.name, on.mtls.value, *sorted(on.variants), *way)
        clusters, installed = shared_keys(on)
        return Part(str(on), shape, clusters, len(on.topology.members), installed, tests)
    shape = (*on.kind_configs.values(), on.wiring)
    clusters, installed = shared_keys(on)
    return Part(str(on), shape, clusters, len(on.kind_configs), installed, tests)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Say what there is to do, and how long it will take, before it begins."""
    config = session.config
    if config.option.collectonly or is_worker(config) or not conforms(config):
        return
    told = foretold(config, session.items, worker_count(config))
    if told.parts:
        recorder = config.stash[SESSION].recorder
        recorder.emit("notice", text=f"to judge: {told.line}")
        if selection_of(config).in_short:
            recorder.emit("notice", text=_IN_SHORT)
        config.stash[NARRATOR].expect(told.weights, told.seconds)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print what was asked for, where every suite could be read."""
    option = session.config.option
    show = _VIEWS.get(option.meshproof_plan)
    if show is not None and not session.testsfailed:
        show(session)


def _would_be(session: pytest.Session) -> Foretold:
    asked = selection_of(session.config)
    return foretold(session.config, session.items, chosen_workers(asked.request, asked.topologies))


def _show_table(session: pytest.Session) -> None:
    told = _would_be(session)
    if told.turns and session.config.option.meshproof_tell != "quiet":
        Console().print(table(told))
    say_line(f"Would judge {told.line}")


def _show_json(session: pytest.Session) -> None:
    say_line(as_json(_would_be(session)))


def _show_shards(session: pytest.Session) -> None:
    config = session.config
    told = _would_be(session)
    Console().print(shard_table(shared_out(told, request_of(config), _number(config))))
    say_line(f"On one machine: {told.line}")


def _show_shards_json(session: pytest.Session) -> None:
    config = session.config
    told = _would_be(session)
    say_line(shard_json(shared_out(told, request_of(config), _number(config))))


def _number(config: pytest.Config) -> int | None:
    number: int | None = config.option.meshproof_shards
    return number


_VIEWS: Mapping[str, Callable[[pytest.Session], None]] = {
    "table": _show_table,
    "json": _show_json,
    "shards": _show_shards,
    "shards-json": _show_shards_json,
}
