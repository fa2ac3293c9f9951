"""A mesh at rest, for ten minutes: what is lost here would be laid to whatever is done to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.expect.control import with_control
from meshproof.expect.undisturbed import unnoticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.rest.claims import went_on
from suites.rest.streams import TEN_MINUTES, over_nothing

Judge = Callable[[Verdict], None]
pytestmark = requires(Capability.NODES)


@pytest.mark.each_shape
@behaviour("rest/loses-nothing", feature="change", level="extended")
def test_a_mesh_at_rest_loses_nothing(sample: Sample, judge: Judge) -> None:
    """Of the calls of ten minutes in which nothing is done none is lost, each goes its way, and
    every version answers all the time."""
    found = over_nothing(sample, TEN_MINUTES)
    judge(with_control(unnoticed(found), went_on(found.history, TEN_MINUTES)))
