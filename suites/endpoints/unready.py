"""Instances whose readiness is ours to tell, and those of one version that are not ready.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from meshproof.kube import client
from meshproof.kube.objects import Object, applied
from meshproof.kube.rollout import await_rollout
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import Workload
from meshproof.mesh.proxy import Endpoint, endpoints, outbound
from meshproof.mesh.routes import host_of
from meshproof.process import side_by_side
from meshproof.traffic.endpoints import await_pods, usual_pods
from meshproof.traffic.settle import arrive, require
from meshproof.wait import eventually
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    PORT,
    Sample,
    helloworld_objects,
    helloworld_service,
)

SERVICE = "gated"
"""The Service before these instances alone, and their label."""
URL = f"http://{SERVICE}.{NAMESPACE}:{PORT}/hello"
KNOWN_AS = outbound(host_of(SERVICE, NAMESPACE), PORT)
"""What a sidecar's configuration calls the Service."""
_GATE = "meshproof/gate"
_STARTED_WITHIN = 120.0


def deployment_of(version: str) -> Object:
    """One more instance of a version, which is ready when we say so."""
    made = helloworld_objects(version)[-1]
    labels = {"app": HELLOWORLD, "version": version, SERVICE: "yes"}
    made["metadata"] |= {"name": _name(version), "labels": labels}
    made["spec"]["selector"] = {"matchLabels": labels}
    template = made["spec"]["template"]
    template["metadata"]["labels"] = labels
    template["spec"]["readinessGates"] = [{"conditionType": _GATE}]
    return made


def service() -> Object:
    """The Service before all of them."""
    made = helloworld_service(name=SERVICE)
    made["spec"]["selector"] = {SERVICE: "yes"}
    made["spec"]["ports"] = [{"name": "http", "port": PORT, "targetPort": PORT}]
    return made


@contextmanager
def gated(sample: Sample) -> Iterator[None]:
    """Each version has one more instance, all of them ready, and every cluster the Service before
    them; proxies know them inside the block, or half a minute has passed. Afterwards proxies have
    forgotten them, or the mesh is marked dirty. Raises LabError when one will not run."""
    try:
        with ExitStack() as stack:
            for name in sample.clusters:
                objects = [service(), *map(deployment_of, sample.versions_in(name))]
                stack.enter_context(applied(sample.mesh.cluster(name), objects))
            side_by_side(sample.mesh.shell, partial(_started, sample), sample.versions)
            for name in sample.clusters:
                arrive(
                    sample.mesh,
                    partial(_unknown, sample, name),
                    until=lambda left: not left,
                    what=f"the instances of {SERVICE} in {name}",
                )
            yield
    finally:
        if not await_pods(sample, usual_pods(sample)):
            sample.mesh.mark_dirty("the proxies do not forget pods that are gone")


@contextmanager
def not_ready(sample: Sample, version: str) -> Iterator[None]:
    """The instance of a version is not ready inside the block, as Kubernetes tells those who read
    its endpoints; what proxies make of it is for the claim to see. Afterwards it is ready again.
    Raises EvidenceError when Kubernetes does not tell it."""
    home = sample.versions[version]
    try:
        _tell(sample, version, ready=False)
        what = f"an endpoint of {version} in {home} that is not ready"
        require(lambda: not _told_ready(sample, version), what=what)
        yield
    finally:
        _tell(sample, version, ready=True)
        arrive(
            sample.mesh,
            lambda: called_at(sample, home, version),
            what=f"{version} in {home} again",
        )


def called_at(sample: Sample, caller: str, version: str) -> list[Endpoint]:
    """The endpoints at which a caller's proxy would call the instance of a version: the pod on its
    own network, else gateways that lead to it."""
    ways = ways_to(sample, caller, version)
    found = endpoints(sample.caller(caller), KNOWN_AS)
    return [one for one in found if one.healthy and f"{one.address}:{one.port}" in ways]


def ways_to(sample: Sample, caller: str, version: str) -> set[str]:
    """Where they are, as "address:port"."""
    home = sample.versions[version]
    if sample.topology.same_network(caller, home):
        return {f"{one.address}:{PORT}" for one in _pods(sample, version)}
    return {str(way) for way in sample.mesh.ways_to(home).values()}


def _pods(sample: Sample, version: str) -> list[Workload]:
    prefix = f"{_name(version)}-"
    return [one for name, one in sample.servers().items() if name.startswith(prefix)]


def _name(version: str) -> str:
    return f"{HELLOWORLD}-{version}-{SERVICE}"


def _unknown(sample: Sample, caller: str) -> list[str]:
    """The versions whose instance a caller's proxy does not know, of those that it should."""
    reached = sample.reached_from(caller)
    return [version for version in reached if not called_at(sample, caller, version)]


def _started(sample: Sample, version: str) -> None:
    """Wait until the instance of a version runs, say that it is ready, and wait until it is."""
    cluster = sample.mesh.cluster(sample.versions[version])
    what = f"the instance of {_name(version)}"
    eventually(lambda: _running(sample, version), what=what, within=_STARTED_WITHIN)
    _tell(sample, version, ready=True)
    await_rollout(cluster, NAMESPACE, {_name(version)}, sample.mesh.shell)


def _running(sample: Sample, version: str) -> bool:
    cluster = sample.mesh.cluster(sample.versions[version])
    with lab_errors(f"look for {_name(version)} in {cluster.name}"):
        labels = f"{SERVICE}=yes,version={version}"
        pods = cluster.core.list_namespaced_pod(NAMESPACE, label_selector=labels).items
    conditions = [one for pod in pods for one in pod.status.conditions or []]
    return any(one.type == "ContainersReady" and one.status == "True" for one in conditions)


def _told_ready(sample: Sample, version: str) -> set[str]:
    """The addresses of a version's instance that its cluster's API tells as ready endpoints."""
    cluster = sample.mesh.cluster(sample.versions[version])
    pods = {str(one.address) for one in _pods(sample, version)}
    discovery = client.DiscoveryV1Api(cluster.api)
    of = f"kubernetes.io/service-name={SERVICE}"
    with lab_errors(f"look for the endpoints of {SERVICE} in {cluster.name}"):
        slices = discovery.list_namespaced_endpoint_slice(NAMESPACE, label_selector=of).items
    listed = [one for each in slices for one in each.endpoints or []]
    ready = {address for one in listed if one.conditions.ready for address in one.addresses}
    return ready & pods


def _tell(sample: Sample, version: str, *, ready: bool) -> None:
    """Say of the instance of a version whether it is ready. Raises LabError."""
    cluster = sample.mesh.cluster(sample.versions[version])
    condition = {"type": _GATE, "status": "True" if ready else "False"}
    for one in _pods(sample, version):
        with lab_errors(f"set the readiness of {one}"):
            cluster.core.patch_namespaced_pod_status(
                one.name, NAMESPACE, {"status": {"conditions": [condition]}}
            )
