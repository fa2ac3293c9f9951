"""What is claimed of meshes that stay apart: nothing is merged, and no istiod knows the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, refused_with
from meshproof.expect.control import with_control
from meshproof.kube.audit import requests_since
from meshproof.mesh.exposure import ways_of
from meshproof.mesh.istiod import (
    clusters_known,
    istiod_of,
    known_instances,
    network_gateways,
    up_since,
)
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.endpoints import await_pods, usual_pods
from meshproof.traffic.settle import arrive
from meshproof.traffic.wire import watch
from meshproof.workloads.exposed import hosts_of
from meshproof.workloads.sample import HOST, PORT, Sample
from meshproof.workloads.scale import scaled
from suites.federation.claims import answered_by_the_provider, calls_by_global_name
from suites.federation.setting import asker

_CALLS = 20
_ACCOUNTS = f"system:serviceaccount:{SYSTEM}:"
"""Istio's own, as API servers know them."""


def the_plain_name_stays_local(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """By its plain name the service is answered by the caller's own mesh alone, and the caller's
    proxy knows no gateway of the provider for it."""
    caller = asker(sample, importer)
    responses = call(sample, caller, Plan(times=_CALLS))
    known = {f"{one.address}:{one.port}" for one in endpoints(caller, outbound(HOST, PORT))}
    merged = sorted(known & hosts_of(sample, imported))
    expected = f"{importer} to know no gateway of {imported.provider} for {HOST}"
    outcome = Outcome.FAIL if merged else Outcome.PASS if known else Outcome.INCONCLUSIVE
    observed = f"{', '.join(merged) or 'none'} among {len(known)} endpoints"
    return all_of(
        [
            answered_from_home(responses, sample.reached_from(importer)),
            Verdict(outcome, expected, observed),
        ]
    )


@contextmanager
def without_own_instances(sample: Sample, importer: str) -> Iterator[None]:
    """The versions that a caller's istiod knows of have no instance inside the block, and the
    caller's proxy knows that; afterwards they have them again, or the mesh is marked dirty."""
    caller = asker(sample, importer)
    try:
        with ExitStack() as stack:
            for version in sample.reached_from(importer):
                stack.enter_context(scaled(sample, version, 0))
            arrive(
                sample.mesh,
                lambda: endpoints(caller, outbound(HOST, PORT)),
                until=lambda known: not known,
                what=f"the end of {HOST}'s instances in {importer}",
            )
            yield
    finally:
        if not await_pods(sample, usual_pods(sample)):
            sample.mesh.mark_dirty(f"the instances in {importer} did not come back")


def fails_rather_than_crosses(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """Without instances of its own the plain name fails, and nothing sets out for the provider's
    gateway, while the global name is answered: the control."""
    watched = watch(sample, asker(sample, importer), Plan(times=_CALLS))
    ways = ways_of(sample.mesh, imported)
    crossed = sum(
        watched.towards(way.address, way.port, kind) for way in ways for kind in ("tls", "http")
    )
    expected = f"nothing to set out from {importer} for the gateway of {imported.provider}"
    claim = all_of(
        [
            refused_with(watched.responses, status=503, flags="UH"),
            Verdict(Outcome.FAIL if crossed else Outcome.PASS, expected, f"{crossed} segments did"),
        ]
    )
    control = answered_by_the_provider(
        sample, imported, calls_by_global_name(sample, importer, imported)
    )
    return with_control(claim, control)


def its_istiod_knows_its_own_mesh_alone(
    sample: Sample, importer: str, imported: Exposure
) -> Verdict:
    """The istiod that serves a caller lists no cluster, has read no endpoint and goes by no
    gateway of the provider's mesh; its own clusters it has read."""
    topology = sample.topology
    reader = topology[importer].primary
    own = {topology.config_cluster(reader), *topology.reads(reader)}
    listed = set(clusters_known(sample.mesh, reader))
    read = {one.cluster for one in known_instances(sample.mesh, reader, HOST, PORT)}
    theirs = {topology[name].network for name in topology.providers(imported)}
    theirs -= {topology[name].network for name in own}
    found = {one.network for one in network_gateways(sample.mesh, reader)} & theirs
    expected = f"the istiod of {reader} to know {', '.join(sorted(own))} alone"
    observed = f"it lists {', '.join(sorted(listed))}, has read {', '.join(sorted(read)) or 'none'}"
    if strangers := (listed | read) - own:
        return Verdict(Outcome.FAIL, expected, f"it knows {', '.join(sorted(strangers))}")
    if found:
        return Verdict(Outcome.FAIL, expected, f"it has gateways to {', '.join(sorted(found))}")
    homes = own & set(sample.homes)
    if not own <= listed or not homes <= read:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{observed}: not even its own")
    return Verdict(Outcome.PASS, expected, observed)


def nobody_asks_from(sample: Sample, reader: str, asked: str) -> Verdict:
    """The API server of a cluster was asked nothing from another one since the istiods there came
    up, as it has itself written down; what its own istiod asked it has: the control.

    ``reader``: where those istiods run; ``asked``: whose API server it is.
    """
    mesh, since = sample.mesh, up_since(sample.mesh, reader)
    own = sample.topology[asked].primary
    strangers = {str(one.address) for one in mesh.cluster(reader).nodes}
    if sample.topology.same_network(reader, asked):
        # Within a network whoever asks bears his own address, beyond it his node's.
        strangers.add(str(istiod_of(mesh, reader).address))
    words = [*(f'"{one}"' for one in sorted(strangers)), f'"{_ACCOUNTS}']
    found = requests_since(mesh.cluster(asked), min(since, up_since(mesh, own)), words)
    theirs = [one for one in found if one.at >= since and not strangers.isdisjoint(one.sources)]
    others = [one for one in found if strangers.isdisjoint(one.sources)]
    control = Verdict(
        Outcome.PASS if others else Outcome.FAIL,
        f"the API server of {asked} to have written down what istiod of {own} asked it",
        f"{len(others)} requests",
    )
    expected = f"nobody in {reader} to ask the API server of {asked}"
    if theirs:
        return Verdict(Outcome.FAIL, expected, f"{len(theirs)} requests, such as {theirs[0]}")
    claim = Verdict(Outcome.PASS, expected, f"none, and {len(others)} of its own istiod's")
    return with_control(claim, control)
