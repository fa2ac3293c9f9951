"""An istiod that is none, and a sidecar that is led to it.

Where a proxy finds its istiod is a field of its configuration, which a pod may set:
https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig-discovery_address
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PROXY, PodWorkload, list_workloads
from meshproof.mesh.credentials import Credential, installed_authority, issue
from meshproof.mesh.trust import Authority
from meshproof.process import side_by_side
from meshproof.traffic.impostor import serving_as
from meshproof.traffic.settle import converge, require
from meshproof.workloads.sample import NAMESPACE, OUTSIDE, SLEEP, Sample, sleep_objects

UNKNOWN_AUTHORITY = "certificate signed by unknown authority"
ANOTHERS_NAME = "certificate is not valid for any names"
"""What Go's TLS says of a server whose certificate no root of the client's stands behind, and of
one whose certificate is of somebody else (crypto/x509)."""
_HANDSHAKE = "authentication handshake failed"
_WITHIN = 60.0


@dataclass(frozen=True)
class Astray:
    """A pod whose sidecar was led to a false istiod. ``attempts``: what its log says of handshakes
    with it; ``ready``: whether its proxy has become ready all the same."""

    pod: PodWorkload
    attempts: tuple[str, ...]
    ready: bool


class Shown(Enum):
    """What a false istiod shows, each on a port of its own; the value is that port."""

    ANOTHER_ROOTS = 15112
    """A certificate for its name that another root stands behind."""
    A_WORKLOADS = 15113
    """A certificate of the mesh that is a workload's, and no istiod's."""
    THE_MESHS = 15114
    """A certificate for its name that the mesh's own authority signed."""

    @property
    def service(self) -> str:
        """The Service of the false istiod."""
        return f"false-istiod-{self.value}"

    @property
    def host(self) -> str:
        """The name by which it is asked."""
        return f"{self.service}.{OUTSIDE}.svc"


def refused_everywhere(sample: Sample, kinds: Mapping[Shown, str]) -> Verdict:
    """The claim of each kind of false istiod, in each cluster with workloads, all at once: a
    sidecar tries for most of a minute before it says why it fails. ``kinds``: the reason due."""
    tried = [(name, shown) for name in sample.clusters for shown in kinds]
    astray = side_by_side(sample.mesh.shell, lambda one: led_astray(sample, *one), tried)
    return all_of(
        a_false_istiod_is_refused(one, kinds[shown])
        for one, (_, shown) in zip(astray, tried, strict=True)
    )


def led_astray(sample: Sample, cluster: str, shown: Shown) -> Astray:
    """Lead the sidecar of a new pod to a false istiod, and wait until its log says what came of
    it, or a minute has passed. Nothing is left of either.

    Raises EvidenceError when the false istiod does not serve, or the pod does not start.
    """
    running = sample.mesh.cluster(cluster)
    name = f"astray-{secrets.token_hex(3)}"
    with _false_istiod(sample, running, shown), applied(running, _led_to_it(name, shown)):
        found: list[PodWorkload] = []

        def started() -> bool:
            found[:] = list_workloads(running, name, NAMESPACE)
            return bool(found)

        require(started, what=f"a pod {name} in {cluster}")
        pod = found[0]
        converge(lambda: _attempts(pod), what="a handshake with the false istiod", within=_WITHIN)
        return Astray(pod, _attempts(pod), _is_ready(running, pod))


def a_false_istiod_is_refused(tried: Astray, why: str) -> Verdict:
    """The sidecar did shake hands with whoever it was led to, refused it for the right reason each
    time, and did not become ready by it.

    ``why``: words of the reason, as the sidecar's log has it.
    """
    expected = f"the sidecar of {tried.pod.name} to refuse a false istiod: '{why}'"
    other = [one for one in tried.attempts if why not in one]
    if tried.ready or other:
        said = other[0] if other else "it is ready"
        return Verdict(Outcome.FAIL, expected, f"it was not refused for that: {said}")
    if not tried.attempts:
        return Verdict(Outcome.INCONCLUSIVE, expected, "its log says nothing of any handshake")
    return Verdict(Outcome.PASS, expected, tried.attempts[0])


def _credential(sample: Sample, cluster: str, shown: Shown) -> Credential:
    signer = sample.topology[cluster].primary
    own = installed_authority(sample.mesh.cluster(signer)).authority
    identity = sample.caller_identity(cluster)
    if shown is Shown.A_WORKLOADS:
        return issue(own, identity)
    elsewhere = Authority.root("another root").intermediate("meshproof east")
    return issue(own if shown is Shown.THE_MESHS else elsewhere, identity, [shown.host])


@contextmanager
def _false_istiod(sample: Sample, running: RunningCluster, shown: Shown) -> Iterator[None]:
    """Behind a Service of its own, in the pod of a caller without a sidecar."""
    outsider, port = sample.outsider(running.name), shown.value
    credential = _credential(sample, running.name, shown)
    with applied(running, [_service(shown)]), serving_as(outsider, port, credential):
        yield


def _attempts(pod: PodWorkload) -> tuple[str, ...]:
    return tuple(line for line in pod.log(PROXY).splitlines() if _HANDSHAKE in line)


def _is_ready(running: RunningCluster, pod: PodWorkload) -> bool:
    with lab_errors(f"look at {pod}"):
        found = running.core.read_namespaced_pod(pod.name, pod.namespace).status
    states = [*(found.container_statuses or []), *(found.init_container_statuses or [])]
    return any(one.name == PROXY and one.ready for one in states)


def _service(shown: Shown) -> Object:
    ports = [{"name": "tls-istiod", "port": shown.value, "targetPort": shown.value}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": shown.service, "namespace": OUTSIDE},
        "spec": {"selector": {"app": SLEEP}, "ports": ports},
    }


def _led_to_it(name: str, shown: Shown) -> list[Object]:
    """A pod whose sidecar takes the false istiod for its own."""
    config = json.dumps({"discoveryAddress": f"{shown.host}:{shown.value}"})
    return sleep_objects(NAMESPACE, name, annotations={"proxy.istio.io/config": config})
