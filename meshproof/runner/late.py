"""What is known only once the artifacts, or a mesh, are there: whether a test's mesh has the
proxies that the test requires, and what its machines are made of. Where it does not, the test does
not apply, as if it had been left out before."""

from __future__ import annotations

from dataclasses import asdict
from typing import NoReturn

import pytest

from meshproof.artifacts.filters import METADATA, STATS
from meshproof.model import Capability, Deployment
from meshproof.report import LeftOut
from meshproof.runner.applies import required_by
from meshproof.runner.bare_lab import runs_on
from meshproof.runner.behaviours import behaviour_of
from meshproof.runner.stash import SESSION

_WHY = pytest.StashKey[str]()
_PUBLISHED = "published"
_NO_PROGRAMS = (
    "machines outside Kubernetes need Istio's programs, and published are only its images: "
    "'--artifacts built'"
)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """End a test before anything is made for it, where what its mesh is made of turns out to lack
    what it requires."""
    on = runs_on(item)
    if not isinstance(on, Deployment):
        return
    told = _without_machines(item, on) or _without_filters(item, on)
    if told:
        leave_out(item, told)


def leave_out(item: pytest.Item, why: str) -> NoReturn:
    """End a test, before it has judged anything, that turns out not to apply."""
    item.stash[_WHY] = why
    pytest.skip(why)  # only to end it: what is declared is no skip


def _without_machines(item: pytest.Item, on: Deployment) -> str:
    """Why the machines of a deployment cannot be made: what is published are images alone."""
    if on.topology.machines and item.config.stash[SESSION].bundle.source == _PUBLISHED:
        return _NO_PROGRAMS
    return ""


def _without_filters(item: pytest.Item, on: Deployment) -> str:
    """Which of Istio's own filters that a test requires the proxies of its mesh lack: they were
    asked when the node image was made."""
    if Capability.ISTIO_FILTERS not in required_by(item.iter_markers()):
        return ""
    known = item.config.stash[SESSION].bundle.filters_off
    off = {one for version in on.istio.values() for one in known.get(version, ())}
    lacking = sorted(off & {METADATA, STATS})
    lacks = f", and these lack {' and '.join(lacking)}"
    return f"{Capability.ISTIO_FILTERS.value}{lacks}" if lacking else ""


def does_not_apply(item: pytest.Item) -> bool:
    """Whether a test has turned out not to apply."""
    return _WHY in item.stash


def note_late(item: pytest.Item) -> None:
    """Write down that a test does not apply."""
    judged, why = behaviour_of(item), item.stash[_WHY]
    left = LeftOut(item.nodeid, judged.id, judged.sentence, str(runs_on(item)), why, True)
    item.config.stash[SESSION].recorder.emit("not-applicable", **asdict(left))
