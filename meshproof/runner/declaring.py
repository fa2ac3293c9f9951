"""Keeps what tests declare while pytest collects them, for the record and the tables."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict

import pytest

from meshproof.model import Deployment
from meshproof.report import Declared, LeftOut, left_out
from meshproof.runner.order import is_sabotage
from meshproof.runner.stash import SESSION

_DECLARED = pytest.StashKey[list[Declared]]()


def behaviour_of(item: pytest.Item) -> str:
    """What a test proves: the first paragraph of its docstring, else its name."""
    said = getattr(getattr(item, "function", None), "__doc__", None) or item.name
    return " ".join(str(said).strip().partition("\n\n")[0].split())


def declared_by(
    definition: pytest.Item,
    runs_on: tuple[Deployment, ...] = (),
    left_out: Mapping[Deployment, str] | None = None,
    grounds: tuple[str, ...] = (),
) -> Declared:
    """What a test function declares of itself."""
    package = getattr(getattr(definition, "module", None), "__package__", None)
    about = getattr(sys.modules.get(package or ""), "__doc__", None) or ""
    suite, behaviour = definition.path.parent.name, behaviour_of(definition)
    return Declared(
        definition.nodeid, suite, behaviour, runs_on, left_out or {}, grounds, about.strip()
    )


def note(definition: pytest.Item, declared: Declared) -> None:
    """Keep what a test declares, unless it is one that is not asked for."""
    config = definition.config
    if config.option.sabotage or not is_sabotage(definition):
        declared_in(config).append(declared)


def declared_in(config: pytest.Config) -> list[Declared]:
    """What the tests that were collected declare."""
    return config.stash.setdefault(_DECLARED, [])


def not_applicable(config: pytest.Config) -> list[LeftOut]:
    """What does not apply, of a run's tests; nothing where one test alone was asked for."""
    return left_out(declared_in(config)) if config.option.only is None else []


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write into the record what does not apply, once for each test function and deployment.

    Of several processes the one that gives tests to the others does so.
    """
    config = session.config
    if config.option.collectonly or hasattr(config, "workerinput"):
        return
    for one in not_applicable(config):
        config.stash[SESSION].recorder.emit("not-applicable", **asdict(one))
