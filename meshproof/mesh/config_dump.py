"""The parts of a proxy's configuration that it uses now."""

from __future__ import annotations

import json

from meshproof.kube.workload import Workload

ROUTES = "dynamic_route_configs"
CLUSTERS = "dynamic_active_clusters"
LISTENERS = "dynamic_listeners"
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
