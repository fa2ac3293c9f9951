"""An istiod that is none, and a sidecar that is led to it.

Where a proxy finds its istiod is a field of its configuration, which a pod may set:
https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#ProxyConfig-discovery_address
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from meshproof.expect import Outcome, Verdict
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.objects import Object, applied
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PROXY, Workload, list_workloads
from meshproof.mesh.credentials import Credential, installed_authority, issue
from meshproof.mesh.trust import Authority
from meshproof.traffic.impostor import serving_as
from meshproof.traffic.settle import converge, require
from meshproof.workloads.sample import NAMESPACE, OUTSIDE, SLEEP, Sample, sleep_objects
from suites.channel.claims import PORT

FALSE = "false-istiod"
HOST_OF_FALSE = f"{FALSE}.{OUTSIDE}.svc"
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

    pod: Workload
    attempts: tuple[str, ...]
    ready: bool


def of_another_root(sample: Sample, cluster: str) -> Credential:
    """A certificate for the false istiod's name that another root stands behind."""
    elsewhere = Authority.root("another root").intermediate("meshproof east")
    return issue(elsewhere, sample.caller_identity(cluster), [HOST_OF_FALSE])


def of_a_workload(sample: Sample, cluster: str) -> Credential:
    """A certificate of the mesh that is a workload's, and no istiod's."""
    return issue(_authority(sample, cluster), sample.caller_identity(cluster))


def of_the_mesh(sample: Sample, cluster: str) -> Credential:
    """A certificate for the false istiod's name that the mesh's own authority signed."""
    return issue(_authority(sample, cluster), sample.caller_identity(cluster), [HOST_OF_FALSE])


def led_astray(sample: Sample, cluster: str, shown: Credential) -> Astray:
    """Lead the sidecar of a new pod to a false istiod that shows a certificate, and wait until its
    log says what came of it, or a minute has passed. Nothing is left of either.

    Raises EvidenceError when the false istiod does not serve, or the pod does not start.
    """
    running = sample.mesh.cluster(cluster)
    name = f"astray-{secrets.token_hex(3)}"
    with _false_istiod(sample, running, shown), applied(running, _led_to_it(name)):
        found: list[Workload] = []

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


def _authority(sample: Sample, cluster: str) -> Authority:
    signer = sample.topology[cluster].primary
    return installed_authority(sample.mesh.cluster(signer)).authority


@contextmanager
def _false_istiod(sample: Sample, running: RunningCluster, shown: Credential) -> Iterator[None]:
    """Behind a Service of its own, in the pod of a caller without a sidecar."""
    outsider = sample.outsider(running.name)
    with applied(running, [_service()]), serving_as(outsider, PORT, shown):
        yield


def _attempts(pod: Workload) -> tuple[str, ...]:
    return tuple(line for line in pod.log(PROXY).splitlines() if _HANDSHAKE in line)


def _is_ready(running: RunningCluster, pod: Workload) -> bool:
    with lab_errors(f"look at {pod}"):
        found = running.core.read_namespaced_pod(pod.name, pod.namespace).status
    states = [*(found.container_statuses or []), *(found.init_container_statuses or [])]
    return any(one.name == PROXY and one.ready for one in states)


def _service() -> Object:
    ports = [{"name": "tls-istiod", "port": PORT, "targetPort": PORT}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": FALSE, "namespace": OUTSIDE},
        "spec": {"selector": {"app": SLEEP}, "ports": ports},
    }


def _led_to_it(name: str) -> list[Object]:
    """A pod whose sidecar takes the false istiod for its own."""
    config = json.dumps({"discoveryAddress": f"{HOST_OF_FALSE}:{PORT}"})
    return sleep_objects(NAMESPACE, name, annotations={"proxy.istio.io/config": config})
