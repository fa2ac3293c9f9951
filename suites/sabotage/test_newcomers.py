"""Newcomers that nobody has told of the mesh, or that do not end, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import find_workload
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import OUTSIDE, Sample, sleep_objects
from suites.newcomers.claims import done_and_ended, served_as_any_other
from suites.newcomers.setting import Errand

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("newcomers/new-namespace-is-served", "newcomers/jobs-call-and-end")
def test_a_namespace_without_injection_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a caller in a namespace that nobody has labelled, the claims of its sidecar fail."""
    name = sample.clusters[-1]
    cluster, late = sample.mesh.cluster(name), "unlabelled"
    objects: list[Object] = sleep_objects(OUTSIDE, late)
    with applied(cluster, objects):
        await_rollout(cluster, OUTSIDE, {late}, sample.mesh.shell)
        caller = find_workload(cluster, late, OUTSIDE)
        verdicts = [
            served_as_any_other(sample, caller),
            done_and_ended(sample, Errand(caller, True, ())),
        ]
    judge(noticed(verdicts, "has no sidecar"))
