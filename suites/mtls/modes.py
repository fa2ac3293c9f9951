"""What is claimed of a mesh whose mTLS mode is changed, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    believable,
    refused_with,
    served_by_exactly,
    succeeded,
)
from meshproof.expect.control import as_control
from meshproof.mesh.gateways import GATEWAY_PORT
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.services import await_forgotten
from meshproof.traffic.settle import converge
from meshproof.traffic.wire import watch
from meshproof.workloads.sample import NAMESPACE, Sample
from meshproof.workloads.versions import a_service_for_each_version, name_of, url_of
from suites.mtls.claims import encrypted_on_the_wire
from suites.mtls.outsiders import (
    at_the_other_clusters_pod,
    everybody_is_answered,
    in_its_own_cluster,
)

_CALLS = 40
_FEW = 5


def sidecars_encrypt_and_everybody_is_answered(sample: Sample) -> Verdict:
    """As permissive meshes do: in its own cluster, and on one network in the other as well."""
    topology = sample.mesh.deployment.topology
    knocks = in_its_own_cluster(sample)
    if len(topology.networks) == 1:
        knocks += at_the_other_clusters_pod(sample)
    wire = [encrypted_on_the_wire(sample, name) for name in topology.workloads]
    return all_of([everybody_is_answered(sample, knocks), *wire])


def only_its_own_clusters_version_answers(sample: Sample, caller: str) -> Verdict:
    """Every call is answered by the local version, and none sets out for another network."""
    watched = watch(sample, sample.caller(caller), Plan(times=_CALLS))
    version = sample.local_version(caller)
    there = sample.plan[sample.remote_version(caller)]
    gateway = sample.mesh.gateway(there)
    assert gateway is not None, f"{there} has no gateway"
    seen = {kind: watched.towards(gateway, GATEWAY_PORT, kind) for kind in ("tls", "http")}
    expected = f"nothing to set out for the gateway of {there}"
    outcome = Outcome.FAIL if any(seen.values()) else Outcome.PASS
    return all_of(
        [
            believable(watched.responses),
            succeeded(watched.responses),
            served_by_exactly(watched.responses, {version: caller}),
            Verdict(outcome, expected, f"segments on the wire: {seen}"),
        ]
    )


@contextmanager
def services_answer(sample: Sample) -> Iterator[Mapping[str, Sequence[Response]]]:
    """Services that select one version each are there inside the block, in all clusters.

    Yields what each cluster's sleep got from the one whose instances are all in another
    cluster, once the sidecars knew it: the very calls that showed so.
    """
    got: dict[str, list[Response]] = {}

    def answers() -> bool:
        got.update(_from_everywhere(sample))
        return all(one.succeeded for responses in got.values() for one in responses)

    try:
        with a_service_for_each_version(sample):
            converge(answers, what="services of one version each")
            yield got or _from_everywhere(sample)
    finally:
        hosts = [host_of(name_of(version), NAMESPACE) for version in sample.plan]
        await_forgotten(sample, hosts)


def answered_from_the_other_network(before: Mapping[str, Sequence[Response]]) -> Verdict:
    """The control: with mTLS the service without a local instance did answer."""
    return as_control(all_of(succeeded(responses) for responses in before.values()))


def no_instance_is_left(sample: Sample) -> Verdict:
    """Calls to the services whose instances are all on another network get 503: there is none."""
    responses = [one for got in _from_everywhere(sample).values() for one in got]
    return all_of([believable(responses), refused_with(responses, status=503, flags="UH")])


def _from_everywhere(sample: Sample) -> dict[str, list[Response]]:
    names = tuple(sample.plan.values())
    act = partial(_remotes, sample)
    return dict(zip(names, side_by_side(sample.mesh.shell, act, names), strict=True))


def _remotes(sample: Sample, caller: str) -> list[Response]:
    """Call, a few times, the service whose instances are all in the other cluster."""
    url = url_of(sample.remote_version(caller))
    return call(sample, sample.caller(caller), Plan(url, times=_FEW))
