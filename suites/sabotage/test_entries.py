"""Entries without some clusters' pods, and names that are none of a service, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.mesh.proxy import outbound
from meshproof.runner.behaviours import proves
from meshproof.traffic.services import offered
from meshproof.traffic.settle import require
from meshproof.workloads.sample import HOST, PORT, Sample, helloworld_service
from suites.entries.claims import reached_by
from suites.entries.names import (
    ALIAS,
    ALIAS_HOST,
    BY_ALIAS,
    BY_ENTRY,
    ENTRY,
    entered,
    entry,
    known_of,
)

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
