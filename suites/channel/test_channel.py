"""The channel by which istiod configures proxies: TLS, and for members of the mesh alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.handshake import certificate_of_another_root
from meshproof.workloads.sample import Sample
from suites.channel.claims import istiod_of, only_the_mesh_gets_in, proxies_speak_tls
from suites.channel.false_istiod import (
    ANOTHERS_NAME,
    UNKNOWN_AUTHORITY,
    Shown,
    refused_everywhere,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("channel/only-the-mesh-gets-in", feature="security")
def test_only_the_mesh_gets_in(sample: Sample, caller: str, judge: Judge) -> None:
    """istiod refuses plain text and clients of another root where proxies of a cluster ask it."""
    istiod = istiod_of(sample, caller)
    foreign = certificate_of_another_root(sample, caller)
    judge(only_the_mesh_gets_in(sample, caller, istiod, foreign))


@behaviour("channel/proxies-are-told-by-tls", feature="security")
@requires(Capability.ROUTER)
def test_proxies_are_told_by_tls(sample: Sample, caller: str, judge: Judge) -> None:
    """What istiod tells a cluster's proxies crosses the wire as TLS, and nothing as plain text."""
    judge(proxies_speak_tls(sample, caller, istiod_of(sample, caller)))


@behaviour("channel/false-istiod-refused", feature="security", level="extended")
def test_a_false_istiod_is_refused(sample: Sample, judge: Judge) -> None:
    """A sidecar refuses an istiod of another root, and a workload of the mesh that poses as one."""
    kinds = {Shown.ANOTHER_ROOTS: UNKNOWN_AUTHORITY, Shown.A_WORKLOADS: ANOTHERS_NAME}
    judge(refused_everywhere(sample, kinds))
