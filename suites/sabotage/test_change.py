"""Changes that cost calls, or lose instances, are noticed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.expect.undisturbed import (
    recovered,
    rode_out,
    unnoticed,
    unnoticed_but_for_drains,
)
from meshproof.faults.between import partitioned
from meshproof.faults.discovery import unread
from meshproof.kube.objects import applied
from meshproof.model import Capability, Mtls
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import require
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import over
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled
from suites.change.authorities import over_a_rotation
from suites.change.claims import (
    AWAY,
    BACK,
    EDITED,
    JOINED,
    LEFT,
    UNDONE,
    followed,
    forgotten_and_read_again,
    kept_encrypted,
    left_and_joined,
    was_taken,
    went_over,
)
from suites.change.clusters import lost_without, secrets_between, without
from suites.change.modes import over_turns
from suites.change.secrets import WITHIN, are_silent, plan_without
from suites.change.services import move_of
from suites.change.trust import came_into_force
from suites.endpoints.unready import deployment_of
from suites.failover.claims import BACK as THERE_AGAIN
from suites.failover.claims import GONE, goes_over_and_back
from suites.outage.claims import answered_all_along
from suites.sabotage.shown import forgotten

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.remote_secrets, requires(Capability.NODES)]
_FOR = 8.0
_A_WHILE = 20.0


@pytest.mark.several_versions
@proves(
    "change/secret-rewritten",
    "change/secret-rotated",
    "change/secrets-rotated-at-once",
    "change/second-gateway",
    "change/service-moved",
    "change/mesh-networks-edited",
    "change/intermediate-rotated",
    "change/root-rotated",
    "outage/istiod-away",
    "outage/new-pods-wait",
    "outage/api-server-away-and-back",
    "outage/gateway-of-two-dies",
)
def test_a_secret_that_is_away_for_a_moment_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a remote secret that is removed and given again instead of rotated, the claims that
    nobody notices, and that every version answers all the time, fail and name the version that was
    missing."""
    caller, home = sample.read_from_elsewhere
    reader = sample.mesh.cluster(sample.topology[caller].primary)

    def doing(stream: Stream, _: ExitStack) -> None:
        with stream.mark("its token is rotated"), unread(reader, sample.mesh.cluster(home)):
            stream.flow_for(_FOR)
        stream.flow_for(_A_WHILE)

    version, plan = sample.versions_in(home)[0], plan_without(sample, home)
    found = over(sample, doing, plan=plan)
    claims = [unnoticed(found), rode_out(found, within=1.0)]
    judge(noticed(claims, f"{version} did not answer {caller}"))


@requires(Capability.ROUTER)
@proves(
    "change/secret-rewritten",
    "change/secret-rotated",
    "change/secrets-rotated-at-once",
    "change/secret-removed-and-added",
    "change/second-gateway",
    "change/gateway-address",
    "change/mtls-turned",
    "change/service-moved",
    "change/cluster-left-and-joined",
    "change/mesh-networks-edited",
    "change/intermediate-rotated",
    "change/root-rotated",
    "outage/istiod-away",
    "outage/new-pods-wait",
    "outage/api-server-away",
    "outage/credential-revoked",
    "outage/api-server-away-and-back",
    "outage/gateway-of-two-dies",
    "outage/node-restarts",
    "outage/cluster-made-anew",
    "outage/gateway-names-away",
    "outage/worker-drained",
    "outage/partition",
    "rest/loses-nothing",
)
def test_calls_that_are_lost_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a path between two clusters that is cut for a moment, the claims that no call is lost,
    or none later on, fail and say how many were."""
    caller, version = sample.topology.pairs[0]
    pair = caller, sample.versions[version]

    def doing(stream: Stream, _: ExitStack) -> None:
        for what in (AWAY, BACK, LEFT, JOINED):
            with stream.mark(what):
                pass
        stream.flow_for(2.0)
        with partitioned(sample.mesh.lab, [pair, pair[::-1]]):
            stream.flow_for(_FOR)
        stream.flow_for(_A_WHILE)

    found = over(sample, doing)
    claims = [
        unnoticed(found),
        unnoticed_but_for_drains(found, found.history.stretches),
        recovered(found, within=1.0),
        rode_out(found, within=1.0),
        forgotten_and_read_again(found.history, [caller], [version]),
        left_and_joined(found, {caller: [version]}),
    ]
    judge(noticed(claims, "were lost"))


@pytest.mark.several_versions
@proves("change/secret-removed-and-added")
def test_a_secret_that_is_not_removed_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a remote secret that stays where it is, the claim that its cluster is forgotten
    fails."""
    caller, home = sample.read_from_elsewhere
    version = sample.versions_in(home)[0]

    def doing(stream: Stream, _: ExitStack) -> None:
        with stream.mark(AWAY):
            pass
        stream.flow_for(_FOR)
        with stream.mark(BACK):
            pass
        stream.flow_for(_FOR)

    history = over(sample, doing).history
    verdict = forgotten_and_read_again(history, [caller], [version])
    judge(noticed([verdict], f"it still answered {caller}"))


