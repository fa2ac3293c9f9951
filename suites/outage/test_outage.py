"""Outage: what goes on meanwhile, and comes back without anybody's doing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import with_control
from meshproof.expect.undisturbed import recovered, rode_out, unnoticed
from meshproof.faults.api_server import api_server_stopped
from meshproof.faults.discovery import revoked
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.outage.claims import answered_all_along, refused_then_came, was_missing
from suites.outage.coming import newcomer_without_istiod
from suites.outage.parts import (
    BACK_WITHIN,
    READ_WITHIN,
    RIDDEN_OUT_WITHIN,
    partition,
    restarted_without,
    with_an_api_server_away,
    without_a_cluster,
    without_a_worker,
    without_istiod,
    without_names_of_gateways,
    without_one_of_two_gateways,
    without_the_nodes_of_a_control_plane,
)

Judge = Callable[[Verdict], None]
pytestmark = requires(Capability.NODES)
ANEW = (
    "primary-remote-flat",
    "primary-remote-split-horizon",
    "multi-primary-flat",
    "multi-primary-split-horizon",
)
"""Both kinds of control plane, on one network and on several."""


# Who promises it: "Management Server Unreachability",
# https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/mgmt_server.
@behaviour("outage/istiod-away", feature="change", level="extended")
def test_calls_go_on_without_istiod(sample: Sample, judge: Judge) -> None:
    """While no istiod runs, and when it comes back, no call is lost and every instance answers."""
    judge(unnoticed(without_istiod(sample)))


# Who promises it: "Injection is fail-close", and while its pod is not ready "pods cannot be
# created", https://istio.io/latest/docs/ops/common-problems/injection/. That Kubernetes tries
# again, and when, is its own; a minute, or twice as long as it was refused, is ours.
@behaviour("outage/new-pods-wait", feature="change", level="extended")
def test_new_pods_wait_for_istiod(sample: Sample, judge: Judge) -> None:
    """A pod that is asked for while no istiod runs is refused, and comes by itself soon after one
    does, with its sidecar; no call is lost, and in the end the new pod answers too."""
    found, tried = newcomer_without_istiod(sample)
    judge(all_of([refused_then_came(tried), unnoticed(found)]))


# The ways of https://github.com/istio/istio/issues/45992, 30838 and 33564. How much is lost is
# promised by nobody, and told.
@pytest.mark.remote_secrets
@behaviour("outage/api-server-away", feature="change", level="extended")
def test_an_istiod_that_starts_without_an_api_server_reads_it_later(
    sample: Sample, judge: Judge
) -> None:
    """An istiod that is restarted while the API server of a cluster that it reads is away becomes
    ready, and reads the cluster soon once it is back, within seventy-five seconds."""
    found = restarted_without(sample, "the API server", api_server_stopped)
    judge(recovered(found, READ_WITHIN))


# Revoked is the token that the remote secret has, and given back: what becomes of a secret that is
# written over is in suites/secrets and suites/change.
@pytest.mark.remote_secrets
@behaviour("outage/credential-revoked", feature="change", level="extended")
def test_an_istiod_that_starts_without_its_credential_reads_later(
    sample: Sample, judge: Judge
) -> None:
    """An istiod that is restarted while the token by which it reads a cluster is worth nothing
    becomes ready, and reads the cluster soon once the token counts again, within seventy-five
    seconds."""
    found = restarted_without(sample, "the reader's token", revoked)
    judge(recovered(found, READ_WITHIN))


# The other half of https://github.com/istio/istio/issues/45992: nobody restarts istiod. What it has
# read stays; that nothing is lost meanwhile is promised by nobody, and told.
@pytest.mark.remote_secrets
@behaviour("outage/api-server-away-and-back", feature="change", level="extended")
def test_an_api_server_that_comes_back_is_read_on(sample: Sample, judge: Judge) -> None:
    """While the API server of a cluster that an istiod reads is away every version answers, and
    what comes up there when it is back is called within a minute; nobody restarts istiod."""
    judge(rode_out(with_an_api_server_away(sample), BACK_WITHIN))


# Who promises it: Kubernetes, that a Service leads to those of its pods that are ready,
# https://kubernetes.io/docs/concepts/services-networking/service/. What the one that dies was
# leading is lost, and told; half a minute is ours.
@pytest.mark.networks(2)
@pytest.mark.several_versions
@behaviour("outage/gateway-of-two-dies", feature="change", level="extended")
def test_one_of_two_gateways_stands_in_for_the_other(sample: Sample, judge: Judge) -> None:
    """When one of a gateway's two pods dies every version answers all the time, and no call is lost
    half a minute later."""
    judge(rode_out(without_one_of_two_gateways(sample), RIDDEN_OUT_WITHIN))


# Nobody promises a time: a minute is ours, and begins once all pods have started again.
@requires(Capability.ROUTER)
@behaviour("outage/node-restarts", feature="change", level="extended")
def test_a_control_planes_node_that_restarts_is_called_again(sample: Sample, judge: Judge) -> None:
    """While the nodes of a control plane are away callers in other clusters are answered by what is
    near, and within a minute after all is started again by everybody; nobody mends anything."""
    found, others = without_the_nodes_of_a_control_plane(sample)
    judge(all_of([recovered(found, BACK_WITHIN), answered_all_along(found.history, others)]))


# Who promises it: Kubernetes, that budgets are kept and pods end in good order,
# https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/, and that a Service leads
# to those that are ready. What is lost by pods that end is told; half a minute is ours.
@pytest.mark.topology("zones", reason="elsewhere the nodes of a cluster are its control plane's")
@requires(Capability.ROUTER)
@behaviour("outage/worker-drained", feature="change", level="extended")
def test_a_worker_that_is_drained_and_restarted_is_hardly_missed(
    sample: Sample, judge: Judge
) -> None:
    """While a node that is not the control plane's is drained, started anew and let in again every
    version answers callers in other clusters all the time, and no call is lost half a minute
    later; in the end the pods answer that came in place of those that were evicted."""
    found, _ = without_a_worker(sample)
    judge(rode_out(found, RIDDEN_OUT_WITHIN))


# "Cross-cloud backup and disaster recovery" is among what several clusters are for,
# https://jimmysong.io/en/blog/multicluster-management-with-kubernetes-and-istio/: what was lost is
# made anew from what its mesh is described by. Nobody promises a time: a minute is ours, and begins
# once all of it runs.
@pytest.mark.remote_secrets
@pytest.mark.topology(
    *ANEW, reason="a cluster of an external control plane is in two parts, and others are alike"
)
@requires(Capability.ASSIGNED_ADDRESSES)
@behaviour("outage/cluster-made-anew", feature="change", level="extended")
def test_a_lost_cluster_that_is_made_anew_is_called_again(sample: Sample, judge: Judge) -> None:
    """While a cluster is lost with all that it held callers elsewhere are answered by what is near;
    made anew, with other addresses and credentials, it is called by everybody within a minute, and
    nobody restarts anything elsewhere."""
    found, others = without_a_cluster(sample)
    judge(all_of([recovered(found, BACK_WITHIN), answered_all_along(found.history, others)]))


# The way of https://github.com/istio/istio/issues/44155: istiod asks again every half a minute
# (``MinGatewayTTL`` in pilot/pkg/model/network.go); nobody promises a time, and a minute is ours.
@pytest.mark.host_names
@behaviour("outage/gateway-names-away", feature="change", level="extended")
def test_gateways_whose_names_come_back_are_called(sample: Sample, judge: Judge) -> None:
    """An istiod that is started while DNS does not know the host names of gateways tells callers of
    them within a minute once it does, and nobody restarts it; meanwhile what is near answers."""
    found, caller, version = without_names_of_gateways(sample)
    claims = [recovered(found, BACK_WITHIN), answered_all_along(found.history, [caller])]
    judge(with_control(all_of(claims), was_missing(found.history, caller, version)))


@pytest.mark.several_versions
@requires(Capability.ROUTER)
@behaviour("outage/partition", feature="change", level="extended")
def test_what_is_near_goes_on_in_a_partition(sample: Sample, judge: Judge) -> None:
    """While nothing passes between two clusters calls are answered by what is near, and within a
    minute after that by everybody again; nobody restarts anything."""
    found, pair = partition(sample)
    judge(all_of([recovered(found, BACK_WITHIN), answered_all_along(found.history, pair)]))
