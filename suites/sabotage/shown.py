"""Sabotage that is shown to be in force, where it acts, before anything is claimed of it.

What does not come into force makes the test INCONCLUSIVE, since the claim would be made of a mesh
that is not broken. Nothing here asks a claim until it fails: the cause is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from meshproof.errors import EvidenceError
from meshproof.kube.objects import Object, apply, as_found
from meshproof.kube.workload import Workload
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import gateway_identity
from meshproof.mesh.manifests import cross_network_gateway
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Mtls
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.drain import draining
from meshproof.traffic.endpoints import await_pods, pods_amiss, usual_pods
from meshproof.traffic.response import Response
from meshproof.traffic.settle import await_healed, healed, mtls_mode, require
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, Sample
from suites.gateways.far_side import FarSide
from suites.sabotage import broken_gateways as broken

# A connection for each: a proxy has two workers, which learn of a change one by one and keep
# connections of their own.
_CALLS = 40
SERVICE = outbound(HOST, PORT)
"""What a sidecar's configuration calls helloworld."""


@contextmanager
def turned(sample: Sample, mode: Mtls) -> Iterator[None]:
    """As ``mtls_mode``, and calls between sidecars and by others show the mode inside the block.

    Raises EvidenceError when they do not.
    """
    with mtls_mode(sample, mode):
        if sample.mesh.dirty is not None:
            raise EvidenceError(f"nothing can be claimed: {sample.mesh.dirty}")
        yield


def require_arrived(sample: Sample) -> None:
    """See that all that was applied since the test began has arrived. Raises EvidenceError when
    something has not."""
    if sample.mesh.unmet:
        raise EvidenceError(f"nothing can be claimed: missing is {', '.join(sample.mesh.unmet)}")


def require_pods(sample: Sample, pods: Mapping[str, int]) -> None:
    """Wait until the proxies know so many pods of each cluster, and every pod answers. Raises
    EvidenceError when that does not come about."""
    what = f"endpoints of {sum(pods.values())} pods"
    require(lambda: pods_amiss(sample, pods), until=no_fault, what=what)


def forgotten(sample: Sample) -> None:
    """Wait until the proxies know the usual pods alone, or mark the mesh."""
    if not await_pods(sample, usual_pods(sample)):
        sample.mesh.mark_dirty("the proxies do not forget pods that are gone")


def without_tls() -> Object:
    """A rule by which callers speak plain text to helloworld."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "without-tls", "namespace": NAMESPACE},
        "spec": {"host": HOST, "trafficPolicy": {"tls": {"mode": "DISABLE"}}},
    }


@contextmanager
def gateways_as_found(sample: Sample) -> Iterator[None]:
    """After the block the gateways have the listeners that they had, which pass TLS on."""
    plan = sample.mesh.blueprint
    with ExitStack() as stack:
        for member in sample.topology.control_planes:
            cluster = sample.mesh.cluster(sample.topology.config_cluster(member.name))
            listeners = cross_network_gateway(plan.gateway_ports(member))
            stack.enter_context(as_found(cluster, [listeners]))
        yield


def require_at_rest(sample: Sample) -> None:
    """Wait until no proxy has connections left from before a change: a call that sets out on one
    is a 503, which has nothing to do with what was broken. Raises EvidenceError when one has."""
    require(lambda: draining(sample), until=no_fault, what="the end of connections from before")


def calls_by(sample: Sample, caller: Workload) -> list[Response]:
    """Calls that meet both workers of the caller's proxy, and every instance by each."""
    return call(sample, caller, Plan(times=_CALLS, fresh=True))


def gateway_weights(sample: Sample, caller: str, there: str) -> dict[str, int]:
    """What the gateways that lead to a cluster weigh in a caller's proxy, by address and port."""
    ways = {str(way) for way in sample.mesh.ways_to(there).values()}
    known = endpoints(sample.caller(caller), SERVICE)
    weights = {f"{one.address}:{one.port}": one.weight for one in known}
    return {way: weight for way, weight in weights.items() if way in ways}


def faults(responses: Sequence[Response]) -> str:
    """What is wrong with calls that should all succeed, and at once; "" if nothing is."""
    bad = [one for one in responses if not (one.succeeded and one.log and one.log.attempts == 1)]
    told = f"{len(bad)} of {len(responses)} calls fail, are sent again or not logged, such as"
    return f"{told} {bad[0]}" if bad else ""


def peers(sample: Sample, cluster: str) -> set[str]:
    """Who answers a cluster's sleep, by the certificates that its proxy is shown: "" shows none."""
    responses = calls_by(sample, sample.caller(cluster))
    if told := faults(responses):
        return {told}
    return {one.log.upstream_peer for one in responses if one.log}


def no_fault(told: str) -> bool:
    """Whether ``faults``, ``pods_amiss`` or ``draining`` has told of none."""
    return told == ""


@contextmanager
def terminating(sample: Sample, caller: str, far: FarSide) -> Iterator[None]:
    """The other cluster's gateway ends TLS inside the block: whoever dials it, and the caller's
    proxy in each call that it leads on, is shown its own certificate. Afterwards it passes TLS on
    again, or the mesh is marked dirty. Raises EvidenceError when it does not end it."""
    governing = sample.mesh.deployment.topology.configured_by(far.there)
    cluster = sample.mesh.cluster(governing)

    def peers() -> set[str]:
        responses = calls_by(sample, sample.caller(caller))
        if told := faults(responses):
            return {told}
        return {one.log.upstream_peer for one in responses if one.log and one.cluster == far.there}

    own = gateway_identity(sample.mesh)
    try:
        with (
            gateways_as_found(sample),
            configured(sample.mesh, broken.way_of_the_terminated(far.identity, own)),
        ):
            apply(cluster, [broken.terminating_gateway()])
            dialled, called = f"TLS that ends at the gateway of {far.there}", "calls through it"
            require(far.dial, until=lambda seen: seen.identity == own, what=dialled)
            require(peers, until=lambda seen: seen == {own}, what=called)
            require_at_rest(sample)
            yield
    finally:
        await_healed(sample, lambda: far.dial().identity == far.identity, "pass-through")
        healed(sample)
