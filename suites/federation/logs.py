"""What the access logs of either side tell of a call to another mesh, and what the gateway's does.

The two sidecars log the request, under one id; the gateway between them passes TLS on, and logs a
connection: by its SNI, and by nothing of who calls what.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import outbound
from meshproof.model import Exposure
from meshproof.traffic.access_log import LogLine, ProxyLog, log_from_now, read_line
from meshproof.traffic.handshake import certificate_of_sleep
from meshproof.traffic.response import Response
from meshproof.traffic.tls_question import ask
from meshproof.workloads.exposed import exposed_versions
from meshproof.workloads.sample import PORT, Sample
from suites.federation.claims import (
    answered_by_the_provider,
    calls_by_global_name,
    heard_with,
)
from suites.federation.setting import exposed_identities, gateways_of


def either_side_logs_its_part(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """The caller's log has each call with the global name's cluster, the provider's gateway and who
    answered; the servers' have it under the same id, with who called and the SNI; the gateway's has
    connections for that SNI, and neither a request nor anybody's identity.

    A sidecar keeps its connection, which a log has once it ends: the one that a client of our own
    makes with the same SNI is the control of what the gateway logs.
    """
    logs = {way: log_from_now(gateway) for way, gateway in gateways_of(sample, imported).items()}
    responses = calls_by_global_name(sample, importer, imported)
    return all_of(
        [
            answered_by_the_provider(sample, imported, responses),
            _of_the_caller(sample, imported, responses),
            heard_with(sample, importer, imported, responses),
            *(
                _of_the_gateway(sample, importer, imported, way, log, responses)
                for way, log in logs.items()
            ),
        ]
    )


def _of_the_caller(sample: Sample, imported: Exposure, responses: Sequence[Response]) -> Verdict:
    cluster, servers = outbound(imported.host, PORT), exposed_identities(sample, imported)
    expected = f"the caller to log {len(responses)} calls for {cluster}, to {' or '.join(servers)}"
    logs = [one.log for one in responses if one.log is not None]
    due = [(cluster, one) for one in servers]
    other = [one for one in logs if (one.upstream_cluster, one.upstream_peer) not in due]
    if other:
        who = other[0].upstream_peer or "nobody"
        observed = f"{len(other)} for {other[0].upstream_cluster or 'nowhere'}, to {who}"
        return Verdict(Outcome.FAIL, expected, observed)
    outcome = Outcome.PASS if logs and len(logs) == len(responses) else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{len(logs)} with a line")


def _of_the_gateway(
    sample: Sample,
    importer: str,
    imported: Exposure,
    way: Way,
    log: ProxyLog,
    responses: Sequence[Response],
) -> Verdict:
    sni = sni_of(imported.host, PORT)
    seen = _connection(sample, importer, imported, way, log)
    expected = f"the gateway of {imported.provider} at {way} to log connections for {sni} alone"
    lines = [line for line in map(read_line, log.lines()) if line is not None]
    ids = {one.id for one in responses}
    requests = [line for line in lines if line.request_id in ids]
    named = [line for line in lines if line.sni == sni and (line.peer or line.upstream_peer)]
    if requests:
        observed = f"{len(requests)} requests, such as {requests[0].request_id}"
        return Verdict(Outcome.FAIL, expected, observed)
    if named:
        who = named[0].peer or named[0].upstream_peer
        return Verdict(Outcome.FAIL, expected, f"{len(named)} connections of {who}")
    return with_control(Verdict(Outcome.PASS, expected, "no request, and nobody's identity"), seen)


def _connection(
    sample: Sample, importer: str, imported: Exposure, way: Way, log: ProxyLog
) -> Verdict:
    """A connection of a consumer's certificate that ends, which leads to one of the servers."""
    sni = sni_of(imported.host, PORT)
    homes = exposed_versions(sample, imported)
    servers = {str(one.address) for one in sample.servers().values() if one.version in homes}
    shown = certificate_of_sleep(sample, importer)
    answer = ask(sample.outsider(importer), way.address, way.port, sni, credential=shown)

    def its(line: LogLine) -> bool:
        return line.sni == sni and line.upstream_address in servers

    found = log.find_entries(its)
    expected = f"a connection for {sni} to be in the gateway's log, with where it led"
    outcome = Outcome.PASS if found else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"{len(found)} lines, after {answer}"))
