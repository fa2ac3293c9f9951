"""The parts of a proxy's configuration that it uses now."""

from __future__ import annotations

import json

from meshproof.kube.spot import Spot
from meshproof.mesh.proxy import admin

ROUTES = "dynamic_route_configs"
CLUSTERS = "dynamic_active_clusters"
LISTENERS = "dynamic_listeners"
# A listener that was replaced stays for its connections' sake, one that is to come waits.
_NOT_IN_USE = ("draining_state", "warming_state", "error_state")


def in_use(spot: Spot, part: str) -> str:
    """What the proxy in this pod uses of a part of its configuration, as JSON.

    Raises EvidenceError when the proxy does not answer.
    """
    configs = json.loads(admin(spot, f"config_dump?resource={part}")).get("configs", [])
    kept = [
        {name: value for name, value in one.items() if name not in _NOT_IN_USE} for one in configs
    ]
    return json.dumps(kept)
