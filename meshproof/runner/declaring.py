"""Keeps what tests declare while pytest collects them, for the record and the tables."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest

from meshproof.errors import MeshproofError
from meshproof.model import Deployment
from meshproof.report import Declared, LeftOut, left_out
from meshproof.resources import resource
from meshproof.runner.applies import EACH_TOPOLOGY
from meshproof.runner.behaviours import BEHAVIOURS, Behaviours, behaviour_of, proven_by
from meshproof.runner.options import conforms, request_of, selection_of
from meshproof.runner.order import SABOTAGE, is_sabotage

_DECLARED = pytest.StashKey[list[Declared]]()


def declared_by(
    definition: pytest.Item,
    runs_on: tuple[Deployment, ...] = (),
    left_out: Mapping[Deployment, str] | None = None,
    bare: tuple[str, ...] = (),
    bare_left_out: Mapping[str, str] | None = None,
) -> Declared:
    """What a test function declares of itself. Raises UsageError as ``behaviour_of`` and
    ``proven_by`` do."""
    proven_by(definition)
    package = getattr(getattr(definition, "module", None), "__package__", None)
    about = getattr(sys.modules.get(package or ""), "__doc__", None) or ""
    judged = behaviour_of(definition)
    return Declared(
        definition.nodeid,
        judged,
        runs_on,
        left_out or {},
        bare,
        about.strip(),
        bare_left_out or {},
        definition.get_closest_marker(EACH_TOPOLOGY) is not None,
    )


def is_wanted(item: pytest.Item) -> bool:
    """Whether a test is of the kind that is asked for: judging, sabotage, or a mutant."""
    request = request_of(item.config)
    if item.get_closest_marker("mutants") is not None:
        return request.mutants
    return request.sabotage or not is_sabotage(item)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over meshproof's own sabotage where tests are listed and none of it can be among them:
    it is half of all that there is to read. A run reads it, since its record says what has seen
    each behaviour fail."""
    if collection_path.name != SABOTAGE or not (conforms(config) and config.option.collectonly):
        return None
    request = request_of(config)
    wanted = request.sabotage or request.mutants or SABOTAGE in request.suite
    # Whoever names a test, or a behaviour, may name that of a sabotage, and is told so.
    named = request.only or request.rerun_failed or request.behaviour
    if wanted or named or config.option.meshproof_behaviours:
        return None
    return True if collection_path == resource("suites") / SABOTAGE else None


def note(definition: pytest.Item, declared: Declared) -> None:
    """Keep what a test declares, unless it is sabotage that is not asked for."""
    config = definition.config
    if is_wanted(definition):
        config.stash.setdefault(_DECLARED, []).append(declared)


def declared_in(config: pytest.Config) -> list[Declared]:
    """What the tests declare that were collected and are of a level that is asked for."""
    profile, known = selection_of(config).profile, config.stash.get(BEHAVIOURS, Behaviours())
    found = config.stash.get(_DECLARED, [])
    return [one for one in found if profile.includes(known.level_of(one.test))]


def not_applicable(config: pytest.Config) -> list[LeftOut]:
    """What does not apply, of a run's tests; nothing where some were asked for by their names."""
    request = request_of(config)
    named = (request.only, request.keyword, request.rerun_failed, request.behaviour, request.suite)
    return [] if any(named) else left_out(declared_in(config))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """One sentence for a decorator or marker that says what there is not."""
    report = yield
    excinfo = report.call.excinfo if hasattr(report, "call") else None
    if excinfo is not None and isinstance(excinfo.value, MeshproofError):
        report.longrepr = f"{collector.nodeid}: {excinfo.value}"
    return report
