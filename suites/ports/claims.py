"""What is claimed of helloworld's plain port, so that sabotage can claim the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address

from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet
from meshproof.expect.control import as_control
from meshproof.kube.workload import Workload
from meshproof.mesh.mesh import Way
from meshproof.traffic.access_log import LogLine, ProxyLog, log_from_now
from meshproof.traffic.calls import Plan
from meshproof.traffic.settle import reachable
from meshproof.traffic.tcp import Connection, connect
from meshproof.traffic.upstream import Upstream, upstream_of
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import TCP_PORT, Sample

_INBOUND = f"inbound|{TCP_PORT}|"


def every_version_greets(sample: Sample, caller: str) -> Verdict:
    """Of connections from a cluster's sleep all are greeted, by each version it reaches and from
    its cluster; each was sent to a pod of that version, or to a gateway before it, by the caller's
    log; and both proxies knew the other's identity."""
    logs = [log_from_now(one) for one in sample.every_server()]
    made = connect(sample, sample.caller(caller), _times(sample))
    reached = reachable(sample, caller)
    return all_of(
        [
            _from_home(made, reached),
            *(_sent_to(made, upstream_of(sample, caller, one, TCP_PORT)) for one in reached),
            _served_as(sample, made),
            *_known_as(sample.caller_identity(caller), made, logs),
        ]
    )


def encrypted_on_the_wire(sample: Sample, caller: str) -> Verdict:
    """Every connection was TLS on each way that it took, and none was plain text there; the same
    witness does see the plain text of a caller without a sidecar on the same ways."""
    before = sample.mesh.lab.counters()
    client = sample.caller(caller)
    made = connect(sample, client, _times(sample))
    watched = Watched(sample, client, (), sample.mesh.lab.counters() - before)
    ways = _ways(made)
    return all_of(
        [
            *(_crossed(watched, way, count) for way, count in ways.items()),
            *_arrived(watched, made),
            _from_home(made, reachable(sample, caller)),
            *(_sees_plain_text(sample, caller, way) for way in ways),
        ]
    )


def _from_home(made: Sequence[Connection], versions: Mapping[str, str]) -> Verdict:
    """PASS when each connection was greeted by a version from its cluster, and each version
    greeted one at least, by the API's knowledge of the pods."""
    wanted = " and ".join(f"{version} from {cluster}" for version, cluster in versions.items())
    expected = f"{len(made)} connections to be greeted by {wanted}"
    if not made or not versions:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing to judge")
    astray = [one for one in made if versions.get(one.agreed or "") != one.cluster or not one.heard]
    if astray:
        observed = f"{len(astray)} otherwise, such as {astray[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    counts = Counter(one.agreed for one in made)
    told = ", ".join(f"{counts[version]} x {version}" for version in versions)
    if absent := [one for one in versions if not counts[one]]:
        return Verdict(Outcome.FAIL, expected, f"{', '.join(absent)} never greeted: {told}")
    return Verdict(Outcome.PASS, expected, told)


def _times(sample: Sample) -> int:
    return calls_to_meet(sample.smallest_share)


def _sent_to(made: Sequence[Connection], upstream: Upstream) -> Verdict:
    theirs = [one for one in made if one.agreed == upstream.version]
    expected = f"{len(theirs)} connections to go through {upstream.what}"
    wrong = [one for one in theirs if one.log and one.log.upstream_host not in upstream.hosts]
    if wrong:
        return Verdict(Outcome.FAIL, expected, f"{len(wrong)} did not, such as {wrong[0]}")
    unlogged = sum(one.log is None for one in theirs)
    if unlogged or not theirs:
        observed = f"{unlogged} of {len(theirs)} without a line in the caller's access log"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, ", ".join(sorted(upstream.hosts)))


def _served_as(sample: Sample, made: Sequence[Connection]) -> Verdict:
    """The caller's proxy was shown helloworld's identity, of whichever mesh the server is."""
    expected = f"helloworld's identity to be shown on {len(made)} connections"
    shown = [(one.cluster, one.log.upstream_peer) for one in made if one.log and one.cluster]
    others = Counter(
        f"{peer or 'nobody'} of {cluster}"
        for cluster, peer in shown
        if peer != sample.server_identity(cluster)
    )
    if others:
        return Verdict(Outcome.FAIL, expected, f"shown instead: {', '.join(others)}")
    return Verdict(Outcome.PASS, expected, "on all of them")


def _known_as(
    identity: str, made: Sequence[Connection], logs: Sequence[ProxyLog]
) -> Iterator[Verdict]:
    """Each server's proxy logs as many connections of that client as its pod has greeted."""
    greeted = Counter(one.pod for one in made if one.heard)
    for log in logs:
        due = greeted[log.workload.name]
        if due:
            yield _logged_by(log, identity, due)


def _logged_by(log: ProxyLog, identity: str, due: int) -> Verdict:
    def enough(lines: Sequence[LogLine]) -> bool:
        return sum(one.peer == identity for one in lines) >= due

    lines = log.connections(_INBOUND, enough)
    peers = Counter(one.peer or "nobody" for one in lines)
    expected = f"{log.workload.name} to log {due} connections of {identity}"
    observed = ", ".join(f"{count} of {peer}" for peer, count in peers.items()) or "none"
    if peers[identity] >= due:
        return Verdict(Outcome.PASS, expected, observed)
    # As many lines, of somebody else: the client was not known. Fewer lines tell nothing.
    outcome = Outcome.FAIL if len(lines) >= due else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, observed)


def _ways(made: Sequence[Connection]) -> dict[Way, int]:
    """Where connections went, by the caller's log, and how many did."""
    lines = [one.log for one in made if one.log and one.log.upstream_host]
    return Counter(Way(IPv4Address(one.upstream_address), one.upstream_port) for one in lines)


def _crossed(watched: Watched, way: Way, count: int) -> Verdict:
    seen = {kind: watched.towards(way.address, way.port, kind) for kind in ("tls", "plain")}
    expected = f"{count} segments of TLS at least from {watched.caller} to {way}, no plain text"
    observed = f"{seen['tls']} of TLS and {seen['plain']} of plain text on the wire"
    outcome = Outcome.PASS if seen["tls"] >= count and not seen["plain"] else Outcome.FAIL
    return Verdict(outcome, expected, observed, {"counted": str(watched.counted)})


def _arrived(watched: Watched, made: Sequence[Connection]) -> Iterator[Verdict]:
    """What came to each pod's plain port, from whomever: across networks, from its gateway."""
    greeted = Counter(one.server for one in made if one.server)
    for server, count in greeted.items():
        seen = {kind: watched.arrived(server, TCP_PORT, kind) for kind in ("tls", "plain")}
        expected = f"{count} segments of TLS at least to arrive at {server.name}, no plain text"
        observed = f"{seen['tls']} of TLS and {seen['plain']} of plain text on the wire"
        outcome = Outcome.PASS if seen["tls"] >= count and not seen["plain"] else Outcome.FAIL
        yield Verdict(outcome, expected, f"at {server.name}: {observed}")


def _sees_plain_text(sample: Sample, caller: str, way: Way) -> Verdict:
    outsider: Workload = sample.outsider(caller)
    watched = watch(sample, outsider, Plan(f"http://{way}/", patience=5))
    seen = watched.towards(way.address, way.port, "plain")
    expected = f"the witness to see plain text from {outsider} to {way}"
    outcome = Outcome.PASS if seen else Outcome.FAIL
    return as_control(Verdict(outcome, expected, f"{seen} segments"))
