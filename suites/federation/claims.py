"""What is claimed of calls by a global name, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, went_through
from meshproof.expect.control import as_control
from meshproof.mesh.credentials import authorities, distinct
from meshproof.mesh.exposure import ways_of
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.proxy import Endpoint, endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.access_log import entries_of_all
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.tcp import Connection, connect
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.exposed import exposed_versions, hosts_of, url_of
from meshproof.workloads.sample import PORT, TCP_PORT, Sample
from suites.federation.setting import asker, asker_identity, exposed_identities, gateways_of

_CALLS, _CONNECTIONS = 20, 12


def leads_to_the_other_mesh(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """Calls by the global name are answered by the provider's instances alone, through its
    gateway, by mutual TLS: the caller's log, the servers' and the wire say so."""
    plan = Plan(url_of(imported), times=_CALLS)
    watched = watch(sample, asker(sample, importer), plan)
    return all_of(
        [
            answered_by_the_provider(sample, imported, watched.responses),
            _know_each_other(sample, importer, imported, watched.responses),
            heard_with(sample, importer, imported, watched.responses),
            _as_tls(sample, imported, watched),
        ]
    )


def answered_by_the_provider(
    sample: Sample, imported: Exposure, responses: Sequence[Response]
) -> Verdict:
    """PASS when the provider's versions, and nobody else, answered all calls, by its gateway."""
    hosts = hosts_of(sample, imported)
    return all_of(
        [
            answered_from_home(responses, exposed_versions(sample, imported)),
            went_through(responses, hosts, f"the gateway of {imported.provider}"),
        ]
    )


def heard_with(
    sample: Sample,
    importer: str,
    imported: Exposure,
    responses: Sequence[Response],
    subset: str = "",
) -> Verdict:
    """PASS when the servers' proxies logged each request with the caller's identity and the SNI of
    the global name. ``subset``: of a subset of it."""
    sni, peer = sni_of(imported.host, PORT, subset), asker_identity(sample, importer)
    expected = f"the servers to log {len(responses)} requests of {peer} for {sni}"
    homes = exposed_versions(sample, imported)
    servers = [one for one in sample.servers().values() if one.version in homes]
    lines = entries_of_all(servers, [one.id for one in responses])
    wrong = [one for one in lines.values() if (one.peer, one.sni) != (peer, sni)]
    if wrong:
        observed = f"{len(wrong)} of {wrong[0].peer or 'nobody'} for {wrong[0].sni or 'nothing'}"
        return Verdict(Outcome.FAIL, expected, observed)
    if not responses or len(lines) < len(responses):
        observed = f"{len(responses) - len(lines)} of {len(responses)} in no server's log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(lines)}")


