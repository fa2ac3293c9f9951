"""Global names by other means than an address by hand and the sidecar's DNS proxy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability, Exposure
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import Sample
from suites.federation.entries import entry_changed, without_address
from suites.federation.loopback import at_loopback, loopback_leads_who_takes_it
from suites.federation.naming import ALLOCATED, has_an_allocated_address
from suites.federation.pods import (
    headless_is_one_service,
    one_pod_alone_answers,
    pods_exposed,
)
from suites.federation.setting import asker, told
from suites.federation.zone import resolves_by_the_clusters_dns, short_name_leads

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.exposes


@behaviour("federation/addresses-are-allocated", feature="federation", level="extended")
def test_a_name_without_an_address_is_given_one(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A global name whose entry says no address is given one by Istio, and answered by it."""
    caller = asker(sample, importer)
    with entry_changed(sample, importer, imported, without_address):
        arrive(
            sample.mesh,
            lambda: told(sample, caller, imported.host).addresses,
            until=lambda found: bool(found) and all(one in ALLOCATED for one in found),
            what=f"an address of {imported.host}",
        )
        judge(has_an_allocated_address(sample, importer, imported))


@behaviour("federation/loopback-where-it-is-taken", feature="federation", level="extended")
def test_a_loopback_address_leads_whose_sidecar_takes_it(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a loopback address a global name is answered where the sidecar is told to take such
    addresses, and leads everybody else to his own pod."""
    with at_loopback(sample, importer, imported):
        verdict = loopback_leads_who_takes_it(sample, importer, imported)
    judge(verdict)


@behaviour("federation/names-by-the-clusters-dns", feature="federation", level="extended")
@requires(Capability.CLUSTERS)
def test_the_clusters_dns_may_forward_the_zone(
    zoned: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Where the cluster's DNS forwards the zone to a server of it, sidecars without a DNS proxy
    are answered by global names too."""
    judge(resolves_by_the_clusters_dns(sample, importer, imported))


@behaviour("federation/short-names-by-suffix", feature="federation", level="extended")
@requires(Capability.CLUSTERS)
def test_a_short_name_leads_home_first(
    zoned: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With the zone as a search suffix a short name leads to the own Service of that name, and
    where there is none to the other mesh."""
    judge(short_name_leads(sample, importer, imported))


# Across networks a mesh's own single pods have no names either (headless/…).
@behaviour("federation/headless-by-global-name", feature="federation", level="extended")
def test_a_headless_service_is_one_by_its_global_name(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """By the global name of a headless Service all of its pods answer, through the gateway, and
    none of them has a name below it."""
    with pods_exposed(sample, importer, imported):
        judge(headless_is_one_service(sample, importer, imported))


@behaviour("federation/one-pod-by-global-name", feature="federation", level="extended")
def test_one_pod_is_exposed_by_itself(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """One pod of a headless Service is exposed under a global name of its own, and answers by it
    alone."""
    with pods_exposed(sample, importer, imported):
        judge(one_pod_alone_answers(sample, importer, imported))
