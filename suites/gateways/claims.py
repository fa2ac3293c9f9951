"""What is claimed of the SNI gateway, so that sabotage can claim the same of a broken mesh."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    calls_to_meet,
    succeeded,
    went_through,
)
from meshproof.lab.network.counters import Counters
from meshproof.mesh.loggers import logging_at
from meshproof.traffic.access_log import LogLine, find_in_one, log_from_now
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.tls_question import NO_CERTIFICATE, TlsAnswer
from meshproof.workloads.sample import PORT, Sample
from suites.gateways.clients import Client
from suites.gateways.far_side import FarSide, far_side


def the_workload_shows_its_own_certificate(sample: Sample, caller: str, target: str) -> Verdict:
    """Whoever shakes hands with the other cluster's gateway sees the workload's certificate."""
    far = far_side(sample, caller, target)
    before = sample.mesh.lab.counters()
    shown = far.dial()
    counted = sample.mesh.lab.counters() - before
    return all_of([_presents(shown, far), _crossed(counted, far)])


def the_gateway_refuses(sample: Sample, caller: str, target: str, client: Client) -> Verdict:
    """No certificate is shown to the client, and the gateway's log says that it has no chain
    for it; somebody with the right name and protocol sees the workload's meanwhile."""
    far = far_side(sample, caller, target)
    expected = f"the gateway of {far.there} to refuse {client}"
    control = _presents(far.dial(), far)
    if control.outcome is not Outcome.PASS:
        observed = f"that even the right handshake fails: {control.observed}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    log = log_from_now(far.gateway)
    answer, let_in = _ask(far, client)
    evidence = {"the right handshake": control.observed, "client": answer}
    if let_in:
        return Verdict(Outcome.FAIL, expected, f"{answer}: the gateway passed it on", evidence)
    logged = log.find_entries(lambda entry: entry.flags == "NR" and client.is_meant(entry))
    if not logged:
        observed = f"{answer}, but the gateway's log knows nothing of it"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    evidence |= {"gateway's log": str(logged[0])}
    return Verdict(Outcome.PASS, expected, f"{answer}; NR in the gateway's log", evidence)


def the_workload_turns_away(sample: Sample, caller: str, target: str) -> Verdict:
    """A client without a certificate passes the gateway and is refused by the workload.

    ``ssl.fail_verify_no_cert`` would count it too, but sidecars keep it to themselves unless
    they are started with another ``proxyStatsMatcher``: the log says more.
    """
    far = far_side(sample, caller, target)
    with ExitStack() as stack:
        for server in far.servers:
            stack.enter_context(logging_at(server, "connection", "debug"))
        passed, refused = log_from_now(far.gateway), list(map(log_from_now, far.servers))
        shown = far.dial()
        reason = find_in_one(refused, lambda line: "PEER_DID_NOT_RETURN_A_CERTIFICATE" in line)
        upstream = {f"{one.address}:{PORT}" for one in far.servers}
        by_gateway = passed.find_entries(lambda entry: entry.upstream_host in upstream)
    names = " or ".join(one.name for one in far.servers)
    return all_of(
        [
            _presents(shown, far),
            _refused_for_lack(shown),
            calls_cross(sample, caller, target),
            _logged(bool(by_gateway), f"the gateway to pass it on to {names}", by_gateway),
            _logged(
                any(f"{far.gateway.address}:" in line for line in reason),
                f"{names} to log that {far.gateway.address} showed no certificate",
                reason,
            ),
        ]
    )


def calls_cross(sample: Sample, caller: str, target: str) -> Verdict:
    """A sidecar's calls succeed without a retry, and those to the target go through a gateway that
    leads there."""
    plan = Plan(times=calls_to_meet(sample.smallest_share))
    responses = call(sample, sample.caller(caller), plan)
    ways = sample.mesh.ways_to(sample.versions[target]).values()
    theirs = [one for one in responses if one.version == target]
    return all_of(
        [
            succeeded(responses),
            believable(responses),
            _some(theirs, target),
            went_through(theirs, set(map(str, ways)), "the gateway"),
        ]
    )


def _ask(far: FarSide, client: Client) -> tuple[str, bool]:
    """What came of a client's question, and whether anybody answered it."""
    if client.plain:
        return far.ask_plainly()
    shown = far.dial(client.sni, client.alpn)
    return str(shown), bool(shown.chain)


def _presents(shown: TlsAnswer, far: FarSide) -> Verdict:
    expected = f"the certificate of {far.identity}"
    right = shown.identity == far.identity
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
    address, port = far.way.address, far.way.port
    here = far.outsider.cluster
    seen = sum(counted.conversation(here, "tls", one, address, port) for one in sources)
    expected = f"the wire to see the handshake pass to {far.way}"
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
