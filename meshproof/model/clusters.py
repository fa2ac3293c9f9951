"""Clusters, the footprint they make, and the wiring between them: data, without any I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network
from itertools import combinations, permutations

from meshproof.errors import ModelError
from meshproof.model.versions import Version

Pair = tuple[str, str]
"""An ordered pair of cluster names: who calls, and who is called."""
# The container mp-<8 digits>-<name>-control-plane has the name of a host: 63 characters at most.
_LONGEST_NAME = 63 - len("mp-01234567--control-plane")
# What Kubernetes takes for a name: a DNS label (RFC 1123).
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# What the lab's counters call addresses that are in no cluster.
_NO_CLUSTER = "outside"


def check_cluster_name(name: str) -> None:
    """Raise ModelError for what cannot be a cluster's name."""
    check_name(name, "a cluster")


def check_name(name: str, of: str) -> None:
    """Raise ModelError for what cannot be the name of a place in a lab. ``of``: "a cluster" or "a
    machine"."""
    cause = f"{name[:60]!r} is no name for {of}"
    if not _NAME.fullmatch(name):
        raise ModelError(cause, "use lower-case letters, digits and hyphens between them")
    if len(name) > _LONGEST_NAME:
        raise ModelError(
            f"{cause}, of whose node it is part", f"use {_LONGEST_NAME} characters at most"
        )
    if name == _NO_CLUSTER:
        raise ModelError(f"{cause}, but the word for addresses in none", "choose another")


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Kubernetes cluster to be. ``name``: a DNS label ("east"), unique in its footprint.

    ``kind_config``: the file of kind's own configuration from which ``pods`` and ``services``
    were read; ``digest``: of what it says, wherever it lies.
    """

    name: str
    pods: IPv4Network
    services: IPv4Network
    kind_config: str
    nodes: int = 1
    digest: str = ""

    def __post_init__(self) -> None:
        check_cluster_name(self.name)
        if self.pods.overlaps(self.services):
            raise ModelError(
                f"the pods ({self.pods}) and the services ({self.services}) of cluster {self.name} "
                "share addresses",
                "give them disjoint ranges",
            )

    def overlaps(self, other: Cluster) -> bool:
        """Whether an address can mean something in both clusters."""
        mine, theirs = (self.pods, self.services), (other.pods, other.services)
        return any(one.overlaps(another) for one in mine for another in theirs)


@dataclass(frozen=True, slots=True)
class Site:
    """A machine outside Kubernetes to be, and where. ``beside``: the cluster on whose network it
    is; on a network without clusters the first machine there, after which that is called."""

    name: str
    beside: str


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a lab is made of, whatever runs on it: deployments of one footprint can share it."""

    clusters: tuple[Cluster, ...]
    kubernetes: Version
    machines: tuple[Site, ...] = ()

    def __post_init__(self) -> None:
        if not self.clusters:
            raise ModelError("a footprint needs at least one cluster")
        names = [cluster.name for cluster in self.clusters]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ModelError(f"two clusters are called {', '.join(sorted(twice))}")

    @property
    def names(self) -> tuple[str, ...]:
        """The clusters' names, in the order given."""
        return tuple(cluster.name for cluster in self.clusters)

    @property
    def places(self) -> tuple[str, ...]:
        """What the lab's networks are called after: the clusters, then the first machine of each
        network without clusters."""
        alone = (one.beside for one in self.machines if one.beside not in self.names)
        return (*self.names, *dict.fromkeys(alone))

    def machines_at(self, place: str) -> tuple[str, ...]:
        """The machines on the network of that name."""
        return tuple(one.name for one in self.machines if one.beside == place)

    @property
    def kind_configs(self) -> dict[str, str]:
        """The file of kind's configuration that each cluster is made from, by name."""
        return {cluster.name: cluster.kind_config for cluster in self.clusters}

    @property
    def digests(self) -> dict[str, str]:
        """By cluster, the digest of what it is made from: the same in another checkout, another
        when the file has been edited since."""
        return {cluster.name: cluster.digest for cluster in self.clusters}

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All ordered pairs of different networks, by the names of their places."""
        return tuple(permutations(self.places, 2))

    def __getitem__(self, name: str) -> Cluster:
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise ModelError(f"there is no cluster '{name}' here, only {', '.join(self.names)}")

    @property
    def ranges(self) -> tuple[IPv4Network, ...]:
        """The pod and service ranges of all clusters."""
        return tuple(net for one in self.clusters for net in (one.pods, one.services))

    def overlapping(self) -> frozenset[Pair]:
        """The ordered pairs whose pod or service ranges share addresses."""
        found = [
            (one.name, other.name)
            for one, other in combinations(self.clusters, 2)
            if one.overlaps(other)
        ]
        return frozenset(found) | {(other, one) for one, other in found}

    def check_clear_of(self, pool: IPv4Network) -> None:
        """Raise ModelError when the networks of a lab cannot be taken from ``pool``, since a
        cluster's pods or services have addresses of it."""
        for cluster in self.clusters:
            for what, used in (("pods", cluster.pods), ("services", cluster.services)):
                if used.overlaps(pool):
                    raise ModelError(
                        f"the pool {pool} overlaps the {what} ({used}) of cluster {cluster.name}",
                        "name another with --pool, or leave it out, and one is found",
                    )


