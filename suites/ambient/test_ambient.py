"""Ambient: a mesh of sidecars does not heed that its istiods are ready for another kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.mesh.mesh_config import mesh_configured
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.ambient.claims import (
    GLOBAL,
    await_known,
    settings_took_effect,
    sidecars_go_on,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


# https://github.com/istio/istio/issues/61713, 60609 and 60343.
@behaviour("ambient/flag-leaves-sidecars-alone", feature="multi-network")
def test_the_multi_network_flag_leaves_sidecars_alone(
    ambient: Sample, caller: str, judge: Judge
) -> None:
    """With ambient's multi-network flag on, sidecars call every version as they do without."""
    judge(all_of([settings_took_effect(ambient), sidecars_go_on(ambient, caller)]))


@behaviour("ambient/global-services-answer", feature="multi-network", level="extended")
def test_a_global_service_is_answered_everywhere(ambient: Sample, judge: Judge) -> None:
    """With that flag on, sidecars call every version of a service that is declared global."""
    with mesh_configured(ambient.mesh, GLOBAL):
        await_known(ambient)
        claims = [sidecars_go_on(ambient, name) for name in ambient.clusters]
    judge(all_of([settings_took_effect(ambient), *claims]))
