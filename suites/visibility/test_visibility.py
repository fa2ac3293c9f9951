"""Visibility: what a caller may no longer see, by the configuration that its istiod reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.mesh.configuration import configured
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import NAMESPACE, Sample
from suites.visibility.claims import (
    distrusted_from_outside,
    hidden_where_configured,
    marked_from_outside,
    trusted_as_usual,
)
from suites.visibility.narrowing import (
    Narrow,
    distrusting,
    marking_from_outside,
    shown_to_be,
    unexported,
    unlisted,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("visibility/sidecar-lists-services", feature="configuration")
def test_a_sidecar_hides_what_it_does_not_list(visible: Sample, judge: Judge) -> None:
    """A Sidecar hides a service that it does not list from the callers whose istiod reads it."""
    judge(_in_each(visible, unlisted))


@behaviour("visibility/service-exported", feature="configuration")
def test_a_service_is_hidden_where_it_is_not_exported_to(visible: Sample, judge: Judge) -> None:
    """A Service that is exported elsewhere is hidden from callers whose istiod's own it is."""
    judge(_in_each(visible, unexported))


@behaviour("visibility/rule-exported", feature="configuration")
def test_a_rule_counts_where_it_is_exported_to(sample: Sample, judge: Judge) -> None:
    """A VirtualService of another namespace counts for callers it is exported to, and no others."""
    with configured(sample.mesh, [marking_from_outside(".")]):
        # The rule that is not exported is the older one, and would win; and when the other one
        # has come and gone, it has had its time.
        with in_force(sample, [marking_from_outside(NAMESPACE)]):
            exported = marked_from_outside(sample, NAMESPACE)
        private = marked_from_outside(sample, "")
    judge(all_of([private, exported]))


@behaviour("visibility/policy-exported", feature="configuration", level="extended")
def test_a_policy_counts_where_it_is_exported_to(sample: Sample, judge: Judge) -> None:
    """A DestinationRule of the root namespace counts for callers it is exported to, and no
    others."""
    with configured(sample.mesh, [distrusting(sample, ".")]):
        # As above: the one that is not exported is the older one.
        with in_force(sample, [distrusting(sample, NAMESPACE)]):
            exported = distrusted_from_outside(sample)
        private = trusted_as_usual(sample)
    judge(all_of([private, exported]))


def _in_each(sample: Sample, narrow: Narrow) -> Verdict:
    """The claim, with what narrows in each cluster's configuration in turn."""
    topology, verdicts = sample.topology, []
    for cluster in topology.unread_clusters:
        with shown_to_be(sample, cluster, narrow):
            # Nothing is to come of what nobody reads: it has had its time when the same in the
            # cluster that is read has come and gone.
            governing = topology.configured_by(cluster)
            with shown_to_be(sample, governing, narrow):
                verdicts.append(hidden_where_configured(sample, governing))
            verdicts.append(hidden_where_configured(sample, cluster))
    judged = {topology.configured_by(cluster) for cluster in topology.unread_clusters}
    for cluster in topology.config_clusters:
        if cluster not in judged:
            with shown_to_be(sample, cluster, narrow):
                verdicts.append(hidden_where_configured(sample, cluster))
    return all_of(verdicts)
