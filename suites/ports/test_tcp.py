"""Plain TCP: which versions greet, on which way, and that the wire is encrypted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.ports.claims import encrypted_on_the_wire, every_version_greets

Judge = Callable[[Verdict], None]


@behaviour("ports/tcp-reaches-every-version", feature="multi-network")
def test_every_version_greets_by_tcp(sample: Sample, caller: str, judge: Judge) -> None:
    """Connections to helloworld's plain port reach every version, by mutual TLS, on its way."""
    judge(every_version_greets(sample, caller))


@behaviour("ports/tcp-encrypted-on-the-wire", feature="security")
@requires(Capability.ROUTER)
@pytest.mark.mtls("strict", "permissive")
def test_tcp_is_encrypted_on_the_wire(sample: Sample, caller: str, judge: Judge) -> None:
    """Connections between sidecars to a plain port are TLS on the wire, on every hop."""
    judge(encrypted_on_the_wire(sample, caller))
