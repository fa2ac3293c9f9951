"""What is claimed of sidecars in namespaces that ask for a revision, for sabotage as well."""

from __future__ import annotations

import json
from itertools import product

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import Workload, find_workload
from meshproof.mesh.manifests import SYSTEM
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    SLEEP,
    Sample,
)

STATUS = "sidecar.istio.io/status"
"""Where the injector notes on a pod what it did, and whose it is."""


def sidecars_follow(sample: Sample, revision: str) -> Verdict:
    """In every cluster the sidecars of sleep and helloworld were injected by the revision, and
    are configured by it."""
    return all_of(
        _follows(sample, find_workload(sample.mesh.cluster(name), app, NAMESPACE), revision)
        for name, app in product(sample.clusters, (SLEEP, HELLOWORLD))
    )


def _follows(sample: Sample, caller: Workload, revision: str) -> Verdict:
    cluster = caller.cluster
    expected = f"{caller} to be injected and configured by revision {revision}"
    if not caller.sidecar:
        return Verdict(Outcome.FAIL, expected, f"it has no sidecar in {cluster}")
    by = _injected_by(sample, caller)
    metadata = json.loads(caller.admin("server_info"))["node"]["metadata"]
    address = metadata["PROXY_CONFIG"].get("discoveryAddress", "")
    right = (by, address) == (revision, f"istiod-{revision}.{SYSTEM}.svc:15012")
    observed = f"by '{by}', from {address or 'nowhere'}, in {cluster}"
    return Verdict(Outcome.PASS if right else Outcome.FAIL, expected, observed)


def _injected_by(sample: Sample, caller: Workload) -> str:
    """The revision that the injector noted in the pod's own annotation."""
    with lab_errors(f"read {caller}"):
        pod = sample.mesh.cluster(caller.cluster).core.read_namespaced_pod(
            caller.name, caller.namespace
        )
    status = (pod.metadata.annotations or {}).get(STATUS, "{}")
    return str(json.loads(status).get("revision", ""))
