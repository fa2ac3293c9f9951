"""What is claimed of the gateway's statistics: it sees connections, and no requests."""

from __future__ import annotations

import re
from collections.abc import Mapping

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.mesh.proxy import statistics
from meshproof.workloads.sample import SNI, Sample
from suites.gateways.claims import calls_cross
from suites.gateways.far_side import far_side

# The proxy's own: its admin interface and what asks it for statistics and readiness.
_OWN = ("http.admin.", "http.agent.", "http.stats.")
_ADMIN = "http.admin.downstream_rq_total"
_REQUESTS = r"^http\..*\.downstream_rq_total$"
_CONNECTIONS = rf"^cluster\.{re.escape(SNI)}\W.*upstream_cx_total$"
_BYTES = rf"^tcp\.{re.escape(SNI)}\W.*downstream_cx_rx_bytes_total$"
# A request of HTTP has more, with the headers that sidecars add; TLS adds to that.
_LEAST = 100


def only_tcp_is_counted(sample: Sample, caller: str, target: str) -> Verdict:
    """Calls through the other cluster's gateway raise its counts of bytes and connections for
    the service, and none of HTTP requests, although it shows those that it has."""
    far = far_side(sample, caller, target)
    pattern = f"{_REQUESTS}|{_CONNECTIONS}|{_BYTES}"
    before = statistics(far.gateway, pattern)
    calls = calls_cross(sample, caller, target)
    far.dial()  # sidecars may go on with the connections they have
    after = statistics(far.gateway, pattern)
    risen = {name: count - before.get(name, 0) for name, count in after.items()}
    return all_of([calls, _no_requests(risen), _tcp(risen)])


def _no_requests(risen: Mapping[str, int]) -> Verdict:
    expected = "the gateway to count no HTTP requests but its own"
    counted = {name: str(count) for name, count in risen.items() if count}
    foreign = [name for name in risen if name.startswith("http.") and not name.startswith(_OWN)]
    seen = [f"{name}: {risen[name]}" for name in foreign if risen[name]]
    if seen:
        return Verdict(Outcome.FAIL, expected, ", ".join(seen), counted)
    if not risen.get(_ADMIN):
        observed = "that it does not even show its own: such statistics are off"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, counted)
    return Verdict(Outcome.PASS, expected, "only its own", counted)


def _tcp(risen: Mapping[str, int]) -> Verdict:
    taken = sum(count for name, count in risen.items() if name.startswith("tcp."))
    opened = sum(count for name, count in risen.items() if name.startswith("cluster."))
    expected = f"at least {_LEAST} bytes and a connection to be counted for {SNI}"
    right = taken >= _LEAST and opened >= 1
    observed = f"{taken} bytes, {opened} connections"
    return Verdict(Outcome.PASS if right else Outcome.FAIL, expected, observed)
