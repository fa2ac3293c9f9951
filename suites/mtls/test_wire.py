"""The wire: what router and nodes see of calls between sidecars."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.mtls.claims import encrypted_on_the_wire, plain_on_the_wire

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.managed("too")


@pytest.mark.each_topology
@behaviour("mtls/encrypted-on-the-wire", feature="security")
@requires(Capability.ROUTER)
@pytest.mark.mtls("strict", "permissive")
def test_every_call_between_sidecars_is_mutual_tls(
    sample: Sample, caller: str, judge: Judge
) -> None:
    """Every call between sidecars is mutual TLS on the wire, and none is plain text."""
    judge(encrypted_on_the_wire(sample, caller))


@behaviour("mtls/disabled-is-plain-on-the-wire", feature="security")
@requires(Capability.ROUTER)
@pytest.mark.networks(1)
@pytest.mark.mtls("disabled")
def test_without_mtls_every_call_is_plain_text(sample: Sample, caller: str, judge: Judge) -> None:
    """With mTLS disabled every call is plain text on the wire, and nobody shows a certificate."""
    judge(plain_on_the_wire(sample, caller))
