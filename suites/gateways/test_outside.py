"""Outside: gateways that anybody can reach are a way in for nobody without a certificate."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.handshake import certificate_of_another_root
from meshproof.workloads.sample import Sample
from suites.gateways.outside import (
    client_outside,
    no_bystander_is_reached,
    nobody_gets_in,
    way_into,
)

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.networks(2), pytest.mark.each_shape]


@behaviour("gateways/no-way-in-from-outside", feature="security")
@requires(Capability.ROUTER)
def test_nobody_gets_in_from_outside(sample: Sample, home: str, judge: Judge) -> None:
    """A client outside all clusters gets in by no gateway without a certificate of the mesh."""
    foreign = certificate_of_another_root(sample, home)
    judge(nobody_gets_in(sample, home, client_outside(sample), foreign))


@behaviour("gateways/no-way-to-bystanders", feature="security")
@requires(Capability.ROUTER)
def test_no_bystander_is_reached_from_outside(sample: Sample, home: str, judge: Judge) -> None:
    """Gateways lead a client outside all clusters to nobody who has no sidecar, as API servers."""
    client = client_outside(sample)
    judge(no_bystander_is_reached(sample, home, client, way_into(sample, home)))
