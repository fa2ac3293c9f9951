"""What is claimed of a mesh whose mTLS mode is changed, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    believable,
    calls_to_meet,
    refused_with,
    succeeded,
)
from meshproof.expect.control import as_control
from meshproof.expect.upstream import went_to
from meshproof.mesh.routes import host_of
from meshproof.model import Pair
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.services import await_forgotten
from meshproof.traffic.settle import arrive
from meshproof.traffic.upstream import upstream_of
from meshproof.traffic.wire import watch
from meshproof.workloads.sample import NAMESPACE, Sample
from meshproof.workloads.versions import a_service_for_each_version, name_of, url_of
from suites.mtls.claims import encrypted_on_the_wire
from suites.mtls.outsiders import (
    at_other_clusters_pods,
    everybody_is_answered,
    in_its_own_cluster,
)

_CALLS = 40
_FEW = 5


def sidecars_encrypt_and_everybody_is_answered(sample: Sample) -> Verdict:
    """As permissive meshes do: in its own cluster, and on its network in others as well."""
    plain = in_its_own_cluster(sample) + at_other_clusters_pods(sample)
    wire = [encrypted_on_the_wire(sample, name) for name in sample.clusters]
    return all_of([everybody_is_answered(sample, plain), *wire])


def callers_with_versions_near(sample: Sample) -> list[str]:
    """The clusters on whose network a version runs, while others run elsewhere."""
    crossing = {caller for caller, _ in sample.pairs(same_network=False)}
    return [name for name in sample.clusters if name in crossing and _near(sample, name)]


def only_its_own_networks_versions_answer(sample: Sample, caller: str) -> Verdict:
    """Every call is answered by a version on the caller's network, and none sets out for
    another."""
    watched = watch(sample, sample.caller(caller), Plan(times=_times(sample)))
    there = [sample.versions[one] for who, one in sample.pairs(same_network=False) if who == caller]
    ways = {name: way for one in there for name, way in sample.mesh.ways_to(one).items()}
    seen = {
        kind: sum(watched.towards(way.address, way.port, kind) for way in ways.values())
        for kind in ("tls", "plain")
    }
    expected = f"nothing to set out for the gateway of {' or '.join(ways)}"
    outcome = Outcome.FAIL if any(seen.values()) else Outcome.PASS
    return all_of(
        [
            answered_from_home(watched.responses, _near(sample, caller)),
            Verdict(outcome, expected, f"segments on the wire: {seen}"),
        ]
    )


def crosses_by_the_gateway(sample: Sample, caller: str, target: str) -> Verdict:
    """The control: with mTLS the wire was seen to carry calls to a version on another network."""
    watched = watch(sample, sample.caller(caller), Plan(times=_times(sample)))
    return as_control(went_to(watched, upstream_of(sample, caller, target)))


@contextmanager
def services_answer(sample: Sample) -> Iterator[Mapping[str, Sequence[Response]]]:
    """Services that select one version each are there inside the block, in all clusters.

    Yields what each cluster's sleep got from those whose instances are all on another network,
    once the sidecars knew them: the very calls that showed so.
    """
    got: dict[str, list[Response]] = {}

    def answers() -> bool:
        got.update(_from_everywhere(sample))
        return all(one.succeeded for responses in got.values() for one in responses)

    try:
        with a_service_for_each_version(sample):
            arrive(sample.mesh, answers, what="services of one version each")
            yield got or _from_everywhere(sample)
    finally:
        hosts = [host_of(name_of(version), NAMESPACE) for version in sample.versions]
        await_forgotten(sample, hosts)


def answered_from_the_other_network(before: Mapping[str, Sequence[Response]]) -> Verdict:
    """The control: with mTLS the service without a local instance did answer."""
    return as_control(all_of(succeeded(responses) for responses in before.values()))


def no_instance_is_left(sample: Sample) -> Verdict:
    """Calls to the services whose instances are all on another network get 503: there is none."""
    responses = [one for got in _from_everywhere(sample).values() for one in got]
    return all_of([believable(responses), refused_with(responses, status=503, flags="UH")])


def _from_everywhere(sample: Sample) -> dict[str, list[Response]]:
    """A few calls from each cluster to each service whose instances are all on another network."""
    pairs = sample.pairs(same_network=False)

    def made(pair: Pair) -> list[Response]:
        caller, version = pair
        return call(sample, sample.caller(caller), Plan(url_of(version), times=_FEW))

    found = side_by_side(sample.mesh.shell, made, pairs)
    return {f"{pair[0]} to {pair[1]}": one for pair, one in zip(pairs, found, strict=True)}


def _times(sample: Sample) -> int:
    return max(_CALLS, calls_to_meet(sample.smallest_share))


def _near(sample: Sample, caller: str) -> dict[str, str]:
    """The versions on a caller's own network, by their clusters."""
    near = sample.topology.same_network
    reached = sample.reached_from(caller)
    return {version: cluster for version, cluster in reached.items() if near(caller, cluster)}