class Flow(Enum):
    """A kind of flow that the router lets through, or not, from one cluster to another."""

    API = "api"
    """The API servers, port 6443."""
    GATEWAY = "gateway"
    """The gateways' addresses, and the ports that gateways have."""
    POD = "pod"
    """Pods, their nodes and machines to pods and machines, without address translation."""
    ANYTHING = "anything"
    """Everything: a hole, which only a sabotage asks for."""


GATEWAY_PORTS = (15443, 15012, 15017, 15021)
"""Where a gateway takes TLS of other networks, discovery, webhooks, and questions for its health
(https://istio.io/latest/docs/ops/deployment/application-requirements/)."""
ISOLATED = frozenset({Flow.API, Flow.GATEWAY})
FLAT = ISOLATED | {Flow.POD}


@dataclass(frozen=True)
class Wiring:
    """What the router lets through, for each ordered pair of clusters.

    Pairs that are not named are isolated. ``name`` appears in reports; ``gateway_ports``: the
    ports of ``Flow.GATEWAY``.
    """

    name: str
    flows: Mapping[Pair, frozenset[Flow]] = field(default_factory=dict, hash=False)
    gateway_ports: tuple[int, ...] = GATEWAY_PORTS

    def between(self, caller: str, called: str) -> frozenset[Flow]:
        """The kinds of flow that may be opened from ``caller`` to ``called``."""
        return self.flows.get((caller, called), ISOLATED)

    def is_flat(self, caller: str, called: str) -> bool:
        """Whether pods of ``caller`` reach pods of ``called`` under their own address."""
        return Flow.POD in self.between(caller, called)

    def check(self, footprint: Footprint) -> None:
        """Raise ModelError when this wiring cannot be made on the footprint."""
        for pair in self.flows:
            for name in pair:
                if name not in footprint.places:
                    footprint[name]
            if self.is_flat(*pair) and pair in footprint.overlapping():
                raise ModelError(
                    f"{pair[0]} and {pair[1]} cannot share a flat network: their pod or "
                    "service ranges overlap",
                    "give them disjoint ranges, or put them on networks of their own",
                )


def isolated() -> Wiring:
    """Every cluster on a network of its own: only API servers and gateways are reached."""
    return Wiring("isolated")


def flat(footprint: Footprint, among: Iterable[str] | None = None) -> Wiring:
    """One flat network for the clusters named (all of them by default), isolated from the rest.

    Raises ModelError when ranges overlap, as everywhere a flat wiring is asked for.
    """
    members = tuple(among if among is not None else footprint.names)
    everyone = set(members) == set(footprint.names)
    name = "flat" if everyone else f"flat among {', '.join(members)}"
    wiring = Wiring(name, dict.fromkeys(permutations(members, 2), FLAT))
    wiring.check(footprint)
    return wiring


def wiring_named(name: str, footprint: Footprint) -> Wiring:
    """The wiring "isolated" or "flat" for a footprint. Raises ModelError for other names."""
    if name == "isolated":
        return isolated()
    if name == "flat":
        return flat(footprint)
    raise ModelError(f"there is no wiring '{name}'", "choose isolated or flat")
