"""Services that answer where they are not exported, or do not where they are, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.dns_sleeps import dns_sleeps
from meshproof.workloads.sample import Sample
from suites.mcs.claims import cluster_name_stays, exporters_answer
from suites.mcs.clusterset import cluster_set, exported

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@proves("mcs/exporters-answer-by-clusterset-name", "mcs/unexported-stays-at-home")
def test_other_exports_than_claimed_are_noticed(sample: Sample, judge: Judge) -> None:
    """With an export too few, and with one too many, the claims of who answers fail."""
    here, there = sample.homes[:2]
    lost = ", ".join(sorted(sample.versions_in(there)))
    with cluster_set(sample):
        with exported(sample, [here]):
            few = exporters_answer(sample, here, [here, there])
        with exported(sample, [here, there]):
            many = exporters_answer(sample, here, [here])
    judge(
        all_of(
            [
                noticed([few], f"{lost} never answered {here}"),
                noticed([many], f"from {there} answered {here}, and exports nothing"),
            ]
        )
    )


@proves("mcs/cluster-name-stays-at-home")
def test_a_cluster_name_that_leaves_is_noticed(sample: Sample, judge: Judge) -> None:
    """With istiods that heed no MCS, the claim that a cluster's name stays at home fails."""
    here = sample.homes[0]
    other = next(one for one, home in sample.reached_from(here).items() if home != here)
    with dns_sleeps(sample):
        verdict = cluster_name_stays(sample, here)
    judge(noticed([verdict], f"{other} from {sample.versions[other]}"))
