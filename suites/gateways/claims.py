"""What is claimed of the SNI gateway, so that sabotage can claim the same of a broken mesh."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, believable, succeeded, went_through
from meshproof.lab.network.counters import Counters
from meshproof.mesh.gateways import GATEWAY_PORT
from meshproof.mesh.loggers import logging_at
from meshproof.traffic.access_log import LogLine, log_from_now
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.tls_question import NO_CERTIFICATE, TlsAnswer
from meshproof.workloads.sample import PORT, WORKLOAD_IDENTITY, Sample
from suites.gateways.far_side import FarSide, far_side
from suites.gateways.strangers import Stranger

# With two equal endpoints the odds that one is never chosen are 2 in 2^20.
_CALLS = 20


def the_workload_shows_its_own_certificate(sample: Sample, caller: str) -> Verdict:
    """Whoever shakes hands with the other cluster's gateway sees the workload's certificate."""
    far = far_side(sample, caller)
    before = sample.mesh.lab.counters()
    shown = far.dial()
    counted = sample.mesh.lab.counters() - before
    return all_of([_presents(shown), _crossed(counted, far)])


def the_gateway_refuses(sample: Sample, caller: str, stranger: Stranger) -> Verdict:
    """No certificate is shown to the stranger, and the gateway's log says that it has no chain
    for it; somebody with the right name and protocol sees the workload's meanwhile."""
    far = far_side(sample, caller)
    expected = f"the gateway of {far.there} to refuse {stranger}"
    control = _presents(far.dial())
    if control.outcome is not Outcome.PASS:
        observed = f"that even the right handshake fails: {control.observed}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    log = log_from_now(far.gateway)
    answer, let_in = _ask(far, stranger)
    evidence = {"the right handshake": control.observed, "stranger": answer}
    if let_in:
        return Verdict(Outcome.FAIL, expected, f"{answer}: the gateway passed it on", evidence)
    logged = log.find_entries(lambda entry: entry.flags == "NR" and stranger.is_meant(entry))
    if not logged:
        observed = f"{answer}, but the gateway's log knows nothing of it"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    evidence |= {"gateway's log": str(logged[0])}
    return Verdict(Outcome.PASS, expected, f"{answer}; NR in the gateway's log", evidence)


def the_workload_turns_away(sample: Sample, caller: str) -> Verdict:
    """A client without a certificate passes the gateway and is refused by the workload.

    ``ssl.fail_verify_no_cert`` would count it too, but sidecars keep it to themselves unless
    they are started with another ``proxyStatsMatcher``: the log says more.
    """
    far = far_side(sample, caller)
    with logging_at(far.server, "connection", "debug"):
        passed, refused = log_from_now(far.gateway), log_from_now(far.server)
        shown = far.dial()
        reason = refused.find(lambda line: "PEER_DID_NOT_RETURN_A_CERTIFICATE" in line)
        upstream = f"{far.server.address}:{PORT}"
        by_gateway = passed.find_entries(lambda entry: entry.upstream_host == upstream)
    return all_of(
        [
            _presents(shown),
            _refused_for_lack(shown),
            calls_cross(sample, caller),
            _logged(bool(by_gateway), f"the gateway to pass it on to {upstream}", by_gateway),
            _logged(
                any(f"{far.gateway.address}:" in line for line in reason),
                f"{far.server.name} to log that {far.gateway.address} showed no certificate",
                reason,
            ),
        ]
    )


def calls_cross(sample: Sample, caller: str) -> Verdict:
    """A sidecar's calls succeed without a retry, and those to the other cluster go through its
    gateway."""
    responses = call(sample, sample.caller(caller), Plan(times=_CALLS))
    remote = sample.remote_version(caller)
    gateway = sample.mesh.gateway(sample.plan[remote])
    theirs = [one for one in responses if one.version == remote]
    return all_of(
        [
            succeeded(responses),
            believable(responses),
            _some(theirs, remote),
            went_through(theirs, {str(gateway)}, GATEWAY_PORT, "the gateway"),
        ]
    )


def _ask(far: FarSide, stranger: Stranger) -> tuple[str, bool]:
    """What came of a stranger's question, and whether anybody answered it."""
    if stranger.plain:
        return far.ask_plainly()
    shown = far.dial(stranger.sni, stranger.alpn)
    return str(shown), bool(shown.chain)


def _presents(shown: TlsAnswer) -> Verdict:
    expected = f"the certificate of {WORKLOAD_IDENTITY}"
    right = shown.identity == WORKLOAD_IDENTITY
    return Verdict(Outcome.PASS if right else Outcome.FAIL, expected, str(shown))


def _refused_for_lack(shown: TlsAnswer) -> Verdict:
    """The alert may get lost with the connection: why it was refused is in the workload's log,
    without which the verdict is INCONCLUSIVE."""
    expected = "the client without a certificate to be refused for the lack of it"
    if shown.status is None and shown.alert in ("", NO_CERTIFICATE):
        return Verdict(Outcome.PASS, expected, shown.said)
    return Verdict(Outcome.FAIL, expected, f"'{shown.said}' after {shown}")


def _crossed(counted: Counters, far: FarSide) -> Verdict:
    """Beyond its own network the outsider bears its node's address."""
    sources = {far.outsider.address, far.outsider.node.address}
    port = GATEWAY_PORT
    seen = sum(counted.conversation("tls", one, far.address, port) for one in sources)
    expected = f"the wire to see the handshake pass to {far.address}:{port}"
    return Verdict(Outcome.PASS if seen else Outcome.FAIL, expected, f"{seen} TLS segments")


def _logged(there: bool, expected: str, lines: Sequence[LogLine | str]) -> Verdict:
    """What only a log can tell is unclear without a line."""
    if there:
        return Verdict(Outcome.PASS, expected, "it did", {"log": str(lines[0])})
    seen = str(lines[0]) if lines else "no such line"
    return Verdict(Outcome.INCONCLUSIVE, expected, seen)


def _some(theirs: list[Response], version: str) -> Verdict:
    outcome = Outcome.PASS if theirs else Outcome.FAIL
    return Verdict(outcome, f"{version} to answer some calls", f"{len(theirs)} by {version}")
