"""Which of the tests that were collected are asked for, by name, by suite, by behaviour, by
deployment, or since an earlier run saw them fail; and what is said where that leaves none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

import pytest

from meshproof.errors import UsageError
from meshproof.model import RunRequest
from meshproof.model.request import of_all_rounds
from meshproof.nearest import choose
from meshproof.runner.bare_lab import BareLab, runs_on
from meshproof.runner.behaviours import (
    BEHAVIOURS,
    Behaviours,
    behaviour_of,
    function_of,
    is_named,
    proven_by,
)
from meshproof.runner.declaring import is_wanted
from meshproof.runner.matrix import MATRIX
from meshproof.runner.options import conforms, request_of, selection_of

_NEEDS = frozenset({"sample", "lab"})


def is_asked_for(item: pytest.Item) -> bool:
    """Whether a test is asked for. One that is named, by its id, by its behaviour or as one that
    failed, is so whatever its level; all others where their level is judged."""
    selection = selection_of(item.config)
    request, on = selection.request, runs_on(item)
    if on is None and not _NEEDS.isdisjoint(getattr(item, "fixturenames", ())):
        return False  # it applies to nothing that was asked for
    if on is None and request.only is None and _narrows(request):
        return False  # it is none of ours
    if request.deployment and str(on) not in request.deployment:
        return False
    if request.rerun_failed is not None and of_all_rounds(item.nodeid) not in selection.troubled:
        return False
    if request.suite and _suites(item).isdisjoint(request.suite):
        return False
    if request.behaviour and not _matches(item, request.behaviour):
        return False
    if request.only is not None:
        return is_named(item, request.only)
    if request.rerun_failed is not None:
        return True
    if isinstance(on, BareLab) and not selection.asks_for_bare(on.name):
        return False
    level = item.config.stash[BEHAVIOURS].level_of(function_of(item))
    return is_wanted(item) and (bool(request.behaviour) or selection.profile.includes(level))


def check_names(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Raise UsageError, which says what to do, for a suite, behaviour, deployment or expression
    that leaves no test, and for failures of which none is asked for.

    ``items``: the tests that are asked for.
    """
    request, known = request_of(config), config.stash.get(BEHAVIOURS, Behaviours())
    ours = [item for item in items if runs_on(item) is not None]
    for name in request.deployment:
        _check_deployment(config, name, ours)
    for name in request.suite:
        if not any(name in _suites(item) for item in ours):
            raise _no_suite(name, known, request.profile)
    for glob in request.behaviour:
        if not any(_matches(item, [glob]) for item in ours):
            raise _no_behaviour(glob, known)
    if request.keyword is not None and conforms(config) and not items:
        raise UsageError(
            f"no test that is asked for has names to which '{request.keyword}' applies",
            "see 'meshproof verify --collect-only'",
        )
    if request.rerun_failed is not None and not ours:
        first = selection_of(config).troubled[0]
        raise UsageError(
            f"nothing that failed in {request.rerun_failed} is in what is asked for, {first} for "
            "example",
            "leave the other options out, by which it is asked for as in that run",
        )


def _narrows(request: RunRequest) -> bool:
    """Whether tests are asked for by what only ours have."""
    by = (request.deployment, request.suite, request.behaviour, request.rerun_failed)
    return any(by)


def _suites(item: pytest.Item) -> set[str]:
    """The suites that a test belongs to: its own, and of a sabotage those of what it proves."""
    return {item.path.parent.name, *(one.partition("/")[0] for one in proven_by(item))}


def _matches(item: pytest.Item, globs: Iterable[str]) -> bool:
    """Whether a test's behaviour, or one that it proves as a sabotage, is called so."""
    names = (behaviour_of(item).id, *proven_by(item))
    return any(fnmatchcase(name, glob) for name in names for glob in globs)


def _check_deployment(config: pytest.Config, name: str, items: Iterable[pytest.Item]) -> None:
    if any(str(runs_on(item)) == name for item in items):
        return
    matrix = config.stash.get(MATRIX, None)
    known = [str(one) for one in matrix.asked] if matrix is not None else []
    if name in known:
        raise UsageError(f"no test that is asked for is for {name}", "leave that out")
    raise UsageError(f"there is no deployment '{name}' in what is asked for", choose(name, known))


def _no_suite(name: str, known: Behaviours, profile: str) -> UsageError:
    levels = {one.behaviour.level for one in known.tests.values() if one.behaviour.suite == name}
    if not levels:
        suites = dict.fromkeys(one.behaviour.suite for one in known.tests.values())
        return UsageError(f"there is no suite '{name}'", choose(name, suites))
    remedy = "name the topologies, or the variant, that it is for: see 'meshproof behaviours'"
    if "core" not in levels and profile == "core":
        remedy = f"add '--profile all', or ask for '--behaviour {name}/*'"
    return UsageError(f"no test of the suite {name} is for what is asked for", remedy)


def _no_behaviour(glob: str, known: Behaviours) -> UsageError:
    ids: Collection[str] = known.by_id
    if any(fnmatchcase(one, glob) for one in ids):
        return UsageError(
            f"no behaviour of '{glob}' is judged on what is asked for",
            "name the topologies, or the variant, that it is for: see 'meshproof behaviours'",
        )
    suites = dict.fromkeys(one.partition("/")[0] for one in ids)
    near = get_close_matches(glob, [*ids, *(f"{one}/*" for one in suites)], n=3)
    remedy = f"did you mean {' or '.join(near)}" if near else "see 'meshproof behaviours'"
    return UsageError(f"there is no behaviour '{glob}'", remedy)
