"""A headless Service of a provider's behind a global name, and one of its pods behind another.

A ServiceEntry knows nothing headless: its instances share one address, and single pods have no
names below it. To a consumer a pod is a service of its own, exposed like any other, whose entry at
the provider selects it by the label that Kubernetes gives it
(https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-name-label).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from meshproof.expect import Outcome, Verdict, all_of, calls_to_meet, succeeded, went_through
from meshproof.expect.names import unknown
from meshproof.kube.objects import Object, applied
from meshproof.kube.workload import Workload, list_workloads
from meshproof.mesh.configuration import configured
from meshproof.mesh.exposure import (
    GLOBAL_ADDRESSES,
    Served,
    identities_of,
    provided,
)
from meshproof.mesh.exposure import (
    imported as of_consumer,
)
from meshproof.mesh.gateways import gateway_workload, sni_of
from meshproof.mesh.manifests import SHORT_CONNECTIONS, passing_on
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure
from meshproof.model.exposure import ZONE
from meshproof.process import side_by_side
from meshproof.traffic.access_log import arrivals
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample
from meshproof.workloads.stateful import SERVICE, await_ready, headless, pod_name, stateful_set
from suites.federation.setting import asker, configured_at, told

REPLICAS = 2
_ALL, _ONE = GLOBAL_ADDRESSES[240], GLOBAL_ADDRESSES[241]
_GATEWAY = "pods-gateway"
_POD, _INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def all_pods(imported: Exposure) -> Exposure:
    """The headless Service as its mesh exposes it, to those to whom ``imported`` is exposed."""
    service = f"{SERVICE}.{NAMESPACE}"
    return replace(imported, service=service, host=f"{SERVICE}.{imported.provider}.{ZONE}")


def one_pod(sample: Sample, imported: Exposure) -> Exposure:
    """Its first pod, exposed by itself."""
    every, name = all_pods(imported), _first(sample, imported)
    return replace(every, host=f"{name}.{every.host}")


def name_below(sample: Sample, imported: Exposure) -> str:
    """The name that its last pod would have below the global one, if there were such names."""
    last = pod_name(_providers(sample, imported)[0], REPLICAS - 1)
    return f"{last}.{all_pods(imported).host}"


@contextmanager
def pods_exposed(
    sample: Sample,
    importer: str,
    imported: Exposure,
    *,
    all_of_them: bool = True,
    one_alone: bool = True,
) -> Iterator[None]:
    """The provider's clusters have the Service and its pods, the consumer has entries of them all
    and of the first, and its proxy and the gateways know them, or half a minute has passed, inside
    the block; afterwards they are forgotten, or the mesh is marked dirty. ``all_of_them``:
    whether the entry of all selects more than the first of each cluster; ``one_alone``: whether
    that of the first selects it alone. Raises WaitFailedError, or WaitTimeoutError, when a pod does
    not come to run."""
    mesh, topology = sample.mesh, sample.topology
    providers = topology.providers(imported)
    running = [mesh.cluster(name) for name in providers]
    every = {} if all_of_them else {_INDEX: "0"}
    one = {_POD: _first(sample, imported)} if one_alone else {}
    theirs, ours = _of_both(sample, imported, every, one)
    behind = REPLICAS if all_of_them else 1
    known = partial(_known, sample, importer, imported)
    try:
        with ExitStack() as stack:
            for cluster in running:
                objects = [headless(), stateful_set(cluster.name, REPLICAS)]
                stack.enter_context(applied(cluster, objects))
            side_by_side(mesh.shell, partial(await_ready, pods=REPLICAS), running)
            stack.enter_context(configured(mesh, theirs, configured_at(sample, imported)))
            stack.enter_context(configured(mesh, ours, {topology.configured_by(importer)}))
            came = f"{behind} pods of each cluster by global names"
            arrive(mesh, known, until=lambda found: all(found) and found[-1] == behind, what=came)
            yield
    finally:
        # Also of the pods: the next test's, of the same names, would be mistaken for them.
        await_healed(
            sample,
            lambda: not _pods(sample, imported) and not any(known()),
            "the end of pods by global names",
        )


def headless_is_one_service(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """By the global name of a headless Service all of its pods answer and nobody else, through the
    gateway; and a pod's name below it is not known.

    The control is another pod's name below it, which an entry of its own exposes: that one the
    same pod is told.
    """
    every, caller = all_pods(imported), asker(sample, importer)
    pods = _pods(sample, imported)
    below = name_below(sample, imported)
    control = told(sample, caller, one_pod(sample, imported).host)
    ways = {str(way) for name in _providers(sample, imported) for way in _ways(sample, name)}
    return all_of(
        [
            *_answered(sample, importer, every, pods, ways),
            unknown(below, f"{importer}'s {caller.name}", told(sample, caller, below), control),
        ]
    )


def one_pod_alone_answers(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """By the global name of one pod that pod answers alone, through the gateway of its cluster."""
    first = _first(sample, imported)
    pods = [one for one in _pods(sample, imported) if one.name == first]
    ways = set(map(str, _ways(sample, _providers(sample, imported)[0])))
    return all_of(_answered(sample, importer, one_pod(sample, imported), pods, ways))


def _answered(
    sample: Sample, importer: str, exposed: Exposure, pods: Sequence[Workload], ways: set[str]
) -> list[Verdict]:
    times = calls_to_meet(1 / (len(pods) + 1))
    plan = Plan(url_of(exposed), times=times, fresh=True)
    responses = call(sample, asker(sample, importer), plan)
    return [
        succeeded(responses),
        _by(responses, [one.name for one in pods]),
        went_through(responses, ways, f"the gateway of {exposed.provider}"),
        _arrived(responses, pods),
    ]


def _by(responses: Sequence[Response], names: Sequence[str]) -> Verdict:
    """Whether these pods answered, all of them, and nobody else."""
    expected = f"{' and '.join(names) or 'pods'} to answer {len(responses)} calls"
    answered = [one.pod or "nobody" for one in responses if one.succeeded]
    others = [one for one in answered if one not in names]
    silent = [one for one in names if one not in answered]
    if others:
        return Verdict(Outcome.FAIL, expected, f"{len(others)} were answered by {others[0]}")
    if silent and answered:
        return Verdict(Outcome.FAIL, expected, f"{silent[0]} never answered")
    outcome = Outcome.PASS if answered and names else Outcome.INCONCLUSIVE
    return Verdict(outcome, expected, f"{len(answered)} calls answered")


def _arrived(responses: Sequence[Response], pods: Sequence[Workload]) -> Verdict:
    """Whether the pods' own proxies have each call in their logs, as the answer says."""
    expected = f"the pods' proxies to log {len(responses)} calls, each at the pod that answered"
    lines = arrivals(pods, {one.id: 1 for one in responses})
    where = {name: [pod.name for pod, _ in found] for name, found in lines.items()}
    wrong = [one for one in responses if where[one.id] and where[one.id] != [one.pod]]
    if wrong:
        observed = f"{len(wrong)} otherwise: {wrong[0].pod} answered, and in {where[wrong[0].id]}"
        return Verdict(Outcome.FAIL, expected, observed)
    missing = sum(not found for found in where.values())
    outcome = Outcome.INCONCLUSIVE if missing or not responses else Outcome.PASS
    return Verdict(outcome, expected, f"{missing} of {len(responses)} in no pod's log")


