"""What is known only once the artifacts are there: whether a test's mesh has the proxies that the
test requires. Where it does not, the test does not apply, as if it had been left out before."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from meshproof.artifacts.filters import METADATA, STATS
from meshproof.model import Capability, Deployment
from meshproof.report import LeftOut
from meshproof.runner.applies import required_by
from meshproof.runner.bare_lab import runs_on
from meshproof.runner.behaviours import behaviour_of
from meshproof.runner.stash import SESSION


class DoesNotApplyError(pytest.skip.Exception):
    """A test does not apply to the mesh as it turns out to be. No skip: it was declared."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """End a test that requires Istio's own filters before anything is made for it, where the
    proxies of its mesh lack them: they were asked when the node image was made."""
    on = runs_on(item)
    if not isinstance(on, Deployment):
        return
    if Capability.ISTIO_FILTERS not in required_by(item.iter_markers()):
        return
    known = item.config.stash[SESSION].bundle.filters_off
    off = {one for version in on.istio.values() for one in known.get(version, ())}
    if lacking := off & {METADATA, STATS}:
        told = f"{Capability.ISTIO_FILTERS.value}, and these lack {' and '.join(sorted(lacking))}"
        raise DoesNotApplyError(told)


def note_late(item: pytest.Item, error: DoesNotApplyError) -> None:
    """Write down that a test does not apply."""
    judged = behaviour_of(item)
    left = LeftOut(item.nodeid, judged.id, judged.sentence, str(runs_on(item)), error.msg, True)
    item.config.stash[SESSION].recorder.emit("not-applicable", **asdict(left))
