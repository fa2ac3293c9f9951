"""Which behaviour a test judges, and which ones a sabotage proves: as its decorators say it.

@behaviour("routing/header-decides", feature="routing")
def test_a_header_decides_which_version_answers(sample, judge): ...

@proves("routing/header-decides")
def test_a_missing_route_is_noticed(sample, judge): ...
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from meshproof.errors import UsageError
from meshproof.model import Behaviour, Level, check_id
from meshproof.model.request import of_all_rounds
from meshproof.nearest import choose

MARKERS = (
    "behaviour(id, feature, level): what the test judges, by an id that stays, such as "
    "'routing/header-decides'; use the decorator of meshproof.runner.behaviours",
    "proves(*ids): the behaviours that a sabotage sees fail; use the decorator as well",
)
_OURS = frozenset({"sample", "lab"})
_LONGEST_NAME = 80


def behaviour(identity: str, /, *, feature: str, level: str = "core") -> pytest.MarkDecorator:
    """Say which behaviour a test judges.

    ``identity``: suite and a few words, as in "routing/header-decides"; it stays when the
    sentence, which is the test's docstring, is improved. ``feature``: one of
    ``meshproof.model.FEATURES``; ``level``: "core", or "extended" for what is judged with
    ``--profile all`` alone. What there is not is refused when tests are collected.
    """
    return pytest.mark.behaviour(identity, feature=feature, level=level)


def proves(*identities: str) -> pytest.MarkDecorator:
    """Say of which behaviours a sabotage makes the claim, and sees it fail."""
    return pytest.mark.proves(*identities)


def sentence_of(item: pytest.Item) -> str:
    """What a test proves: the first paragraph of its docstring, else its function's name."""
    name = function_of(item).rpartition("::")[2]
    said = getattr(getattr(item, "function", None), "__doc__", None) or name
    return " ".join(str(said).strip().partition("\n\n")[0].split())


def behaviour_of(item: pytest.Item) -> Behaviour:
    """What a test judges; without a decorator its id is made of its folder and its name.

    Raises UsageError for a decorator that says what there is not.
    """
    suite, sentence = item.path.parent.name, sentence_of(item)
    mark = item.get_closest_marker("behaviour")
    if mark is None:
        return Behaviour(_usual_id(item), sentence, suite)
    given = {"level": Level.CORE, **mark.kwargs}
    if len(mark.args) != 1 or given.keys() != {"level", "feature"} or not given["feature"]:
        raise UsageError(
            f"what the behaviour decorator of {function_of(item)} says cannot be read",
            "write @behaviour('routing/header-decides', feature='routing')",
        )
    level = str(given["level"])
    if level not in list(Level):
        raise UsageError(
            f"the behaviour {mark.args[0]} is of the level '{level}', which there is not",
            choose(level, Level),
        )
    return Behaviour(str(mark.args[0]), sentence, suite, Level(level), str(given["feature"]))


def is_named(item: pytest.Item, name: str) -> bool:
    """Whether a test has this id, in whichever round, or judges the behaviour of this id."""
    if "::" not in name:
        return name == behaviour_of(item).id or name == item.nodeid
    return of_all_rounds(name) == of_all_rounds(item.nodeid)


def proven_by(item: pytest.Item) -> tuple[str, ...]:
    """The ids of the behaviours that a test proves by seeing them fail. Raises UsageError."""
    found = [str(one) for mark in item.iter_markers("proves") for one in mark.args]
    for one in found:
        check_id(one)
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Collected:
    """A test function that pytest has found, once, however many tests it stands for."""

    test: str
    folder: Path
    behaviour: Behaviour
    proves: tuple[str, ...]


@dataclass(frozen=True)
class Behaviours:
    """Those of all tests that pytest has found, of sabotage as well."""

    tests: Mapping[str, Collected] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[pytest.Item]) -> Behaviours:
        """The behaviours of these tests. Raises UsageError as ``behaviour_of`` does."""
        found: dict[str, Collected] = {}
        for item in items:
            test = function_of(item)
            if test not in found and not _OURS.isdisjoint(getattr(item, "fixturenames", ())):
                folder = item.path.parent.resolve()
                found[test] = Collected(test, folder, behaviour_of(item), proven_by(item))
        return cls(found)

    @cached_property
    def by_id(self) -> Mapping[str, Collected]:
        """The test that judges each behaviour."""
        return {one.behaviour.id: one for one in self.tests.values()}

    @cached_property
    def sabotages(self) -> Mapping[str, tuple[str, ...]]:
        """By the id of each behaviour that any sabotage proves, the ids of those that do."""
        found: dict[str, list[str]] = {}
        for one in self.tests.values():
            for proven in one.proves:
                found.setdefault(proven, []).append(one.behaviour.id)
        return {proven: tuple(by) for proven, by in found.items()}

    def level_of(self, test: str) -> Level:
        """The level of a test function; that of a sabotage is core if anything that it proves is,
        and so are tests that are none of ours."""
        one = self.tests.get(test)
        if one is None:
            return Level.CORE
        proven = [self.by_id[name].behaviour.level for name in one.proves if name in self.by_id]
        return Level.CORE if Level.CORE in (proven or [one.behaviour.level]) else Level.EXTENDED

    def check(self, read: Collection[Path]) -> None:
        """Raise UsageError when two tests judge one behaviour, and when a sabotage proves one that
        no test judges.

        ``read``: the folders of which all tests were collected. Of a sabotage elsewhere nobody
        knows what the tests beside it would judge.
        """
        for one in self.tests.values():
            other = self.by_id[one.behaviour.id]
            if other is not one:
                raise UsageError(
                    f"{one.test} and {other.test} both judge {one.behaviour.id}, so their verdicts "
                    "could not be told apart",
                    "give one of them another id by @behaviour",
                )
        for one in self.tests.values():
            if not any(one.folder.parent.is_relative_to(folder) for folder in read):
                continue
            for name in one.proves:
                if name not in self.by_id:
                    raise UsageError(
                        f"{one.test} proves {name}, which no test judges",
                        choose(name, [known for known in self.by_id if not self._breaks(known)]),
                    )

    def _breaks(self, name: str) -> bool:
        return bool(self.by_id[name].proves)


BEHAVIOURS = pytest.StashKey[Behaviours]()
"""Those of the tests that were collected."""


def folders_read(config: pytest.Config) -> list[Path]:
    """The folders of which pytest was told to collect every test."""
    if config.getoption("ignore") or config.getoption("ignore_glob"):
        return []
    here = config.invocation_params.dir
    paths = [(here / word).resolve() for word in config.args if "::" not in word]
    return [path for path in paths if path.is_dir()]


def function_of(item: pytest.Item) -> str:
    """The id of a test's function: that of the test without its parameters."""
    name = getattr(item, "originalname", None) or item.name
    above = item.parent.nodeid if item.parent is not None else ""
    return f"{above}::{name}"


def _usual_id(item: pytest.Item) -> str:
    function = function_of(item).rpartition("::")[2].removeprefix("test_")
    return f"{_words(item.path.parent.name, 'suite')}/{_words(function, 'test')}"


def _words(text: str, otherwise: str) -> str:
    """A name in the letters of an id."""
    found = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")
    return found[:_LONGEST_NAME].strip("-") or otherwise
