"""Entries: a service by a ServiceEntry, or by another name, is that of all clusters as well."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import HOST, Sample
from suites.entries.claims import reached_by
from suites.entries.names import BY_ALIAS, BY_ENTRY, ENTRY, aliased, await_entry, entered, entry

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
