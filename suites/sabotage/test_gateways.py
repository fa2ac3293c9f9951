"""Gateways that do not do what they should are noticed, and what is wrong with them is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.lab.objects import applied, apply
from meshproof.mesh.gateways import GATEWAY_IDENTITY, GATEWAY_PORT
from meshproof.mesh.manifests import SYSTEM, cross_network_gateway
from meshproof.mesh.operator_config import GATEWAY
from meshproof.mesh.proxy import endpoints, outbound, statistics
from meshproof.traffic.settle import converge, healed
from meshproof.workloads.sample import HOST, PORT, WORKLOAD_IDENTITY, Sample
from suites.gateways.authorization import allowed, denied
from suites.gateways.claims import (
    calls_cross,
    the_gateway_refuses,
    the_workload_shows_its_own_certificate,
    the_workload_turns_away,
)
from suites.gateways.far_side import far_side
from suites.gateways.healing import await_healed
from suites.gateways.indifference import a_deny_all_changes_nothing, twins_are_accepted
from suites.gateways.manifests import configured
from suites.gateways.strangers import Stranger
from suites.gateways.telemetry import only_tcp_is_counted
from suites.paths.claims import remote_version_by_its_way
from suites.sabotage import broken_gateways as broken

Judge = Callable[[Verdict], None]


@pytest.mark.networks(2)
def test_a_terminating_gateway_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that ends TLS, the claims that it passes it on and reads nothing fail."""
    caller = _first(sample)
    far = far_side(sample, caller)
    primary = sample.mesh.cluster(sample.mesh.deployment.topology.configured_by(far.there))
    try:
        with configured(sample, broken.way_of_the_terminated()):
            apply(primary, [broken.terminating_gateway()])
            converge(lambda: far.dial().identity == GATEWAY_IDENTITY)
            shown = the_workload_shows_its_own_certificate(sample, caller)
            counted = only_tcp_is_counted(sample, caller)
    finally:
        apply(primary, [cross_network_gateway()])
        await_healed(sample, lambda: far.dial().identity == WORKLOAD_IDENTITY, "pass-through")
        healed(sample)
    requests = f"http.outbound_0.0.0.0_{GATEWAY_PORT}"
    judge(all_of([noticed([shown], GATEWAY_IDENTITY), noticed([counted], requests)]))


@pytest.mark.networks(2)
def test_a_workload_that_asks_for_no_certificate_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a workload that lets anybody in, the claim that it turns such away fails."""
    far = far_side(sample, _first(sample))
    try:
        with configured(sample, [broken.short_connections(), broken.open_workload()]):
            converge(lambda: far.dial().said.startswith("HTTP/"))
            verdict = the_workload_turns_away(sample, _first(sample))
    finally:
        await_healed(sample, lambda: "required" in far.dial().said, "a workload that asks")
        healed(sample)
    judge(noticed([verdict], "HTTP/1.1 200"))


@pytest.mark.networks(2)
def test_an_sni_that_exists_is_noticed(sample: Sample, caller: str, judge: Judge) -> None:
    """With an SNI that names a service, the claim that the gateway refuses it fails."""
    known = Stranger("an SNI that does exist")
    judge(noticed([the_gateway_refuses(sample, caller, known)], WORKLOAD_IDENTITY))


def test_a_missing_policy_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no AuthorizationPolicy, the claims that one denies, or allows one path only, fail."""
    judge(all_of([noticed([denied(sample)], "x 200"), noticed([allowed(sample)], "x 404")]))


@pytest.mark.networks(2)
def test_a_gateway_that_denies_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that does deny what it passes on, the claim that it denies nothing fails."""
    far = far_side(sample, _first(sample))
    try:
        with configured(sample, [broken.denying_gateway()]):
            converge(lambda: not far.dial().chain)
            verdict = a_deny_all_changes_nothing(sample, _first(sample))
    finally:
        await_healed(sample, lambda: bool(far.dial().chain), "a gateway that denies nothing")
        healed(sample)
    judge(noticed([verdict], "denied"))


@pytest.mark.networks(2)
def test_a_rejected_configuration_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a listener that the gateway must reject, the claim that it accepts all fails."""
    far = far_side(sample, _first(sample))
    rejected = r"^listener_manager\.lds\.update_rejected$"
    before = statistics(far.gateway, rejected)
    try:
        with configured(sample, [broken.duplicate_chain()]):
            converge(lambda: statistics(far.gateway, rejected) != before)
            verdict = twins_are_accepted(sample, _first(sample))
    finally:
        healed(sample)
    judge(noticed([verdict], "updates rejected"))


@pytest.mark.networks(2)
def test_a_wrong_gateway_address_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway's address where nobody is, the claim that calls cross fails and names it."""
    caller = _first(sample)
    nobody = sample.mesh.cluster(caller).control_plane.address
    with configured(sample, [broken.no_retries()]), _advertised(sample, caller, nobody):
        verdict = calls_cross(sample, caller)
    judge(noticed([verdict], f"{nobody}:{GATEWAY_PORT}"))


@pytest.mark.networks(2)
def test_a_side_door_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a second way into the network, the claim of the gateway's address fails and names it."""
    caller = _first(sample)
    there = sample.mesh.cluster(sample.plan[sample.remote_version(caller)])
    door = broken.side_door(sample.mesh.deployment.topology[there.name].network)
    addresses = sample.mesh.lab.addresses[there.name]
    try:
        with applied(there, [door]):
            address = addresses.give(SYSTEM, broken.SIDE_DOOR)
            converge(lambda: address in _known(sample, caller))
            verdict = remote_version_by_its_way(sample, caller)
    finally:
        addresses.take_back(SYSTEM, broken.SIDE_DOOR)
        await_healed(sample, lambda: len(_gateways(sample, caller)) == 1, "one way only")
        healed(sample)
    judge(noticed([verdict], f"{address}:{GATEWAY_PORT}"))


def _first(sample: Sample) -> str:
    """The cluster that breakages are seen from. What they break is in another one, so that a
    remote does not lose its istiod, which it reaches by its primary's gateway."""
    return sample.clusters[0]


@contextmanager
def _advertised(sample: Sample, caller: str, address: IPv4Address) -> Iterator[None]:
    """The other cluster's gateway seems to have this address."""
    there = sample.plan[sample.remote_version(caller)]
    own = sample.mesh.gateway(there)
    assert own is not None
    try:
        _advertise(sample, there, address)
        converge(lambda: _gateways(sample, caller) == {address})
        yield
    finally:
        _advertise(sample, there, own)
        await_healed(sample, lambda: _gateways(sample, caller) == {own}, "the right address")
        healed(sample)


def _advertise(sample: Sample, there: str, address: IPv4Address) -> None:
    status = {"status": {"loadBalancer": {"ingress": [{"ip": str(address)}]}}}
    sample.mesh.cluster(there).core.patch_namespaced_service_status(GATEWAY, SYSTEM, status)


def _known(sample: Sample, caller: str) -> set[IPv4Address]:
    """The addresses that the caller's sidecar knows for helloworld."""
    seen = endpoints(sample.caller(caller).spot, outbound(HOST, PORT))
    return {IPv4Address(one.address) for one in seen}


def _gateways(sample: Sample, caller: str) -> set[IPv4Address]:
    """Those of them that are no pods of its own cluster."""
    return {
        one
        for one in _known(sample, caller)
        if not any(one in node.pods for node in sample.mesh.cluster(caller).nodes)
    }
