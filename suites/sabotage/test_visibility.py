"""Services and rules that are seen where they should not be, or nowhere, are noticed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import ruled
from meshproof.traffic.services import offered
from meshproof.workloads.sample import NAMESPACE, Sample
from suites.sabotage.shown import require_arrived
from suites.visibility.claims import (
    distrusted_from_outside,
    hidden_where_configured,
    marked_from_outside,
    trusted_as_usual,
)
from suites.visibility.narrowing import (
    distrusting,
    marking_from_outside,
    service,
    shown_to_be,
    unlisted,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("visibility/sidecar-lists-services", "visibility/service-exported")
def test_a_service_that_is_seen_is_noticed(sample: Sample, judge: Judge) -> None:
    """With nothing that narrows, the claim that callers do not see the Service fails."""
    cluster = sample.topology.config_clusters[0]
    with offered(sample, [service()]):
        verdict = hidden_where_configured(sample, cluster)
    judge(noticed([verdict], f"from {cluster} were answered"))


@proves("visibility/sidecar-lists-services", "visibility/service-exported")
def test_a_service_that_nobody_sees_is_noticed(sample: Sample, judge: Judge) -> None:
    """With every cluster's configuration narrowing, the claim that only one's does fails."""
    last = sample.clusters[-1]
    others = [one for one in sample.topology.config_clusters if one != last]
    with offered(sample, [service()]), ExitStack() as stack:
        for cluster in others:
            stack.enter_context(shown_to_be(sample, cluster, unlisted))
        require_arrived(sample)
        verdict = hidden_where_configured(sample, last)
    judge(noticed([verdict], "502"))


@proves("visibility/rule-exported")
def test_a_rule_that_goes_too_far_is_noticed(sample: Sample, judge: Judge) -> None:
    """With the rule exported, and with none, the claims of the other fail and tell the mark."""
    with ruled(sample, [marking_from_outside(NAMESPACE)]):
        exported = marked_from_outside(sample, "")
    private = marked_from_outside(sample, NAMESPACE)
    told = [noticed([exported], f"bear the mark '{NAMESPACE}'")]
    judge(all_of([*told, noticed([private], "bear the mark ''")]))


@proves("visibility/policy-exported")
def test_a_policy_that_goes_too_far_is_noticed(sample: Sample, judge: Judge) -> None:
    """With the policy exported, and with none, the claims of the other fail and tell what came of
    calls."""
    with ruled(sample, [distrusting(sample, NAMESPACE)]):
        exported = trusted_as_usual(sample)
    private = distrusted_from_outside(sample)
    judge(all_of([noticed([exported], "503 [UF]"), noticed([private], "200")]))