@proves(
    "change/secret-rewritten",
    "change/secret-rotated",
    "change/secrets-rotated-at-once",
    "change/gateway-address",
    "outage/istiod-away",
    "outage/new-pods-wait",
    "outage/api-server-away",
    "outage/credential-revoked",
    "outage/api-server-away-and-back",
    "outage/gateway-of-two-dies",
    "outage/node-restarts",
    "outage/cluster-made-anew",
    "outage/gateway-names-away",
    "outage/worker-drained",
)
def test_an_instance_that_nobody_calls_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a new instance that never becomes ready, so that no proxy calls it, the claims that
    every pod answers fail and name it."""
    caller, home = sample.read_from_elsewhere
    version, cluster = sample.versions_in(home)[0], sample.mesh.cluster(home)
    known = set(sample.servers())

    def doing(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(f"{version} gets another instance"):
            stack.enter_context(applied(cluster, [deployment_of(version)]))
            what = f"another instance of {version}"
            require(lambda: sample.servers().keys() - known, what=what)
        stream.flow_for(_A_WHILE)

    found = over(sample, doing, more={version: 1})
    forgotten(sample)
    new = next(iter(found.pods[caller] - known))
    claims = [unnoticed(found), recovered(found, within=1.0), rode_out(found, within=1.0)]
    judge(noticed(claims, f"{new} answered none of"))


@pytest.mark.networks(2)
@proves("change/second-gateway")
def test_a_gateway_that_nobody_uses_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no second gateway, the claim that it was used fails and names it."""
    history = over(sample, lambda stream, _: stream.flow_for(2.0)).history
    judge(noticed([was_taken(history, "192.0.2.7:15443")], "0 of"))


@proves("change/mtls-turned")
def test_a_mode_without_encryption_is_noticed(sample: Sample, judge: Judge) -> None:
    """With mTLS that is disabled for a while instead of permissive, the claim that calls between
    sidecars stay encrypted fails."""
    found, _ = over_turns(sample, Mtls.DISABLED)
    judge(noticed([kept_encrypted(found.history)], "in plain text"))


@pytest.mark.several_versions
@proves("change/service-moved")
def test_a_service_that_stays_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a version that stays in its cluster, the claim that it has moved to another fails."""
    move = move_of(sample)

    def doing(stream: Stream, _: ExitStack) -> None:
        with stream.mark(f"{move.version} moves to {move.to}"):
            pass
        stream.flow_for(_FOR)

    history = over(sample, doing).history
    verdict = went_over(history, move.version, move.home, move.to)
    judge(noticed([verdict], f"it answered from {move.home} afterwards"))


@pytest.mark.several_versions
@proves("change/cluster-left-and-joined")
def test_a_cluster_that_does_not_leave_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a cluster that is still read while it should be no part of the mesh, the claim that it
    has left fails; with one that nobody reads any more once it has joined, the claim that it is
    called again."""
    _, cluster = sample.read_from_elsewhere
    secrets, plan = secrets_between(sample, cluster), plan_without(sample, cluster)
    gone = lost_without(sample, secrets)
    caller, versions = next(iter(gone.items()))

    def stays(stream: Stream, _: ExitStack) -> None:
        for what in (LEFT, JOINED):
            with stream.mark(what):
                pass
            stream.flow_for(_FOR)

    def is_lost(stream: Stream, stack: ExitStack) -> None:
        with stream.mark(LEFT):
            for pair in secrets:
                stack.enter_context(without(sample, pair))
        stream.flow_until(lambda: are_silent(stream, gone), LEFT, WITHIN)
        with stream.mark(JOINED):
            pass
        stream.flow_for(_FOR)

    kept = left_and_joined(over(sample, stays, plan=plan), gone)
    still = noticed([kept], f"it still answered {caller}")
    never = left_and_joined(over(sample, is_lost, plan=plan), {caller: versions[:1]})
    judge(all_of([still, noticed([never], f"it did not answer {caller}")]))


