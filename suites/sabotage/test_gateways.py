"""Gateways that do not do what they should are noticed, and what is wrong with them is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.kube.objects import applied
from meshproof.kube.workload import Workload
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import GATEWAY_PORT, gateway_identity
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import statistics
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.workloads.sample import Sample
from suites.gateways.authorization import allowed, denied
from suites.gateways.claims import (
    calls_cross,
    the_gateway_refuses,
    the_workload_shows_its_own_certificate,
    the_workload_turns_away,
)
from suites.gateways.clients import PLAIN_HTTP, Client
from suites.gateways.far_side import breakable_pair, far_side
from suites.gateways.indifference import a_deny_all_changes_nothing, twins_are_accepted
from suites.gateways.telemetry import only_tcp_is_counted
from suites.paths.claims import remote_version_by_its_way
from suites.sabotage import broken_gateways as broken
from suites.sabotage.announced import announced, ways_known
from suites.sabotage.shown import require_at_rest, terminating

Judge = Callable[[Verdict], None]

_ANSWERED = "HTTP/1.1 200"
_REJECTED = r"^listener_manager\.lds\.update_rejected$"
_TAKEN = r"^listener_manager\.lds\.update_success$"


@proves("gateways/workload-shows-its-certificate", "gateways/counts-tcp-only")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
def test_a_terminating_gateway_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that ends TLS, the claims that it passes it on and reads nothing fail."""
    caller, target = breakable_pair(sample)
    with terminating(sample, caller, far_side(sample, caller, target)):
        shown = the_workload_shows_its_own_certificate(sample, caller, target)
        counted = only_tcp_is_counted(sample, caller, target)
    requests = f"http.outbound_0.0.0.0_{GATEWAY_PORT}"
    judge(all_of([noticed([shown], gateway_identity(sample.mesh)), noticed([counted], requests)]))


@proves("gateways/no-certificate-refused-by-workload")
@pytest.mark.networks(2)
def test_a_workload_that_asks_for_no_certificate_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a workload that lets anybody in, the claim that it turns such away fails."""
    far = far_side(sample, *breakable_pair(sample))
    try:
        with (
            ruled(sample, [broken.short_connections()]),
            configured(sample.mesh, [broken.open_workload()]),
        ):
            require(far.dial, until=lambda seen: _ANSWERED in seen.said, what="an open workload")
            require_at_rest(sample)
            verdict = the_workload_turns_away(sample, *breakable_pair(sample))
    finally:
        await_healed(sample, lambda: "required" in far.dial().said, "a workload that asks")
        healed(sample)
    judge(noticed([verdict], _ANSWERED))


@proves("gateways/unknown-sni-refused", "gateways/foreign-alpn-refused")
@pytest.mark.networks(2)
def test_an_sni_that_exists_is_noticed(
    sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """With an SNI that names a service, the claim that the gateway refuses it fails."""
    known = Client("an SNI that does exist")
    refused = the_gateway_refuses(sample, caller, target, known)
    judge(noticed([refused], sample.server_identity(sample.versions[target])))


@proves("gateways/plain-http-refused")
@pytest.mark.networks(2)
def test_a_gateway_that_answers_plain_http_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that answers plain HTTP as well, the claim that it refuses it fails."""
    far = far_side(sample, *breakable_pair(sample))
    try:
        with configured(sample.mesh, [broken.answering_gateway()]):
            what = f"an answer to plain HTTP at {far.way}"
            require(far.ask_plainly, until=lambda seen: _ANSWERED in seen[0], what=what)
            require_at_rest(sample)
            verdict = the_gateway_refuses(sample, *breakable_pair(sample), PLAIN_HTTP)
    finally:
        await_healed(sample, lambda: not far.ask_plainly()[1], "a gateway that refuses plain HTTP")
        healed(sample)
    judge(noticed([verdict], _ANSWERED))


