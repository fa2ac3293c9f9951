"""Cleanup: uninstalling a mesh leaves every cluster as it was, compared object by object."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import WaitTimeoutError
from meshproof.expect import Outcome, Verdict, all_of
from meshproof.mesh.uninstall import uninstall
from meshproof.model import Capability
from meshproof.run.labs import Labs
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import NAMESPACE, OUTSIDE, Sample
from suites.cleanup.claims import (
    istioctl_leaves_nothing,
    more_is_held,
    no_address_remains,
    no_name_remains,
    no_rule_remains,
    nothing_remains,
    witnesses_see_it,
)


@behaviour("cleanup/nothing-remains", feature="lifecycle")
@requires(Capability.NODES)
@pytest.mark.last
@pytest.mark.variant("mesh-networks", "revision")
def test_nothing_remains_of_a_mesh(
    sample: Sample, labs: Labs, judge: Callable[[Verdict], None]
) -> None:
    """After uninstalling, nothing that was installed remains, no rule and no name of it either."""
    lab, before = sample.mesh.lab, sample.mesh.before
    seen = [more_is_held(lab, before), witnesses_see_it(sample)]
    try:
        labs.end_mesh()
    except WaitTimeoutError as error:
        expected = "all that was installed to be removed"
        judge(Verdict(Outcome.FAIL, expected, error.cause))
    remains = [no_address_remains(lab), no_rule_remains(lab), no_name_remains(lab)]
    judge(all_of([nothing_remains(lab, before), *remains, *seen]))


@behaviour("cleanup/istioctl-leaves-nothing", feature="lifecycle", level="extended")
@pytest.mark.last
def test_istioctl_leaves_nothing(
    sample: Sample, labs: Labs, judge: Callable[[Verdict], None]
) -> None:
    """Uninstalling as Istio's pages on multicluster say leaves nothing behind, and takes nothing
    else along."""
    seen = more_is_held(sample.mesh.lab, sample.mesh.before)
    uninstall(sample.mesh, [NAMESPACE, OUTSIDE])
    verdict = istioctl_leaves_nothing(sample.mesh.lab, sample.mesh.before)
    labs.end_mesh()
    judge(all_of([verdict, seen]))
