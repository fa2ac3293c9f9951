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
    more_is_held,
    no_address_remains,
    no_name_remains,
    no_rule_remains,
    nothing_remains,
    uninstalling_leaves_nothing,
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
@pytest.mark.installed_by("istioctl")
def test_istioctl_leaves_nothing(
    sample: Sample, labs: Labs, judge: Callable[[Verdict], None]
) -> None:
    """Uninstalling as Istio's pages on multicluster say leaves nothing behind, and takes nothing
    else along."""
    judge(_uninstalled(sample, labs))


@behaviour("cleanup/helm-leaves-nothing", feature="lifecycle", level="extended")
@pytest.mark.last
@pytest.mark.installed_by("helm")
def test_helm_leaves_nothing(sample: Sample, labs: Labs, judge: Callable[[Verdict], None]) -> None:
    """Uninstalling Helm's releases, and the kinds that it keeps, as Istio's pages on multicluster
    say leaves nothing behind, and takes nothing else along."""
    judge(_uninstalled(sample, labs))


def _uninstalled(sample: Sample, labs: Labs) -> Verdict:
    """What is left when the mesh was uninstalled by what had installed it."""
    mesh = sample.mesh
    seen = more_is_held(mesh.lab, mesh.before)
    uninstall(mesh, [NAMESPACE, OUTSIDE])
    verdict = uninstalling_leaves_nothing(mesh.lab, mesh.before, mesh.deployment.installed_by)
    labs.end_mesh()
    return all_of([verdict, seen])
