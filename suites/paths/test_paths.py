"""The path: which address each request goes to, in the caller's log and on the wire."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.paths.claims import local_versions_by_their_pods, remote_version_by_its_way

pytestmark = [
    pytest.mark.managed("too"),
    pytest.mark.mtls("strict", "permissive", "disabled"),
    pytest.mark.variant("mesh-networks", "revision"),
]


@pytest.mark.each_topology
@behaviour("paths/local-by-pod", feature="discovery")
@requires(Capability.ROUTER)
def test_the_local_version_is_reached_by_its_pods_address(
    sample: Sample, home: str, judge: Callable[[Verdict], None]
) -> None:
    """The version in the caller's own cluster is reached by its pod's address and port 5000."""
    judge(local_versions_by_their_pods(sample, home))


@pytest.mark.each_topology
@behaviour("paths/remote-by-pod", feature="flat-network")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
def test_on_one_network_the_remote_version_is_reached_by_its_pods_address(
    sample: Sample, caller: str, target: str, judge: Callable[[Verdict], None]
) -> None:
    """On one network the other cluster's version is reached by its pod's address and port 5000."""
    judge(remote_version_by_its_way(sample, caller, target))


@pytest.mark.each_topology
@behaviour("paths/remote-through-gateway", feature="multi-network")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
@pytest.mark.mtls("strict", "permissive")
def test_across_networks_the_remote_version_is_reached_through_its_gateway(
    sample: Sample, caller: str, target: str, judge: Callable[[Verdict], None]
) -> None:
    """Across networks the other cluster's version is reached by its gateway and port 15443."""
    judge(remote_version_by_its_way(sample, caller, target))
