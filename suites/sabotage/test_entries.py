"""Entries without some clusters' pods, and names that are none of a service, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.faults.istiod import end_istiod
from meshproof.mesh.istiod import endings
from meshproof.mesh.proxy import outbound
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import ruled
from meshproof.traffic.services import offered
from meshproof.traffic.settle import require
from meshproof.workloads.sample import HOST, PORT, Sample, helloworld_service
from suites.entries.claims import reached_by
from suites.entries.names import (
    ALIAS,
    ALIAS_HOST,
    BY_ALIAS,
    BY_ENTRY,
    BY_RULE,
    ENTRY,
    entered,
    entry,
    known_of,
    to_the_alias,
)
from suites.entries.selected import PODS, selected, selecting
from suites.entries.selected_claims import pods_are_told
from suites.entries.sites import run_again
from suites.entries.sites_claims import istiods_bear_it

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@proves("entries/pods-of-all-clusters")
def test_an_entry_without_a_clusters_pods_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an entry that selects one version, the claim that all answer fails, and names one."""
    first, last = sample.common[0], sample.common[-1]
    with entered(sample, entry(version=first)):
        require(lambda: known_of(sample), until=lambda one: min(one) > 0, what="the entry's pods")
        verdict = reached_by(sample, BY_ENTRY, ENTRY)
    judge(noticed([verdict], f"{last} never answered"))


@proves("entries/external-name-is-an-alias")
def test_another_service_of_that_name_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a Service of its own in the alias's place, the claim that it is helloworld fails."""
    with offered(sample, [helloworld_service(name=ALIAS)]):
        verdict = reached_by(sample, BY_ALIAS, HOST)
    judge(noticed([verdict], outbound(ALIAS_HOST, PORT)))


@proves("entries/rule-to-an-alias")
def test_a_rule_to_another_service_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a Service of its own in the alias's place, the claim that a rule to the alias leads to
    helloworld's own fails."""
    with offered(sample, [helloworld_service(name=ALIAS)]), ruled(sample, [to_the_alias()]):
        verdict = reached_by(sample, BY_RULE, HOST)
    judge(noticed([verdict], outbound(ALIAS_HOST, PORT)))


@proves("entries/selected-pods-are-told")
def test_an_entry_that_selects_others_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an entry that selects other pods, the claim that these are told of it fails."""
    with selected(sample, selecting("others"), within=5):
        verdict = pods_are_told(sample)
    judge(all_of(noticed([verdict], f"none of {PODS} in {name}") for name in sample.clusters))


@proves("entries/two-sites-by-dns")
@requires(Capability.NODES)
def test_an_istiod_that_ends_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an istiod that is ended on its node, the claim that istiods run on fails, and names its
    cluster."""
    plane = sample.topology.control_planes[0].name
    before = {plane: endings(sample.mesh, plane)}
    try:
        end_istiod(sample.mesh, plane)
        require(
            lambda: endings(sample.mesh, plane).count > before[plane].count,
            what=f"the end of the istiod in {plane}",
        )
        verdict = istiods_bear_it(sample, before)
    finally:
        run_again(sample)
    judge(noticed([verdict], f"the istiod in {plane} ended"))
