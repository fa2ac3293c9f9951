"""What is claimed of sidecars in namespaces that ask for a revision, for sabotage as well."""

from __future__ import annotations

import json

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.proxy import admin
from meshproof.workloads.sample import Sample


def sidecars_follow(sample: Sample, revision: str) -> Verdict:
    """In every cluster sleep's sidecar was injected by the revision, and is configured by it."""
    return all_of(_follows(sample, name, revision) for name in sample.clusters)


def _follows(sample: Sample, cluster: str, revision: str) -> Verdict:
    caller = sample.caller(cluster)
    expected = f"{caller.spot} to be injected and configured by revision {revision}"
    if not caller.sidecar:
        return Verdict(Outcome.FAIL, expected, f"it has no sidecar in {cluster}")
    metadata = json.loads(admin(caller.spot, "server_info"))["node"]["metadata"]
    label = metadata["LABELS"].get("istio.io/rev", "")
    address = metadata["PROXY_CONFIG"].get("discoveryAddress", "")
    right = (label, address) == (revision, f"istiod-{revision}.{SYSTEM}.svc:15012")
    observed = f"by '{label}', from {address or 'nowhere'}, in {cluster}"
    return Verdict(Outcome.PASS if right else Outcome.FAIL, expected, observed)
