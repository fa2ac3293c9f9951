"""The first page of the evidence: what looked wrong, what is missing, what is where."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

_LEGEND = (
    ("10-*-pods.txt", "pods and nodes, as by kubectl get -A -o wide"),
    ("11-*-events.txt", "events by time, warnings marked !"),
    ("12-*-services.txt", "Services, LoadBalancer addresses, endpoints"),
    ("13-*-istio-config.yaml", "Istio's and the Gateway API's objects"),
    ("14-*-webhooks.txt", "injection and validation: whom they call, caBundle present or not"),
    ("20-*-clusterz.json", "istiod: remote clusters"),
    ("20-*-syncz.json", "istiod: its proxies, what was sent and acknowledged"),
    ("20-*-endpointShardz.json", "istiod: endpoints by service and cluster"),
    ("20-*-networkz.json", "istiod: gateways of networks"),
    ("20-*-registryz.json", "istiod: services"),
    ("20-*-mesh.json", "istiod: the mesh configuration in force"),
    ("20-*-log.txt", "istiod's log"),
    ("30-*-proxy.log", "proxies' logs, with the access log"),
    ("30-*-app-*.log", "the other containers' logs"),
    ("30-*-clusters.txt", "Envoy: upstream hosts and their health"),
    ("30-*-config_dump.json", "Envoy: all of its configuration, with endpoints"),
    ("30-*-stats.txt", "Envoy: statistics"),
    ("40-router-counters.txt", "what passed between clusters and what was dropped; rules, routes"),
    ("41-*-node.txt", "the nodes' routes, addresses, rules"),
    ("42-*-machine.txt", "machines outside Kubernetes: units, logs, routes, redirection, clusters"),
)
_AT_A_GLANCE = 25


def index(about: str, wrong: Sequence[str], failed: Sequence[str], files: Sequence[str]) -> str:
    """The index in Markdown. ``about``: one line; ``wrong``, ``failed``: one line each."""
    shown = list(wrong[:_AT_A_GLANCE])
    if len(wrong) > len(shown):
        shown.append(f"and {len(wrong) - len(shown)} more, in the files below")
    text = f"# Evidence\n\n{about}\n\n## What looked wrong\n\n{_points(shown)}"
    if failed:
        text += f"\n## What could not be had\n\n{_points(failed)}"
    rows = [f"| `{pattern}` | {what} |\n" for pattern, what in _LEGEND if _any(pattern, files)]
    return f"{text}\n## Where to look\n\n| files | what |\n|---|---|\n{''.join(rows)}"


def _points(lines: Sequence[str]) -> str:
    return "".join(f"- {' '.join(line.split())[:400]}\n" for line in lines) or "Nothing.\n"


def _any(pattern: str, files: Sequence[str]) -> bool:
    """Whether a file goes by a pattern of the legend."""
    return any(fnmatchcase(file, pattern) for file in files)
