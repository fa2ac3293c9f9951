"""What does not move, is not preferred, or is lost as well, is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.faults.lab import cut_off, rewired
from meshproof.mesh.exposure import address_of
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Capability, Exposure
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import healed, require
from meshproof.workloads.sample import HOST, PORT, SLEEP, Sample
from meshproof.workloads.scale import scaled
from meshproof.workloads.stateful import pod_name
from suites.federation.claims import leads_to_the_other_mesh
from suites.federation.failover import answered_at_home, falling_over
from suites.federation.loopback import at_loopback, loopback_leads_who_takes_it
from suites.federation.moving import await_answers, exposed_by_one_gateway, nobody_answers
from suites.federation.naming import has_an_allocated_address
from suites.federation.nearby import (
    await_rewired,
    callers_beside,
    goes_on_without,
    known_beside,
)
from suites.federation.pods import (
    REPLICAS,
    headless_is_one_service,
    name_below,
    one_pod_alone_answers,
    pods_exposed,
)
from suites.federation.setting import federated
from suites.federation.shares import shared, shared_by_weight
from suites.federation.streams import lost_until_renewed, over_a_move
from suites.federation.zone import (
    resolves_by_the_clusters_dns,
    short_name_leads,
    zones_forwarded,
)
from suites.sabotage.named import named

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.exposes


@proves("federation/lost-mesh-changes-nothing-near")
@requires(Capability.ROUTER, Capability.NODES)
@pytest.mark.neighbours(2)
def test_a_version_that_is_lost_nearby_as_well_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a near version without instances while the far mesh is cut off, the claim that nothing
    changes nearby fails, and names it."""
    topology = sample.topology
    lost, imported = next(
        (topology.providers(one)[0], one)
        for one in topology.exposes
        if callers_beside(sample, topology.providers(one)[0])
    )
    caller = callers_beside(sample, lost)[0]
    version = next(one for who, one in topology.pairs if who == caller)
    proxy = sample.caller(caller)
    with federated(sample):
        before = known_beside(sample, lost)
        try:
            with (
                scaled(sample, version, 0),
                rewired(sample.mesh.lab, cut_off(sample.mesh.lab, lost)),
            ):
                require(
                    lambda: len(endpoints(proxy, outbound(HOST, PORT))),
                    until=lambda known: known < len(before[caller]),
                    what=f"the end of {version} in {caller}",
                )
                await_rewired(sample, lost)
                verdict = goes_on_without(sample, lost, before)
        finally:
            healed(sample)
            await_answers(sample, imported)
    judge(noticed([verdict], f"{caller} knows {len(before[caller]) - 1}"))


@proves("federation/falls-over-to-the-other-mesh")
def test_a_mesh_that_is_not_preferred_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a rule that prefers nobody, the claim that calls are answered at home as long as they
    can be fails, and names the other mesh's version."""
    topology, verdicts = sample.topology, []
    with federated(sample):
        for importer, imported in topology.imports:
            if len(topology.networks_of(topology[importer].mesh)) > 1:
                continue
            there = topology.providers(imported)[0]
            with falling_over(sample, importer, imported, preferred=False):
                claim = answered_at_home(sample, importer, imported)
            verdicts.append(noticed([claim], f"from {there}"))
    judge(all_of(verdicts))


@proves("federation/gateway-moves")
def test_a_gateway_that_stays_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that has not moved, the claim that calls fail until entries are renewed
    fails."""
    with federated(sample):
        claims = [nobody_answers(sample, *one) for one in sample.topology.imports]
    judge(noticed(claims, "5 of 5 were"))


@proves("federation/calls-over-a-move")
@requires(Capability.NODES, Capability.ASSIGNED_ADDRESSES)
def test_calls_that_are_answered_all_along_are_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that has not moved, the claim that no call is answered until entries are
    renewed fails."""
    with federated(sample):
        found = over_a_move(sample, exposed_by_one_gateway(sample)[0], moved=False)
    judge(noticed([lost_until_renewed(found)], "were answered"))