@proves("gateways/denied-identity-refused", "gateways/only-allowed-identity-answered")
def test_a_missing_policy_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no AuthorizationPolicy, the claims that one denies, or allows one path only, fail."""
    judge(all_of([noticed([denied(sample)], "x 200"), noticed([allowed(sample)], "x 404")]))


@proves("gateways/deny-all-at-gateway-changes-nothing")
@requires(Capability.ROUTER)
@pytest.mark.networks(2)
def test_a_gateway_that_denies_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway that does deny what it passes on, the claim that it denies nothing fails."""
    far = far_side(sample, *breakable_pair(sample))
    try:
        with configured(sample.mesh, [broken.denying_gateway()]):
            # That nobody shows a certificate may have other reasons: the gateway owns up to it.
            listeners = f"'{broken.DENYING}' among the listeners of {far.gateway}"
            require(lambda: broken.DENYING in in_use(far.gateway, LISTENERS), what=listeners)
            require(far.dial, until=lambda seen: not seen.chain, what="a gateway that denies")
            verdict = a_deny_all_changes_nothing(sample, *breakable_pair(sample))
    finally:
        await_healed(sample, lambda: bool(far.dial().chain), "a gateway that denies nothing")
        healed(sample)
    judge(noticed([verdict], "denied"))


@proves("gateways/twin-subsets-accepted")
@pytest.mark.networks(2)
def test_a_rejected_configuration_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a listener that the gateway must reject, the claim that it accepts all fails."""
    far = far_side(sample, *breakable_pair(sample))
    try:
        with _rejecting(sample, far.gateway):
            verdict = twins_are_accepted(sample, *breakable_pair(sample))
    finally:
        healed(sample)
    judge(noticed([verdict], "updates rejected"))


@proves(
    "gateways/no-certificate-refused-by-workload",
    "gateways/deny-all-at-gateway-changes-nothing",
    "gateways/twin-subsets-accepted",
)
@pytest.mark.networks(2)
def test_a_wrong_gateway_address_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a gateway's address where nobody is, the claim that calls cross fails and names it."""
    caller, target = breakable_pair(sample)
    way = Way(sample.mesh.cluster(caller).control_plane.address, _way_to(sample, target).port)
    right, wrong = _way_to(sample, target), {"ip": str(way.address)}

    def moved(seen: set[str]) -> bool:
        return str(way) in seen and str(right) not in seen

    with (
        ruled(sample, [broken.no_retries()]),
        announced(sample, caller, target, wrong, until=moved),
    ):
        verdict = calls_cross(sample, caller, target)
    judge(noticed([verdict], str(way)))


@proves("paths/remote-through-gateway")
@requires(Capability.ROUTER, Capability.ASSIGNED_ADDRESSES)
@pytest.mark.networks(2)
def test_a_second_address_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a second way into the network, the claim of the gateway's address fails and names it."""
    caller, target = breakable_pair(sample)
    far = far_side(sample, caller, target)
    there = sample.mesh.cluster(far.gateway.cluster)
    service = broken.second_address(sample.topology[there.name].network)
    addresses = sample.mesh.lab.addresses[there.name]
    try:
        with applied(there, [service]):
            address = addresses.give(SYSTEM, broken.SECOND_ADDRESS)
            second = Way(address, GATEWAY_PORT)
            behind = replace(far, way=second).dial
            # kube-proxy may know the address before it knows who is behind it.
            opened = f"a way in at {address}"
            require(behind, until=lambda seen: seen.identity == far.identity, what=opened)
            known = f"{second} among the endpoints in {caller}"
            require(lambda: str(second) in ways_known(sample, caller), what=known)
            verdict = remote_version_by_its_way(sample, caller, target)
    finally:
        addresses.take_back(SYSTEM, broken.SECOND_ADDRESS)
        await_healed(sample, lambda: str(second) not in ways_known(sample, caller), "one way only")
        healed(sample)
    judge(noticed([verdict], str(second)))


def _way_to(sample: Sample, target: str) -> Way:
    """Where a version is reached from other networks."""
    return next(iter(sample.mesh.ways_to(sample.versions[target]).values()))


@contextmanager
def _rejecting(sample: Sample, gateway: Workload) -> Iterator[None]:
    """A gateway rejects all that is new for its listeners inside the block; afterwards it has
    taken something again."""
    before, what = statistics(gateway, _REJECTED), f"listeners that {gateway} rejects"
    taken = dict[str, int]()
    try:
        with configured(sample.mesh, [broken.duplicate_chain()]):
            try:
                seen = partial(statistics, gateway, _REJECTED)
                require(seen, until=lambda counts: counts != before, what=what)
                yield
            finally:
                taken |= statistics(gateway, _TAKEN)
    finally:
        await_healed(sample, lambda: statistics(gateway, _TAKEN) != taken, f"the end of {what}")
