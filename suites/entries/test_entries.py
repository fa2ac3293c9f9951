"""Entries: a service by a ServiceEntry, or by another name, is that of all clusters as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import HOST, Sample
from suites.entries.claims import reached_by
from suites.entries.names import (
    BY_ALIAS,
    BY_ENTRY,
    BY_RULE,
    ENTRY,
    OTHER_PORT,
    aliased,
    await_entry,
    entered,
    entry,
    to_the_alias,
)
from suites.entries.selected import selected, selecting
from suites.entries.selected_claims import pods_are_told
from suites.entries.sites import sites_known
from suites.entries.sites_claims import istiods_bear_it

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@behaviour("entries/pods-of-all-clusters", feature="discovery")
def test_an_entry_has_the_pods_of_all_clusters(sample: Sample, judge: Judge) -> None:
    """A ServiceEntry that selects pods has those of all clusters, each reached on its way."""
    with entered(sample, entry()):
        await_entry(sample)
        judge(reached_by(sample, BY_ENTRY, ENTRY))


@behaviour("entries/external-name-is-an-alias", feature="names")
def test_an_external_name_is_another_name_of_the_service(sample: Sample, judge: Judge) -> None:
    """An ExternalName of a service is another name for it: every cluster's versions answer."""
    with aliased(sample):
        judge(reached_by(sample, BY_ALIAS, HOST))


# https://github.com/istio/istio/issues/61519: the alias is looked for at the caller's port alone.
@behaviour("entries/rule-to-an-alias", feature="routing")
def test_a_rule_may_name_an_alias(sample: Sample, judge: Judge) -> None:
    """A rule that sends calls to an ExternalName of a service sends them to the service, whatever
    port the ExternalName declares."""
    with aliased(sample, OTHER_PORT), in_force(sample, [to_the_alias()]):
        verdict = reached_by(sample, BY_RULE, HOST)
    judge(verdict)


# https://github.com/istio/istio/issues/61157: a proxy may be told before istiod knows that an entry
# selects its pod; https://github.com/istio/istio/pull/61574: and after that those of istiod's own
# cluster alone.
@behaviour("entries/selected-pods-are-told", feature="discovery")
def test_pods_that_an_entry_selects_are_told(sample: Sample, judge: Judge) -> None:
    """Pods that a ServiceEntry selects take calls at its port as it says, in every cluster, once
    they are ready, also those that come when it has instances."""
    with selected(sample, selecting()):
        verdict = pods_are_told(sample)
    judge(verdict)


# https://github.com/istio/istio/issues/61857: istiod reads past the endpoints of the first place.
@behaviour("entries/two-sites-by-dns", feature="discovery", level="extended")
def test_an_entry_by_dns_names_in_two_places_is_borne(sample: Sample, judge: Judge) -> None:
    """A ServiceEntry by DNS names in two places, and a failoverPriority for it, leave istiods
    running, and proxies know it."""
    with sites_known(sample) as before:
        verdict = istiods_bear_it(sample, before)
    judge(verdict)
