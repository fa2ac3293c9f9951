"""A channel to istiod that lets anybody in, or that carries plain text, is noticed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.handshake import certificate_of_sleep
from meshproof.traffic.probe import Target, probe
from meshproof.workloads.sample import Sample
from suites.channel.claims import istiod_of, only_the_mesh_gets_in, proxies_speak_tls
from suites.channel.false_istiod import (
    UNKNOWN_AUTHORITY,
    Shown,
    a_false_istiod_is_refused,
    led_astray,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("channel/only-the-mesh-gets-in")
def test_a_stolen_authority_gets_in_and_is_noticed(
    sample: Sample, caller: str, judge: Judge
) -> None:
    """With the mesh's own authority in a client's hands, the claim that it is refused fails."""
    stolen = certificate_of_sleep(sample, caller)
    verdict = only_the_mesh_gets_in(sample, caller, istiod_of(sample, caller), stolen)
    judge(noticed([verdict], "it was not refused"))


@proves("channel/proxies-are-told-by-tls")
@requires(Capability.ROUTER)
def test_plain_text_to_istiod_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a sleep that asks istiod in plain text, the claim that there is none fails."""
    name = sample.clusters[0]
    istiod = istiod_of(sample, name)
    target = Target("istiod", istiod.address, istiod.port)
    asking = partial(probe, sample.caller(name), target)
    verdict = proxies_speak_tls(sample, name, istiod, asking)
    judge(noticed([verdict], f"of other kinds from {name} to istiod"))


@proves("channel/false-istiod-refused")
def test_a_false_istiod_with_a_stolen_authority_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a false istiod that the mesh's own authority vouches for, the claim that sidecars refuse
    it fails."""
    tried = led_astray(sample, sample.clusters[0], Shown.THE_MESHS)
    verdict = a_false_istiod_is_refused(tried, UNKNOWN_AUTHORITY)
    judge(noticed([verdict], "it was not refused for that"))
