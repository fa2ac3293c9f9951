"""Ports that are not as they should be are noticed: who greets there, how, and whom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.model import Capability, Mtls
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import ruled
from meshproof.traffic.settle import require
from meshproof.traffic.tcp import connect
from meshproof.workloads.sample import PORT, TCP_PORT, Sample
from suites.ports.claims import encrypted_on_the_wire, every_version_greets
from suites.ports.own import own_port_is_served, own_ports, served
from suites.ports.policies import denied_at, plain_text_at
from suites.sabotage.other_account import another_account
from suites.sabotage.shown import turned, without_tls

Judge = Callable[[Verdict], None]
_CALLS = 12


@proves("ports/tcp-reaches-every-version")
def test_another_server_of_the_plain_port_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a server of another service account, the claim of who greets by TCP fails."""
    name = sample.homes[0]
    with another_account(sample, name):
        verdict = every_version_greets(sample, name)
    judge(noticed([verdict], "sa/impostor"))


@proves("ports/tcp-encrypted-on-the-wire")
@requires(Capability.ROUTER)
def test_plain_tcp_between_sidecars_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a DestinationRule that turns TLS off, the claim that TCP is encrypted fails."""
    names = sample.homes
    with turned(sample, Mtls.PERMISSIVE), ruled(sample, [without_tls()]):
        for name in names:
            require(
                partial(_peers, sample, name),
                until=lambda seen: seen == {""},
                what=f"plain TCP from {name}",
            )
        verdicts = [encrypted_on_the_wire(sample, name) for name in names]
    judge(noticed(verdicts, "0 of TLS"))


@proves("ports/denied-at-one-port")
@pytest.mark.each_shape
def test_a_port_that_nobody_denies_is_noticed(sample: Sample, judge: Judge) -> None:
    """Without a policy, the claims that it closes one port of the two fail."""
    lines, http = denied_at(sample, TCP_PORT), denied_at(sample, PORT)
    judge(all_of([noticed([lines], f"let in at port {TCP_PORT}"), noticed([http], "200")]))


@proves("ports/plain-text-at-one-port")
@pytest.mark.each_shape
def test_a_port_that_stays_strict_is_noticed(sample: Sample, judge: Judge) -> None:
    """With no port opened, the claims that one of them takes plain text fail."""
    judge(
        all_of(
            noticed([plain_text_at(sample, port)], f"0 of 3 let in at port {port}")
            for port in (TCP_PORT, PORT)
        )
    )


def _peers(sample: Sample, name: str) -> set[str]:
    """Whose certificates a sleep's proxy is shown by TCP: "" shows none."""
    made = connect(sample, sample.caller(name), _CALLS)
    lost = [str(one) for one in made if not (one.heard and one.log)]
    return set(lost) or {one.log.upstream_peer for one in made if one.log}


@proves("ports/own-service-own-port")
@pytest.mark.topology("multi-primary-split-horizon", reason="where every istiod goes by its own")
def test_a_port_that_a_service_lacks_is_noticed(sample: Sample, judge: Judge) -> None:
    """With one port in all clusters, the claim that a cluster's own is another one fails."""
    ports = own_ports(sample)
    one = min(ports.values())
    with served(sample, dict.fromkeys(ports, one)):
        verdicts = [
            own_port_is_served(sample, name, port) for name, port in ports.items() if port != one
        ]
    judge(noticed(verdicts, f"is not known, but {one}"))
