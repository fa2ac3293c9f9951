"""A container that is put beside those of a running pod, to change what the pod itself may not.

https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from meshproof.errors import EvidenceError
from meshproof.kube import client
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PROXY, PodWorkload
from meshproof.wait import eventually

_WITHIN = 60.0
# It ends by itself: such a container stays with its pod, and nobody can take it away.
_LIVES = "120"


@contextmanager
def beside(workload: PodWorkload) -> Iterator[PodWorkload]:
    """What may change the rules of a workload's network namespace, with the programs that its
    proxy's image has for that.

    Raises LabError or WaitTimeoutError when it does not run, EvidenceError without a proxy.
    """
    name, core = f"beside-{secrets.token_hex(3)}", workload.running.core
    with lab_errors(f"put a container beside {workload}"):
        pod = core.read_namespaced_pod(workload.name, workload.namespace)
        core.patch_namespaced_pod_ephemeralcontainers(
            workload.name,
            workload.namespace,
            {"spec": {"ephemeralContainers": [_container(name, _image_of_proxy(pod))]}},
        )
        eventually(
            lambda: _state(workload, name),
            until=lambda state: state == "running",
            fail_if=lambda state: "it has ended" if state == "terminated" else None,
            what=f"container {name} beside {workload}",
            within=_WITHIN,
        )
    yield replace(workload, container=name)


def _container(name: str, image: str) -> dict[str, object]:
    rights = {"add": ["NET_ADMIN", "NET_RAW"]}
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", _LIVES],
        "securityContext": {"runAsUser": 0, "runAsNonRoot": False, "capabilities": rights},
    }


def _image_of_proxy(pod: client.V1Pod) -> str:
    for one in [*(pod.spec.init_containers or []), *pod.spec.containers]:
        if one.name == PROXY:
            return str(one.image)
    raise EvidenceError(f"no proxy stands before {pod.metadata.name}")


def _state(workload: PodWorkload, name: str) -> str:
    """How the container is: "waiting", "running", "terminated"; "" before it is known."""
    pod = workload.running.core.read_namespaced_pod(workload.name, workload.namespace)
    for status in pod.status.ephemeral_container_statuses or []:
        if status.name == name and status.state is not None:
            states = {
                "running": status.state.running,
                "terminated": status.state.terminated,
                "waiting": status.state.waiting,
            }
            return next((state for state, told in states.items() if told is not None), "")
    return ""
