"""What is claimed of the way that requests take, so that sabotage can claim the same."""

from __future__ import annotations

from ipaddress import IPv4Address

from meshproof.expect import Outcome, Verdict, all_of, believable, succeeded, went_through
from meshproof.mesh.gateways import GATEWAY_PORT
from meshproof.model import Mtls
from meshproof.traffic.calls import Plan
from meshproof.traffic.wire import Watched, watch
from meshproof.workloads.sample import PORT, Sample

_CALLS = 60


def local_version_by_its_pod(sample: Sample, caller: str) -> Verdict:
    """Answers of the caller's own cluster came from the pod's address and port 5000."""
    watched = watch(sample, sample.caller(caller), Plan(times=_CALLS))
    version = sample.local_version(caller)
    return _by(watched, version, _pods(sample, version), PORT, "a pod of its own cluster")


def remote_version_by_its_way(sample: Sample, caller: str) -> Verdict:
    """Answers of the other cluster came by its gateway and port 15443 across networks, by the
    pod's own address and port 5000 on the same network; the wire saw each of them pass."""
    watched = watch(sample, sample.caller(caller), Plan(times=_CALLS))
    version = sample.remote_version(caller)
    there = sample.plan[version]
    if sample.mesh.deployment.topology.same_network(caller, there):
        return _by(watched, version, _pods(sample, version), PORT, f"a pod of {there}")
    gateway = sample.mesh.gateway(there)
    addresses = {gateway} if gateway else set()
    return _by(watched, version, addresses, GATEWAY_PORT, f"the gateway of {there}")


def _by(
    watched: Watched, version: str, addresses: set[IPv4Address], port: int, what: str
) -> Verdict:
    theirs = [one for one in watched.responses if one.version == version]
    texts = {str(address) for address in addresses}
    return all_of(
        [
            believable(watched.responses),
            succeeded(watched.responses),
            went_through(theirs, texts, port, what),
            _seen_on_the_wire(watched, len(theirs), addresses, port, what),
        ]
    )


def _seen_on_the_wire(
    watched: Watched, answers: int, addresses: set[IPv4Address], port: int, what: str
) -> Verdict:
    """Each request is at least one segment that begins a TLS record, or plain HTTP."""
    plain = watched.sample.mesh.deployment.mtls is Mtls.DISABLED
    kind = "http" if plain else "tls"
    seen = sum(watched.towards(address, port, kind) for address in addresses)
    expected = f"the wire to see at least {answers} requests to {what} pass, as {kind}"
    outcome = Outcome.PASS if seen >= answers else Outcome.FAIL
    return Verdict(outcome, expected, f"{seen} segments", {"counted": str(watched.counted)})


def _pods(sample: Sample, version: str) -> set[IPv4Address]:
    servers = sample.servers().values()
    return {one.address for one in servers if one.version == version}
