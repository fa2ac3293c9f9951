"""Policies for one port alone, of helloworld's two."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.mesh.config_dump import takes_plain_text
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.policies import denying_port, enforced, of_policy
from meshproof.workloads.sample import PORT, TCP_PORT, Sample
from suites.ports.policies import denied_at, plain_text_at
from suites.ports.rules import permissive_at

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("ports/denied-at-one-port", feature="security", level="extended")
def test_a_denied_port_is_closed_and_the_other_open(sample: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy that denies sleep one port leaves it the other: TCP, then HTTP."""
    verdicts = []
    for port in (TCP_PORT, PORT):
        policy = denying_port(sample, port)
        with enforced(sample, [policy], of_policy(policy)):
            verdicts.append(denied_at(sample, port))
    judge(all_of(verdicts))


@behaviour("ports/plain-text-at-one-port", feature="security", level="extended")
def test_one_port_takes_plain_text_and_the_other_does_not(sample: Sample, judge: Judge) -> None:
    """A PeerAuthentication opens one port of a strict workload to callers without a sidecar."""
    verdicts = []
    for port in (TCP_PORT, PORT):
        opened = partial(takes_plain_text, port=port)
        with enforced(sample, [permissive_at(port)], opened):
            verdicts.append(plain_text_at(sample, port))
    judge(all_of(verdicts))