@proves("federation/calls-over-a-move")
@requires(Capability.NODES, Capability.ASSIGNED_ADDRESSES)
def test_entries_that_nobody_renews_are_noticed(sample: Sample, judge: Judge) -> None:
    """With entries that nobody renews, the claim that callers follow fails, and says how many calls
    were lost later."""
    with federated(sample):
        found = over_a_move(sample, exposed_by_one_gateway(sample)[0], renewed=False)
    judge(noticed([lost_until_renewed(found)], "were lost later"))


@proves("federation/shared-by-weight")
def test_other_shares_are_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a rule for 20 % of the calls, the claim that 80 % go to the other mesh fails."""
    with federated(sample), shared(sample, importer, imported, 20):
        verdict = shared_by_weight(sample, importer, imported, 80)
    judge(noticed([verdict], "answered by"))


@proves("federation/roots-joined-by-a-bundle")
@requires(Capability.ROUTER)
@pytest.mark.only_variant("unrelated-roots")
def test_roots_that_are_not_joined_are_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With roots that nobody has joined, the claim that the global name is answered fails."""
    with federated(sample):
        verdict = leads_to_the_other_mesh(sample, importer, imported)
    judge(noticed([verdict], "503"))


@proves("federation/addresses-are-allocated")
def test_an_address_by_hand_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With the entry's own address, the claim that Istio has allocated one fails and names it."""
    with federated(sample):
        verdict = has_an_allocated_address(sample, importer, imported)
    by_hand = address_of(sample.topology, imported)
    judge(noticed([verdict], f"NOERROR {by_hand}"))


@proves("federation/loopback-where-it-is-taken")
def test_a_sidecar_that_takes_no_loopback_address_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a sidecar that takes all ranges and is not told of loopback addresses, the claim that
    calls to one are answered fails."""
    with federated(sample), at_loopback(sample, importer, imported, taken="*"):
        verdict = loopback_leads_who_takes_it(sample, importer, imported)
    judge(noticed([verdict], "connection refused"))


@proves("federation/names-by-the-clusters-dns")
def test_a_zone_that_is_not_forwarded_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Without the zone in the cluster's DNS, the claim that it knows the global name fails."""
    verdict = resolves_by_the_clusters_dns(sample, importer, imported)
    judge(noticed([verdict], "NXDOMAIN"))


@requires(Capability.CLUSTERS)
@proves("federation/short-names-by-suffix")
def test_a_pod_without_the_suffix_is_noticed(sample: Sample, judge: Judge) -> None:
    """Without the suffix, the claim that a short name leads to the other mesh fails."""
    verdicts = []
    with federated(sample), zones_forwarded(sample):
        for importer, imported in sample.topology.imports:
            if not imported.host.startswith(f"{imported.service}."):
                claim = short_name_leads(sample, importer, imported, app=SLEEP)
                verdicts.append(noticed([claim], "not greeted"))
    judge(all_of(verdicts))


@proves("federation/headless-by-global-name")
def test_a_headless_service_that_answers_in_part_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With the rest of the pods gone from the entry, the claim that all of them answer fails, and
    names one that never did."""
    with federated(sample), pods_exposed(sample, importer, imported, all_of_them=False):
        verdict = headless_is_one_service(sample, importer, imported)
    last = pod_name(sample.topology.providers(imported)[0], REPLICAS - 1)
    judge(noticed([verdict], f"{last} never answered"))


@proves("federation/headless-by-global-name")
def test_a_pod_with_a_name_of_its_own_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With an entry for one more pod, the claim that its name below the Service's is not known
    fails."""
    below = name_below(sample, imported)
    with (
        federated(sample),
        pods_exposed(sample, importer, imported),
        named(sample, importer, below),
    ):
        verdict = headless_is_one_service(sample, importer, imported)
    judge(noticed([verdict], f"{below} exists"))


@proves("federation/one-pod-by-global-name")
def test_another_pod_that_answers_too_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With an entry that selects all pods, the claim that one answers alone fails, and names
    another."""
    with federated(sample), pods_exposed(sample, importer, imported, one_alone=False):
        verdict = one_pod_alone_answers(sample, importer, imported)
    last = pod_name(sample.topology.providers(imported)[0], REPLICAS - 1)
    judge(noticed([verdict], f"were answered by {last}"))
