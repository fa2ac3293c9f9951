"""Gateways by which a client outside all clusters does get in are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.mesh.configuration import configured
from meshproof.mesh.mesh import Way
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.handshake import certificate_of_another_root
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.traffic.tls_question import ask
from meshproof.workloads.sample import SNI, Sample
from suites.gateways.manifests import GOVERNED_PORT, GOVERNED_SNI, governed_way
from suites.gateways.outside import (
    client_outside,
    no_bystander_is_reached,
    nobody_gets_in,
    way_into,
)
from suites.sabotage import broken_gateways as broken
from suites.sabotage.shown import require_at_rest

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.networks(2), pytest.mark.each_shape]

_ANSWERED = "HTTP/1.1 200"


@proves("gateways/no-way-in-from-outside")
@requires(Capability.ROUTER)
def test_an_open_workload_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a workload that asks nobody for a certificate, the claim that nobody gets in fails."""
    home, client = sample.homes[0], client_outside(sample)
    way, foreign = way_into(sample, home), certificate_of_another_root(sample, home)

    def said() -> str:
        return ask(client, way.address, way.port, SNI).said

    try:
        with (
            ruled(sample, [broken.short_connections()]),
            configured(sample.mesh, [broken.open_workload()]),
        ):
            require(said, until=lambda seen: _ANSWERED in seen, what="an open workload")
            require_at_rest(sample)
            verdict = nobody_gets_in(sample, home, client, foreign)
    finally:
        await_healed(sample, lambda: "required" in said(), "a workload that asks")
        healed(sample)
    shown = f"without a certificate: the certificate of {sample.server_identity(home)}"
    judge(noticed([verdict], shown))


@proves("gateways/no-way-to-bystanders")
@requires(Capability.ROUTER)
def test_a_way_to_a_bystander_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that leads to the API server, the claim that it is not reached fails."""
    home, client = sample.homes[0], client_outside(sample)
    network = sample.topology[home].network
    way = Way(way_into(sample, home).address, GOVERNED_PORT)

    def led() -> bool:
        return bool(ask(client, way.address, way.port, GOVERNED_SNI).chain)

    try:
        with configured(sample.mesh, governed_way(network)):
            require(led, what="a way to the API server")
            verdict = no_bystander_is_reached(sample, home, client, way, GOVERNED_SNI)
    finally:
        await_healed(sample, lambda: not led(), "the end of the way to the API server")
    judge(noticed([verdict], "kube-apiserver"))
