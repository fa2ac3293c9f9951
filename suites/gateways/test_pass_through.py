"""Pass-through: the gateway leads TLS to the workload unterminated, whoever dials it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.gateways.claims import (
    the_gateway_refuses,
    the_workload_shows_its_own_certificate,
    the_workload_turns_away,
)
from suites.gateways.clients import (
    PLAIN_HTTP,
    WITH_OTHER_ALPN,
    WITHOUT_ALPN,
    unknown_port,
    unknown_service,
)

pytestmark = pytest.mark.networks(2)
Judge = Callable[[Verdict], None]


@behaviour("gateways/workload-shows-its-certificate", feature="multi-network")
@requires(Capability.ROUTER)
def test_the_certificate_is_the_workloads(
    sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """TLS that is dialled through the gateway ends at the workload: its certificate is seen."""
    judge(the_workload_shows_its_own_certificate(sample, caller, target))


@behaviour("gateways/no-certificate-refused-by-workload", feature="security")
def test_a_client_without_a_certificate_is_refused_by_the_workload(
    sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """A client without a certificate passes the gateway and is refused by the workload."""
    judge(the_workload_turns_away(sample, caller, target))


@behaviour("gateways/unknown-sni-refused", feature="security")
def test_an_sni_of_no_service_is_refused(
    sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """The gateway refuses an SNI that names no service, or no port of one."""
    clients = (unknown_service(), unknown_port())
    judge(all_of([the_gateway_refuses(sample, caller, target, one) for one in clients]))


@behaviour("gateways/foreign-alpn-refused", feature="security")
def test_tls_without_istios_alpn_is_refused(
    sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """The gateway refuses TLS that does not offer Istio's ALPN, even with the right SNI."""
    clients = (WITHOUT_ALPN, WITH_OTHER_ALPN)
    judge(all_of([the_gateway_refuses(sample, caller, target, one) for one in clients]))


@behaviour("gateways/plain-http-refused", feature="security")
def test_plain_http_is_refused(sample: Sample, caller: str, target: str, judge: Judge) -> None:
    """The gateway refuses a plain HTTP request."""
    judge(the_gateway_refuses(sample, caller, target, PLAIN_HTTP))
