"""includeIPRanges: which of a pod's calls its sidecar takes, and which pass it by."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.redirection.claims import (
    local_service_past_the_proxy,
    remote_pod_past_the_proxy,
    remote_pod_through_the_proxy,
)
from suites.redirection.sleeps import Taken

Judge = Callable[[Verdict], None]

# With mTLS a call that bypasses the caller's proxy would be refused by the server's.
pytestmark = [pytest.mark.networks(1), pytest.mark.neighbours(1), pytest.mark.mtls("disabled")]


@behaviour("redirection/star-takes-remote-pods", feature="injection")
@requires(Capability.ROUTER)
def test_with_a_star_calls_to_remote_pods_go_through_the_proxy(
    redirecting: str, sample: Sample, judge: Judge
) -> None:
    """With includeIPRanges "*" a call to a remote pod's address goes through the proxy."""
    judge(remote_pod_through_the_proxy(sample, redirecting, Taken.EVERYTHING.sleep))


@behaviour("redirection/listed-ranges-take-remote-pods", feature="injection")
@requires(Capability.ROUTER)
def test_with_all_ranges_listed_calls_to_remote_pods_go_through_the_proxy(
    redirecting: str, sample: Sample, judge: Judge
) -> None:
    """With all pod and service ranges listed a call to a remote pod goes through the proxy."""
    judge(remote_pod_through_the_proxy(sample, redirecting, Taken.LISTED.sleep))


@behaviour("redirection/unlisted-remote-pods-bypass", feature="injection")
@requires(Capability.ROUTER)
def test_without_the_remote_pods_range_calls_to_them_bypass_the_proxy(
    redirecting: str, sample: Sample, judge: Judge
) -> None:
    """Without the remote pods' range in the list a call to a remote pod bypasses the proxy."""
    judge(remote_pod_past_the_proxy(sample, redirecting, Taken.NO_REMOTE_PODS.sleep))


@behaviour("redirection/unlisted-services-bypass", feature="injection")
@requires(Capability.ROUTER)
def test_without_the_local_services_range_calls_to_services_bypass_the_proxy(
    redirecting: str, sample: Sample, judge: Judge
) -> None:
    """Without the local services' range in the list even helloworld.sample bypasses the proxy."""
    judge(local_service_past_the_proxy(sample, redirecting, Taken.NO_LOCAL_SERVICES.sleep))