def tcp_leads_to_the_other_mesh(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """TCP connections to the global name are greeted by the provider's instances alone, through
    its gateway."""
    caller, where = asker(sample, importer), f"{imported.host}:{TCP_PORT}"
    made = connect(sample, caller, _CONNECTIONS, to=where)
    homes, hosts = exposed_versions(sample, imported), hosts_of(sample, imported)
    expected = f"{len(made)} connections to {where} to be greeted by {' or '.join(homes)}"
    astray = [one for one in made if not one.heard or homes.get(str(one.agreed)) != one.cluster]
    astray += [one for one in made if one.log and one.log.upstream_host not in hosts]
    if astray:
        return Verdict(Outcome.FAIL, expected, f"{len(astray)} were not, such as {astray[0]}")
    return _all_have_lines(made, expected)


def _all_have_lines(made: Sequence[Connection], expected: str) -> Verdict:
    unlogged = [one for one in made if one.log is None]
    if unlogged or not made:
        observed = f"{len(unlogged)} of {len(made)} without a line in the caller's access log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, "all of them, through the gateway")


def is_not_answered(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """No call by the global name is answered, and no plain text sets out for the gateway."""
    watched = watch(sample, asker(sample, importer), Plan(url_of(imported), times=_CALLS))
    expected = f"no call from {importer} to {imported.host} to be answered"
    answered = [one for one in watched.responses if one.succeeded or one.version]
    ways = ways_of(sample.mesh, imported)
    plain = sum(watched.towards(way.address, way.port, "http") for way in ways)
    if answered:
        observed = f"{len(answered)} were, such as {answered[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    if plain:
        return Verdict(Outcome.FAIL, expected, f"{plain} segments of plain text on the wire")
    unlogged = [one for one in watched.responses if one.log is None]
    if unlogged or not watched.responses:
        observed = f"{len(unlogged)} never got to the caller's proxy, such as {unlogged[:1]}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"such as {watched.responses[0]}")


def weighs_the_same(
    sample: Sample, importer: str, imported: Exposure, before: Sequence[Endpoint], pods: int
) -> Verdict:
    """The caller's proxy knows of the global name what it knew ``before``, although the provider's
    gateway knows so many ``pods`` now: an entry by hand says nothing of instances."""
    expected = f"{importer} to know of {imported.host} what it knew, with {pods} pods behind it"
    known = weights(sample, importer, imported)
    behind = pods_behind(sample, imported)
    evidence = {"before": str(before), "behind": str(behind)}
    if set(known) != set(before):
        observed = f"weights of {[one.weight for one in known]}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    if behind != pods or not known:
        observed = f"{behind} pods behind the gateway, {len(known)} endpoints"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, f"weights of {[one.weight for one in known]}", evidence)


def weights(sample: Sample, importer: str, imported: Exposure) -> tuple[Endpoint, ...]:
    """What a caller's proxy knows of the global name."""
    return endpoints(asker(sample, importer), outbound(imported.host, PORT))


def pods_behind(sample: Sample, imported: Exposure) -> int:
    """How many pods the provider's gateways know behind the global name."""
    found = {
        (sample.topology[gateway.cluster].network, one.address)
        for gateway in gateways_of(sample, imported).values()
        for one in endpoints(gateway, sni_of(imported.host, PORT))
        if one.healthy
    }
    return len(found)


def calls_by_global_name(
    sample: Sample, importer: str, imported: Exposure, **headers: str
) -> list[Response]:
    """Calls by the global name, each with these headers; "_" in a header's name stands for "-"."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    plan = Plan(url_of(imported), times=_CALLS, headers=named)
    return call(sample, asker(sample, importer), plan)


def _know_each_other(
    sample: Sample, importer: str, imported: Exposure, responses: Sequence[Response]
) -> Verdict:
    client, servers = asker_identity(sample, importer), exposed_identities(sample, imported)
    expected = f"{client} and {' or '.join(servers)} to know each other"
    wrong = [one for one in responses if one.identity != client or one.served_as not in servers]
    if wrong:
        observed = f"{len(wrong)} do not: {wrong[0].identity} and {wrong[0].served_as}"
        return Verdict(Outcome.FAIL, expected, observed)
    seen = [one.log.upstream_peer for one in responses if one.log is not None]
    others = [one for one in seen if one not in servers]
    if others:
        observed = f"{len(others)} callers' lines name {others[0] or 'nobody'}"
        return Verdict(Outcome.FAIL, expected, observed)
    outcome = Outcome.PASS if seen else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{len(seen)} calls with a line")


def _as_tls(sample: Sample, imported: Exposure, watched: Watched) -> Verdict:
    ways, due = ways_of(sample.mesh, imported), len(watched.responses)
    seen = {
        kind: sum(watched.towards(way.address, way.port, kind) for way in ways)
        for kind in ("tls", "http")
    }
    expected = f"the wire to see at least {due} requests pass to the gateway as TLS, and no other"
    right = seen["tls"] >= due and not seen["http"]
    outcome = Outcome.PASS if right else Outcome.FAIL
    return Verdict(outcome, expected, f"{seen['tls']} of TLS, {seen['http']} of plain text")


def has_another_root(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """The control of roots that are joined: the authorities of consumer and provider do lead up to
    different roots."""
    topology = sample.topology
    held = authorities(sample.mesh)
    ends = [topology[name].primary for name in (importer, topology.providers(imported)[0])]
    roots = distinct(held[name].root for name in ends)
    outcome = Outcome.PASS if roots == len(ends) else Outcome.FAIL
    expected = f"a root of its own in each of {' and '.join(ends)}"
    return as_control(Verdict(outcome, expected, f"{roots} roots"))
