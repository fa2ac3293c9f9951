"""The parts of a proxy's configuration that it uses now."""

from __future__ import annotations

import json
import re

from meshproof.kube.workload import Workload

ROUTES = "dynamic_route_configs"
CLUSTERS = "dynamic_active_clusters"
LISTENERS = "dynamic_listeners"
_EXACT = re.compile(r'"exact": "(spiffe://[^"]+)"')
# A listener that was replaced stays for its connections' sake, one that is to come waits.
_NOT_IN_USE = ("draining_state", "warming_state", "error_state")


def in_use(workload: Workload, part: str) -> str:
    """What the workload's proxy uses of a part of its configuration, as JSON.

    Raises EvidenceError when the proxy does not answer.
    """
    configs = json.loads(workload.admin(f"config_dump?resource={part}")).get("configs", [])
    kept = [
        {name: value for name, value in one.items() if name not in _NOT_IN_USE} for one in configs
    ]
    return json.dumps(kept)


def accepted_names(workload: Workload, cluster: str) -> set[str]:
    """The SPIFFE URIs that the workload's proxy takes from servers of an Envoy cluster, such as
    "outbound|5000||helloworld.sample.svc.cluster.local"; none when it has no such cluster.

    Raises EvidenceError when the proxy does not answer.
    """
    used = [one.get("cluster", {}) for one in json.loads(in_use(workload, CLUSTERS))]
    texts = [json.dumps(one) for one in used if one.get("name") == cluster]
    return {name for text in texts for name in _EXACT.findall(text)}