@pytest.mark.networks(2)
@proves("change/mesh-networks-edited")
def test_networks_that_nobody_reads_are_noticed(sample: Sample, judge: Judge) -> None:
    """With meshNetworks that stay as they are, the claim that callers follow another address that
    they say fails and names the one that is used."""
    cluster = sample.far_gateway
    own = str(sample.mesh.ways_to(cluster)[cluster])

    def doing(stream: Stream, _: ExitStack) -> None:
        for what in (EDITED, UNDONE):
            with stream.mark(what):
                pass
            stream.flow_for(_FOR)

    verdict = followed(over(sample, doing).history, "192.0.2.7:15443", own)
    judge(noticed([verdict], f"requests went in at {own}"))


@pytest.mark.each_shape
@proves("change/root-rotated")
def test_a_root_that_nobody_takes_up_is_noticed(sample: Sample, judge: Judge) -> None:
    """With control planes that are not ready for several roots, the claim that each stage of a
    rotation comes into force fails and names the first."""
    _, begun, _ = over_a_rotation(sample, within=_A_WHILE)
    verdict = came_into_force(begun)
    first = noticed([verdict], "'the new root is trusted as well' did not")
    # istiod had the files by then: it is what it makes of them that nobody has heard of.
    judge(all_of([first, noticed([verdict], "knows its istiod by other roots")]))


@pytest.mark.several_versions
@requires(Capability.ROUTER)
@proves(
    "outage/partition",
    "outage/node-restarts",
    "outage/cluster-made-anew",
    "outage/gateway-names-away",
)
def test_a_caller_without_answers_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a caller to whom even what is near does not answer, the claim that it does fails and
    names it."""
    caller, _ = sample.topology.pairs[0]
    own = sample.versions_in(caller)[0]

    def doing(stream: Stream, stack: ExitStack) -> None:
        pair = sample.topology.pairs[0][0], sample.versions[sample.topology.pairs[0][1]]
        # It ends before pods come again: their sidecars may be injected from beyond it.
        with partitioned(sample.mesh.lab, [pair, pair[::-1]]):
            with stream.mark("nothing passes"):
                stack.enter_context(scaled(sample, own, 0))
            stream.flow_for(_FOR)

    history = over(sample, doing).history
    judge(noticed([answered_all_along(history, [caller])], f"{caller} had none for"))


@pytest.mark.several_versions
@proves("failover/to-the-other-cluster", "failover/to-the-other-network")
def test_calls_that_prefer_nobody_are_noticed(sample: Sample, judge: Judge) -> None:
    """With no rule by which calls prefer what is near, the claim that only its instances answer
    fails and names another."""
    caller = next(one for one in sample.homes if len(sample.reached_from(one)) > 1)
    near = set(sample.versions_in(caller))
    far = set(sample.reached_from(caller)) - near

    def doing(stream: Stream, _: ExitStack) -> None:
        for what in (GONE, THERE_AGAIN):
            with stream.mark(what):
                pass
        stream.flow_for(_FOR)

    history = over(sample, doing, callers=[caller]).history
    verdict = goes_over_and_back(history, caller, near, far)
    judge(noticed([verdict], f"{', '.join(sorted(far))} answered {caller} as well"))
