"""Two gateways of our own, in two clusters, and a server outside the mesh.

A gateway is a pod that is injected as one
(https://istio.io/latest/docs/setup/additional-setup/gateway/#deploying-a-gateway).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from meshproof.artifacts.images import WORKLOAD
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.workload import PROXY, Workload, find_workload
from meshproof.mesh.config_dump import CLUSTERS, ROUTES, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import gateway_workload, sni_of
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.settle import await_healed, require
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, OUTSIDE, PORT, Sample
from meshproof.workloads.scale import also_deployed
from suites.hops.ways import (
    EXTERNAL,
    INGRESS,
    RELAY,
    RELAY_HOST,
    WAY_PORT,
    listening,
    way_in,
)


@dataclass(frozen=True)
class Proxies:
    """``ingress``: where requests come in, in the first cluster with a version; ``relay``: which
    passes on what it is sent, in the last; ``external``: a server without a sidecar, beside it,
    which says that it is the version "external"."""

    ingress: Workload
    relay: Workload
    external: Workload


@contextmanager
def proxies(sample: Sample) -> Iterator[Proxies]:
    """The gateways run inside the block, and all who call them know where they are; afterwards
    nobody does, or the mesh is marked dirty. Raises LabError or EvidenceError when they do not
    come to it."""
    here, there = sample.homes[0], sample.homes[-1]
    try:
        with ExitStack() as stack:
            for name in sample.clusters:
                services = [_service(RELAY), _service(INGRESS)]
                stack.enter_context(applied(sample.mesh.cluster(name), services))
            stack.enter_context(also_deployed(sample, here, _gateway(INGRESS)))
            stack.enter_context(also_deployed(sample, there, _gateway(RELAY)))
            external = stack.enter_context(_external(sample, there))
            found = Proxies(_pod(sample, here, INGRESS), _pod(sample, there, RELAY), external)
            stack.enter_context(configured(sample.mesh, [*listening(), *way_in()]))
            require(lambda: _missing(sample, found), until=lambda left: not left, what="the way in")
            yield found
    finally:
        await_healed(sample, lambda: not _knowing(sample), f"the end of {RELAY_HOST}")


def _missing(sample: Sample, found: Proxies) -> list[str]:
    """Who does not know the relay, or is not ready to pass calls on."""
    relay = outbound(RELAY_HOST, WAY_PORT)
    asked = [(found.ingress, relay)]
    asked += [(sample.caller(name), relay) for name in sample.clusters]
    if len(sample.topology.networks) > 1:
        gateways = sample.mesh.ways_to(found.relay.cluster)
        sni = sni_of(RELAY_HOST, WAY_PORT)
        asked += [(gateway_workload(sample.mesh, name), sni) for name in gateways]
    known = [f"{cluster} in {proxy}" for proxy, cluster in asked if not endpoints(proxy, cluster)]
    listen = [one for one in (found.ingress, found.relay) if not _listens(one)]
    ways = zip(way_in(), (found.ingress, found.relay), strict=True)
    lost = [f"{_note(way)} in {one}" for way, one in ways if _note(way) not in in_use(one, ROUTES)]
    return [*known, *(f"the listener of {one}" for one in listen), *lost]


def _note(way: Object) -> str:
    """By what a proxy's routes tell that a rule is in force."""
    return f"/virtual-service/{way['metadata']['name']}"


def _listens(gateway: Workload) -> bool:
    return f":{WAY_PORT}" in gateway.admin("listeners")


def _knowing(sample: Sample) -> list[str]:
    """The clusters whose sleep's proxy knows the relay."""
    callers = [sample.caller(name) for name in sample.clusters]
    texts = side_by_side(sample.mesh.shell, lambda one: in_use(one, CLUSTERS), callers)
    named = zip(sample.clusters, texts, strict=True)
    return [name for name, text in named if outbound(RELAY_HOST, WAY_PORT) in text]


def _pod(sample: Sample, cluster: str, app: str) -> Workload:
    return find_workload(sample.mesh.cluster(cluster), app, NAMESPACE, container=PROXY)


@contextmanager
def _external(sample: Sample, cluster: str) -> Iterator[Workload]:
    """The server outside the mesh, which runs inside the block."""
    running = sample.mesh.cluster(cluster)
    container: Object = {"name": EXTERNAL, "image": WORKLOAD, "imagePullPolicy": "IfNotPresent"}
    container |= {"command": [HELLOWORLD], "env": [{"name": "SERVICE_VERSION", "value": EXTERNAL}]}
    with applied(running, [_deployment(EXTERNAL, OUTSIDE, {}, {"containers": [container]})]):
        await_rollout(running, OUTSIDE, {EXTERNAL}, sample.mesh.shell)
        yield find_workload(running, EXTERNAL, OUTSIDE)


def _gateway(name: str) -> list[Object]:
    account: Object = {"apiVersion": "v1", "kind": "ServiceAccount"}
    account |= {"metadata": {"name": name, "namespace": NAMESPACE}}
    annotations = {"inject.istio.io/templates": "gateway"}
    # The image is chosen when the pod is injected; without a word it would be pulled each time.
    container = {"name": PROXY, "image": "auto", "imagePullPolicy": "IfNotPresent"}
    pod = {"serviceAccountName": name, "containers": [container]}
    deployment = _deployment(name, NAMESPACE, annotations, pod)
    # Sidecars have it; a gateway is called by mutual TLS, and so across networks, only with it.
    labels = {"security.istio.io/tlsMode": "istio"} if name == RELAY else {}
    deployment["spec"]["template"]["metadata"]["labels"] |= labels
    return [account, deployment]


def _deployment(name: str, namespace: str, annotations: dict[str, str], pod: Object) -> Object:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": {**labels}, "annotations": annotations},
                "spec": {"terminationGracePeriodSeconds": 0, **pod},
            },
        },
    }


def _service(name: str) -> Object:
    port = {"name": "http", "port": WAY_PORT, "targetPort": WAY_PORT}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"app": name}, "ports": [port]},
    }


def at(server: Workload) -> str:
    """Where a helloworld listens, as Envoy writes it."""
    return f"{server.address}:{PORT}"
