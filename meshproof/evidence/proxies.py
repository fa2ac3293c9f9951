"""What istiod and the proxies say of themselves, asked from inside their pods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from meshproof.evidence.objects import container_statuses
from meshproof.evidence.source import Found, Object, Piece, Source, parts
from meshproof.kube.forward import fetch

ROOT_NAMESPACE = "istio-system"
_PROXY = "istio-proxy"
_ISTIOD, _ENVOY = 15014, 15000
"""The ports of istiod's debug pages, and of a proxy's admin interface."""
# clusterz: remote clusters; syncz: proxies; endpointShardz: endpoints by cluster; networkz:
# gateways of networks; registryz: services; mesh: the mesh configuration in force.
_VIEWS = ("clusterz", "syncz", "endpointShardz", "networkz", "registryz", "mesh")
_ADMIN = {
    "clusters.txt": "clusters",
    "config_dump.json": "config_dump?include_eds",
    "stats.txt": "stats",
}
_ISTIOD_LINES = 2000
_LINES = 1000


def istiod_pieces(source: Source, pods: list[Object]) -> Iterator[Piece]:
    """The files about each istiod of a cluster: its view, and its log."""
    for pod in pods:
        if is_istiod(pod):
            prefix = f"20-{source.name}-{pod['metadata']['name']}"
            for view in _VIEWS:
                ask = partial(_istiod_view, source, pod, view)
                yield Piece(f"{prefix}-{view}.json", ask)
            log = partial(_log, source, pod, "discovery", _ISTIOD_LINES)
            yield Piece(f"{prefix}-log.txt", log)


def pod_pieces(source: Source, pod: Object) -> Iterator[Piece]:
    """The files about one pod: its containers' logs, and what its proxy says."""
    about = pod["metadata"]
    prefix = f"30-{source.name}-{about['namespace']}-{about['name']}"
    for container in container_statuses(pod):
        name, state = container["name"], container.get("state", {})
        done = state.get("terminated", {}).get("exitCode") == 0
        if not container.get("containerID") or done:
            continue  # there is no log yet, or an init container has done its work
        file = "proxy.log" if name == _PROXY else f"app-{name}.log"
        yield Piece(f"{prefix}-{file}", partial(_log, source, pod, name, _LINES))
        if name == _PROXY and "running" in state:
            for admin, page in _ADMIN.items():
                ask = partial(_proxy_page, source, pod, page)
                yield Piece(f"{prefix}-{admin}", ask)


def is_istiod(pod: Object) -> bool:
    """Whether a pod is a control plane."""
    return (pod["metadata"].get("labels") or {}).get("app") == "istiod"


def proxy_id(pod: Object) -> str | None:
    """How istiod calls the pod's proxy: "pod.namespace"; None when no proxy runs in it."""
    about = pod["metadata"]
    for container in container_statuses(pod):
        if container["name"] == _PROXY and "running" in container.get("state", {}):
            return f"{about['name']}.{about['namespace']}"
    return None


def not_in_sync(proxies: list[dict[str, Any]]) -> Iterator[str]:
    """Lines for the proxies of ``/debug/syncz`` that rejected or have not taken what was sent."""
    for proxy in proxies:
        for kind, state in (proxy.get("resources") or {}).items():
            what = f"{kind.rpartition('.')[2]} of proxy {proxy.get('proxy')}"
            if state.get("lastError"):
                yield f"{what} was rejected: {state['lastError']}"
            elif state.get("sent") and state.get("sent") != state.get("acked"):
                yield f"{what} is not in sync: sent, not acknowledged"


def _istiod_view(source: Source, pod: Object, view: str) -> Found:
    text = _ask(source, pod, _ISTIOD, f"debug/{view}?pretty")
    if view not in ("clusterz", "syncz"):
        return Found(text)
    entries: list[dict[str, Any]] = json.loads(text) or []
    who = f"istiod {pod['metadata']['name']}"
    if view == "syncz":
        proxies = frozenset(str(entry.get("proxy")) for entry in entries)
        wrong = [f"{who}: {line}" for line in not_in_sync(entries)]
        return Found(text, tuple(wrong), connected=proxies)
    stale = [entry for entry in entries if entry.get("syncStatus") != "synced"]
    wrong = [f"{who}: cluster {entry['id']} is {entry.get('syncStatus')}" for entry in stale]
    return Found(text, tuple(wrong))


def _proxy_page(source: Source, pod: Object, page: str) -> Found:
    return Found(_ask(source, pod, _ENVOY, page))


def _ask(source: Source, pod: Object, port: int, path: str) -> str:
    """What a pod answers to itself; its application may well be crashing. Raises as ``fetch``."""
    about, left = pod["metadata"], source.clock.left()
    return fetch(source.cluster, about["namespace"], about["name"], port, path, timeout=left)


def _log(source: Source, pod: Object, container: str, lines: int) -> Found:
    """A container's last lines; those of its predecessor too when it was restarted."""
    about = pod["metadata"]
    path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}/log"
    read = partial(source.text, path, container=container, tailLines=lines)
    if any(c["name"] == container and c.get("restartCount") for c in container_statuses(pod)):
        before = ("before the last restart", partial(read, previous="true"))
        return parts([before, ("since then", read)])
    return Found(read())
