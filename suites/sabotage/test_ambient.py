"""A mesh whose sidecars do not go on as before is noticed, whatever its istiods' settings are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.mesh.routes import destination_rule, to_versions, virtual_service
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import ruled
from meshproof.workloads.sample import HOST, Sample
from suites.ambient.claims import sidecars_go_on

pytestmark = [pytest.mark.each_shape, pytest.mark.several_versions]


@proves("ambient/flag-leaves-sidecars-alone", "ambient/global-services-answer")
def test_a_version_that_is_not_called_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a rule that has calls go to one version, the claim that sidecars go on fails."""
    one, other = sample.common[:2]
    rules = [
        destination_rule(HOST, [one]),
        virtual_service(HOST, [to_versions(HOST, {one: 100})]),
    ]
    with ruled(sample, rules):
        verdict = sidecars_go_on(sample, sample.clusters[0])
    judge(noticed([verdict], f"{other} never answered"))
