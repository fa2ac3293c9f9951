"""Sidecars of another revision are noticed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.kube.seam import lab_errors
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.revisions.claims import STATUS, sidecars_follow

pytestmark = pytest.mark.only_variant("revision")


@proves("revisions/sidecars-follow-their-namespace")
def test_sidecars_of_another_revision_are_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With sidecars of one revision, the claim that they are another's fails and names theirs."""
    own = sample.mesh.deployment.revision
    judge(noticed([sidecars_follow(sample, f"not-{own}")], f"by '{own}', from istiod-{own}."))


@proves("revisions/sidecars-follow-their-namespace")
def test_a_sidecar_that_another_revision_injected_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a pod that another revision injected, the claim fails and names that one."""
    own, caller = sample.mesh.deployment.revision, sample.caller(sample.clusters[-1])
    core = sample.mesh.cluster(caller.cluster).core

    with lab_errors(f"read {caller}"):
        was = core.read_namespaced_pod(caller.name, caller.namespace).metadata.annotations[STATUS]

    def note(status: str) -> None:
        with lab_errors(f"annotate {caller}"):
            body = {"metadata": {"annotations": {STATUS: status}}}
            core.patch_namespaced_pod(caller.name, caller.namespace, body)

    try:
        note(json.dumps({**json.loads(was), "revision": "another"}))
        verdict = sidecars_follow(sample, own)
    finally:
        note(was)
    judge(noticed([verdict], f"by 'another', from istiod-{own}."))
