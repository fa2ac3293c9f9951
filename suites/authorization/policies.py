"""What is applied: policies for helloworld, and one for the whole mesh.

Source: https://istio.io/latest/docs/reference/config/security/authorization-policy/.
"""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.kube.objects import Object
from meshproof.mesh.manifests import SYSTEM
from meshproof.traffic.policies import principals
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, SLEEP, Sample

CLOSED_PATH = "/closed-mesh-wide"
DENY_SLEEP, CLOSED_TO_ALL = "deny-sleep-after-all", "closed-mesh-wide"
_WORKLOAD = {"selector": {"matchLabels": {"app": HELLOWORLD}}}


def allowing_the_namespace() -> Object:
    """helloworld allows whoever is of its own namespace, and so nobody else."""
    rule = {"from": [{"source": {"namespaces": [NAMESPACE]}}]}
    return _policy("allow-namespace", NAMESPACE, {**_WORKLOAD, "action": "ALLOW"}, [rule])


def allowing_sleep(sample: Sample) -> Object:
    """helloworld allows sleep, by its identity."""
    spec = {**_WORKLOAD, "action": "ALLOW"}
    return _policy("allow-sleep-first", NAMESPACE, spec, [_for_sleep(sample)])


def denying_sleep(sample: Sample) -> Object:
    """helloworld denies sleep, by its identity."""
    spec = {**_WORKLOAD, "action": "DENY"}
    return _policy(DENY_SLEEP, NAMESPACE, spec, [_for_sleep(sample)])


def closing_a_path_mesh_wide() -> Object:
    """In the root namespace, for no workload in particular: everybody is denied one path."""
    # At a port for TCP, Istio passes over a path, and would deny whoever comes.
    rule = {"to": [{"operation": {"paths": [CLOSED_PATH], "ports": [str(PORT)]}}]}
    return _policy(CLOSED_TO_ALL, SYSTEM, {"action": "DENY"}, [rule])


def _for_sleep(sample: Sample) -> Object:
    return {"from": [{"source": {"principals": principals(sample, SLEEP)}}]}


def _policy(name: str, namespace: str, spec: Object, rules: Sequence[Object]) -> Object:
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**spec, "rules": list(rules)},
    }
