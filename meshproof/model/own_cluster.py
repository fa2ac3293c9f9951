"""A cluster of one's own: somebody else's, on which meshproof installs a mesh for a while."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from meshproof.errors import UsageError

_PRODUCTION = re.compile(r"(?<![a-z])(prod|production|prd|live)(?![a-z])", re.IGNORECASE)
_LOOPBACK_NAMES = frozenset({"localhost", "host.docker.internal", "kubernetes.docker.internal"})


@dataclass(frozen=True, slots=True)
class OwnCluster:
    """``name``: what topologies call it; ``kubeconfig`` and ``context``: by which it is reached;
    ``server``: the URL that these say; ``entry``: what the kubeconfig calls the cluster; ``api``:
    the URL by which the other clusters reach its API server, "" where nobody said; ``pods`` and
    ``services``: their ranges, as far as somebody said. No credential is in it."""

    name: str
    kubeconfig: Path
    context: str
    server: str
    entry: str = ""
    api: str = ""
    pods: IPv4Network | None = None
    services: IPv4Network | None = None

    @property
    def smells_of_production(self) -> bool:
        """Whether one of its names does: to change it is asked for twice."""
        names = (self.name, self.context, self.entry, self.server, self.kubeconfig.name)
        return any(_PRODUCTION.search(one) for one in names)

    def __str__(self) -> str:
        return f"{self.name} (context {self.context}, server {self.server})"


@dataclass(frozen=True)
class OwnClusters:
    """Clusters of one's own, as a run is given them. ``images``: what stands for an image of ours
    in them; ``consented``: whether somebody has agreed to their being changed."""

    own: tuple[OwnCluster, ...]
    images: Mapping[str, str] = field(default_factory=dict, hash=False)
    consented: bool = False

    def named(self, names: Sequence[str]) -> tuple[OwnCluster, ...]:
        """Those of these names, in their order. Raises UsageError where one is missing."""
        known = {one.name: one for one in self.own}
        missing = [name for name in names if name not in known]
        if missing:
            raise UsageError(
                f"no --cluster says which cluster {missing[0]} is",
                f"add '--cluster {missing[0]}=FILE:CONTEXT'",
            )
        return tuple(known[name] for name in names)


def is_of_this_machine_alone(server: str) -> bool:
    """Whether a URL leads every machine, and every pod, to itself."""
    host = urlsplit(server).hostname or ""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        found = ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def listed(clusters: Sequence[OwnCluster]) -> str:
    """Clusters as they are shown to whoever is asked, a line each."""
    width = max(len(one.name) for one in clusters)
    return "\n".join(
        f"  {one.name:{width}}  context {one.context}  {one.server}" for one in clusters
    )