def _of_both(
    sample: Sample, imported: Exposure, labels: dict[str, str], labels_of_one: dict[str, str]
) -> tuple[list[Object], list[Object]]:
    """What the provider and what the consumer writes. ``labels``: by which entries select, beside
    the Service's own."""
    every, one = all_pods(imported), one_pod(sample, imported)
    own = {"app": SERVICE}
    service = Served(SERVICE, NAMESPACE, own | labels, HELLOWORLD, {"http": PORT})
    pod = replace(service, labels=own | labels_of_one)
    providers = _providers(sample, imported)
    ports = sample.mesh.blueprint.gateway_ports(sample.topology[providers[0]])
    theirs = [passing_on(_GATEWAY, ports, [every.host, one.host])]
    theirs += [*provided(every, service), *provided(one, pod)]
    names = identities_of(sample.topology, imported, service)
    ways = [way for name in providers for way in _ways(sample, name)]
    ours = of_consumer(every, service, _ALL, ways, names)
    ours += of_consumer(one, pod, _ONE, _ways(sample, providers[0]), names)
    # A gateway leads each connection to one pod: all of them answer only by many connections.
    for rule in ours:
        if rule["kind"] == "DestinationRule":
            rule["spec"]["trafficPolicy"] |= SHORT_CONNECTIONS
    return theirs, ours


def _known(sample: Sample, importer: str, imported: Exposure) -> list[int]:
    """How many gateways the consumer's proxy knows of all pods and of the first, how many pods its
    gateway knows of the first, and that which knows fewest of all."""
    every, one = all_pods(imported).host, one_pod(sample, imported).host
    caller = asker(sample, importer)
    found = [len(endpoints(caller, outbound(host, PORT))) for host in (every, one)]
    names = (next(iter(sample.mesh.ways_to(name))) for name in _providers(sample, imported))
    gateways = [gateway_workload(sample.mesh, name) for name in names]
    found.append(len(endpoints(gateways[0], sni_of(one, PORT))))
    return [*found, min(len(endpoints(gateway, sni_of(every, PORT))) for gateway in gateways)]


def _providers(sample: Sample, imported: Exposure) -> tuple[str, ...]:
    return sample.topology.providers(imported)


def _first(sample: Sample, imported: Exposure) -> str:
    return pod_name(_providers(sample, imported)[0])


def _ways(sample: Sample, cluster: str) -> list[Way]:
    return list(sample.mesh.ways_to(cluster).values())


def _pods(sample: Sample, imported: Exposure) -> list[Workload]:
    running = map(sample.mesh.cluster, _providers(sample, imported))
    return [one for cluster in running for one in list_workloads(cluster, SERVICE, NAMESPACE)]
