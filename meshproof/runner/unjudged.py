"""What was asked for and will not be judged: it is told when the tests are known, or refused."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from difflib import get_close_matches

import pytest

from meshproof.console import say_line
from meshproof.errors import MeshproofError, UsageError
from meshproof.lab.kept import find_kept
from meshproof.lab.ownership import Description
from meshproof.mesh.keep import noted_of
from meshproof.model import Deployment, Footprint
from meshproof.runner.bare_lab import runs_on
from meshproof.runner.behaviours import (
    BEHAVIOURS,
    Behaviours,
    folders_read,
    is_named,
    sentence_of,
)
from meshproof.runner.choosing import check_names
from meshproof.runner.declaring import declared_in
from meshproof.runner.matrix import MATRIX, Matrix
from meshproof.runner.options import conforms, request_of
from meshproof.runner.stash import SESSION

FootprintOf = Callable[[pytest.Item], Footprint | None]
_REFUSED = pytest.StashKey[MeshproofError]()
_KNOWN = pytest.StashKey[Sequence[str]]()
_SHOWN = 3


def remember(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Keep the ids of all tests that could have been asked for, for who misspells one."""
    config.stash[_KNOWN] = [item.nodeid for item in items]


def spare_what_is_kept(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """The items without those that would remove what is to be kept; says which these are."""
    request = request_of(config)
    if not request.keep or request.only is not None:
        return items
    removals = [item for item in items if item.get_closest_marker("last") is not None]
    if removals:
        names = " ".join(dict.fromkeys(map(sentence_of, removals)))
        _tell(config, f"not judged, since the lab is kept: {names}")
    return [item for item in items if item not in removals]


def spare_other_clusters(
    config: pytest.Config, items: list[pytest.Item], footprint_of: FootprintOf
) -> list[pytest.Item]:
    """The items whose clusters the lab has that is to be used; says how many others there are."""
    reuse = request_of(config).reuse
    if reuse is None:
        return items
    try:
        _, about = find_kept(reuse)
    except MeshproofError as error:
        config.stash[_REFUSED] = error
        return []
    fits = [item for item in items if _is_made_of(footprint_of(item), about)]
    others = len(items) - len(fits)
    made_of = f"lab {reuse} is made of {', '.join(about.footprint)}"
    if not fits and items:
        config.stash[_REFUSED] = UsageError(
            f"{made_of}, and no test that is asked for is for these clusters",
            "name the topology that it was made for",
        )
    elif others:
        _tell(config, f"not judged, since {made_of}: {others} tests that need other clusters")
    return fits


def spare_other_meshes(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """The items that are for the mesh which is on the lab that is to be used; says how many others
    there are. With --repair it may be another mesh, and these are all."""
    request = request_of(config)
    if request.reuse is None or request.repair or _REFUSED in config.stash:
        return items
    try:
        claim, _ = find_kept(request.reuse)
        noted = noted_of(claim)
    except MeshproofError as error:
        config.stash[_REFUSED] = error
        return []
    if noted is None:
        return items

    def is_for(item: pytest.Item) -> bool:
        on = runs_on(item)
        return on is None or (isinstance(on, Deployment) and noted.is_of(on))

    fits = [item for item in items if is_for(item)]
    others = [item for item in items if item not in set(fits)]
    names = list(dict.fromkeys(str(runs_on(item)) for item in others))
    if others and not any(runs_on(item) for item in fits):
        config.stash[_REFUSED] = noted.refusal(names)
    elif others:
        told = f"not judged, since lab {claim.id} holds {noted.name} and --repair is not given"
        _tell(config, f"{told}: {len(others)} tests on {', '.join(names)}")
    return fits


def _is_made_of(footprint: Footprint | None, about: Description) -> bool:
    return footprint is None or footprint.digests == about.digests


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """One sentence for an expression (-k) that pytest does not understand, before tests are
    listed or judged."""
    try:
        return (yield)
    except pytest.UsageError as error:
        config.stash[_REFUSED] = UsageError(str(error), "see 'pytest --help' at -k")
        items.clear()
        return None


def refusal(config: pytest.Config) -> int | None:
    """The exit code of a run that was refused; says why, in one sentence. None for another."""
    error = config.stash.get(_REFUSED, None)
    if error is None:
        return None
    say_line(str(error), err=True)
    return error.exit_code


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Say on which deployments nothing is judged; refuse what was named and leaves no test, and
    decorators that contradict each other.

    Of several processes the one that gives tests to the others does so. It refuses by the
    exception that pytest itself says nothing about.
    """
    config, request = session.config, request_of(session.config)
    if hasattr(config, "workerinput") or session.testsfailed:
        return
    matrix = config.stash.get(MATRIX, None)
    if _REFUSED in config.stash:
        raise session.Failed(str(config.stash[_REFUSED]))
    try:
        # Nothing was collected where pytest did not find what it was to read: it says so itself.
        config.stash.get(BEHAVIOURS, Behaviours()).check(folders_read(config))
        if config.option.meshproof_behaviours is not None:
            return
        if request.only is not None:
            behaviours = config.stash.get(BEHAVIOURS, Behaviours()).by_id
            known = [*config.stash.get(_KNOWN, []), *behaviours]
            _check_only(request.only, session.items, known)
        check_names(config, session.items)
        if request.only is None and not request.deployment and conforms(config) and matrix:
            _check_matrix(config, matrix)
    except UsageError as error:
        config.stash[_REFUSED] = error
        raise session.Failed(str(error)) from None


def _check_only(only: str, items: Iterable[pytest.Item], known: Sequence[str]) -> None:
    if any(is_named(item, only) for item in items):
        return
    cause = f"there is no test or behaviour '{only}' in what is asked for"
    raise UsageError(cause, _nearest(only, known))


def _nearest(only: str, known: Sequence[str]) -> str:
    """The ids that somebody may have meant: those that hold the words given, else similar ones."""
    within = [one for one in known if one in only]  # a line of a summary, copied as it is
    holding = within or [one for one in known if only and only in one]
    near = holding or get_close_matches(only, known, n=_SHOWN, cutoff=0.5)
    more = f" (and {len(near) - _SHOWN} more)" if len(near) > _SHOWN else ""
    if near:
        return f"did you mean {' or '.join(near[:_SHOWN])}{more}"
    return "take it from a summary, or from 'meshproof verify --collect-only'"


def _check_matrix(config: pytest.Config, matrix: Matrix) -> None:
    judged = {deployment for one in declared_in(config) for deployment in one.runs_on}
    without = [one for one in matrix.deployments if one not in judged]
    for name in matrix.variants:
        if not any(name in one.variants for one in judged):
            raise UsageError(
                f"no test is for the variant {name} of what is asked for",
                "choose other topologies or mTLS modes, or leave the variant out",
            )
    if without:
        _tell(config, f"nothing is judged on: {_listed(without)}")


def _listed(deployments: Iterable[Deployment]) -> str:
    return ", ".join(map(str, deployments))


def _tell(config: pytest.Config, text: str) -> None:
    """Make a notice of it; where tests are only listed, which leaves no record, a line."""
    if hasattr(config, "workerinput"):
        return
    if config.option.collectonly:
        say_line(text)
    else:
        config.stash[SESSION].recorder.emit("notice", text=text)
