"""A service that moves from one cluster to another under load."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.undisturbed import unnoticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.change.claims import went_over
from suites.change.services import over_a_service_that_moves

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.several_versions, requires(Capability.NODES)]


# Who promises it: instances of a service are called wherever they are,
# https://istio.io/latest/docs/ops/configuration/traffic-management/multicluster/, and requests that
# find nobody are sent again, https://istio.io/latest/docs/concepts/traffic-management/#retries.
@behaviour("change/service-moved", feature="change", level="extended")
def test_a_service_that_moves_costs_no_request(sample: Sample, judge: Judge) -> None:
    """A version that comes up in another cluster, and ends in its own once it is called there,
    costs no request, answers all the time, and in the end from its new cluster alone."""
    found, move = over_a_service_that_moves(sample)
    moved = went_over(found.history, move.version, move.home, move.to)
    judge(all_of([unnoticed(found), moved]))
