"""Outage: what goes on meanwhile, and comes back without anybody's doing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.undisturbed import recovered, unnoticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.outage.claims import answered_all_along
from suites.outage.parts import (
    BACK_WITHIN,
    partition,
    without_an_api_server,
    without_istiod,
)

Judge = Callable[[Verdict], None]
pytestmark = requires(Capability.NODES)


# Who promises it: "Management Server Unreachability",
# https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/mgmt_server.
@behaviour("outage/istiod-away", feature="change", level="extended")
def test_calls_go_on_without_istiod(sample: Sample, judge: Judge) -> None:
    """While no istiod runs, and when it comes back, no call is lost and every instance answers."""
    judge(unnoticed(without_istiod(sample)))


# The ways of https://github.com/istio/istio/issues/45992, 30838 and 33564. How much is lost is
# promised by nobody, and told.
@pytest.mark.remote_secrets
@behaviour("outage/api-server-away", feature="change", level="extended")
def test_an_istiod_that_starts_without_an_api_server_reads_it_later(
    sample: Sample, judge: Judge
) -> None:
    """An istiod that is restarted while the API server of a cluster that it reads is away becomes
    ready, and reads the cluster within a minute once it is back."""
    judge(recovered(without_an_api_server(sample), BACK_WITHIN))


@pytest.mark.several_versions
@requires(Capability.ROUTER)
@behaviour("outage/partition", feature="change", level="extended")
def test_what_is_near_goes_on_in_a_partition(sample: Sample, judge: Judge) -> None:
    """While nothing passes between two clusters calls are answered by what is near, and within a
    minute after that by everybody again; nobody restarts anything."""
    found, pair = partition(sample)
    judge(all_of([recovered(found, BACK_WITHIN), answered_all_along(found.history, pair)]))
