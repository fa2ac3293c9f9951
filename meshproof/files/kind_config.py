"""Reads kind's own configuration files: what kind would refuse, or the lab cannot use, is told
before anything is created."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path

from meshproof.errors import ModelError, UsageError
from meshproof.files.document import At, Document, read_document
from meshproof.files.kind_patches import check_patches, node_mask
from meshproof.files.kind_schema import API_VERSION, KindConfig
from meshproof.files.ranges import SERVICES, read_pods, read_services
from meshproof.files.schema import check, dotted
from meshproof.model import Cluster, Footprint, Version
from meshproof.model.addresses import MOST_NODES
from meshproof.model.clusters import check_cluster_name
from meshproof.resources import resource


def read_cluster(name: str, kind_config: str | Path | None = None) -> Cluster:
    """The cluster ``name`` that a file describes.

    ``kind_config``: a path, or the name of a file under kind-configs/ (by default the
    cluster's own name). Raises UsageError when the name or the file cannot be: one sentence
    beginning with "file:line: ", where there is a file.
    """
    check_cluster_name(name)
    path = find_kind_config(kind_config if kind_config is not None else name)
    ours = path.parent == resource("kind-configs")
    document, pods, services, nodes = _read_our_shape(path) if ours else _read_shape(path)
    try:
        digest = _digest(document)
        return Cluster(name, pods, services, str(path.resolve()), nodes, digest)
    except ModelError as error:
        raise document.error(SERVICES, error.cause, error.remedy) from None


_Shape = tuple[Document, IPv4Network, IPv4Network, int]
"""A file, the ranges of pods and of services that it says, and how many nodes."""


def _read_shape(path: Path) -> _Shape:
    document = read_document(path, "kind configuration", f"begin with a copy of {_template()}")
    config = _read(document)
    _check_lab(document, config)
    nodes = len(config.nodes) or 1
    pods = read_pods(document, config.networking.pods, nodes, node_mask(config))
    return document, pods, read_services(document, config.networking.services), nodes


def _digest(document: Document) -> str:
    said = json.dumps(document.content, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


@cache
def _read_our_shape(path: Path) -> _Shape:
    """One that travels with meshproof, read once: most topologies are made of the same few."""
    return _read_shape(path)


def find_kind_config(name: str | Path) -> Path:
    """The file for a path or a bare name. Raises UsageError when there is none."""
    path = locate_kind_config(name, Path())
    if path is None:
        known = ", ".join(kind_config_names())
        cause = f"there is no kind configuration '{name}'"
        raise UsageError(cause, f"name a file, or one of {known}")
    return path


def locate_kind_config(name: str | Path, folder: Path) -> Path | None:
    """The file that a path relative to ``folder``, or the name of one under kind-configs/, leads
    to; None if there is none.

    A path has a slash or ends in .yaml or .yml; anything else is a name, whatever lies in the
    current folder.
    """
    wanted = str(name)
    if isinstance(name, Path) or "/" in wanted or wanted.endswith((".yaml", ".yml")):
        path = folder / wanted
        return path if os.path.lexists(path) else None
    if wanted not in kind_config_names():
        return None
    return resource("kind-configs") / f"{wanted}.yaml"


def kind_config_names() -> tuple[str, ...]:
    """The names of the kind configurations that travel with meshproof, sorted."""
    return tuple(sorted(path.stem for path in resource("kind-configs").glob("*.yaml")))


def read_clusters(text: str) -> tuple[Cluster, ...]:
    """The clusters that a text such as "east,west" or "east=same,west=same" asks for.

    Each word names a cluster and, after an equals sign, its kind configuration (by default the
    file of the cluster's name). Raises UsageError as ``read_cluster`` does.
    """
    clusters = []
    for word in text.split(","):
        name, equals, kind_config = word.strip().partition("=")
        clusters.append(read_cluster(name, kind_config if equals else None))
    return tuple(clusters)


def read_footprint(text: str, kubernetes: Version) -> Footprint:
    """The footprint of the clusters that ``read_clusters`` finds in a text.

    Raises UsageError as that does, or when a name comes twice.
    """
    return Footprint(read_clusters(text), kubernetes)


def _template() -> Path:
    return resource("kind-configs") / "east.yaml"


def _read(document: Document) -> KindConfig:
    """What the file says, as kind would read it. Raises UsageError for what kind refuses."""
    # A file of another kind is told so, and not key by key.
    if not {"apiVersion", "kind"} & document.content.keys():
        cause = "neither kind nor apiVersion is given, so this is no configuration of a cluster"
        raise document.error((), cause, f"write 'kind: Cluster' and 'apiVersion: {API_VERSION}'")
    for key, wanted in (("apiVersion", API_VERSION), ("kind", "Cluster")):
        if document.content.get(key) not in (None, wanted):
            cause = f"{key} is {document.written[(key,)]}, so this is no configuration of a cluster"
            raise document.error((key,), cause, f"write '{key}: {wanted}'")
    config = check(document, _without_nulls(document.content), KindConfig)
    check_patches(document, config)
    _check_ports(document, config)
    return config


def _without_nulls(value: object) -> object:
    """kind takes a key with nothing after it for one that is not there."""
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    return value


def _check_ports(document: Document, config: KindConfig) -> None:
    """Raise UsageError when two of a cluster's nodes would listen on one port of this machine."""
    taken: dict[tuple[int, str], list[str]] = {}
    for index, node in enumerate(config.nodes):
        for number, mapping in enumerate(node.ports):
            if mapping.host <= 0:
                continue
            addresses = taken.setdefault((mapping.host, mapping.protocol), [])
            at: At = ("nodes", index, "extraPortMappings", number, "hostPort")
            if _clash(mapping.address, addresses):
                cause = f"{dotted(at)} {mapping.host} is taken already, by another mapping"
                raise document.error(at, cause, "choose another, or leave it out")
            addresses.append(mapping.address)


def _clash(address: str, others: list[str]) -> bool:
    anywhere = ("0.0.0.0", "::")  # noqa: S104
    return any(one == address or one in anywhere or address in anywhere for one in others)


def _check_lab(document: Document, config: KindConfig) -> None:
    """Raise UsageError for what kind takes and the lab does not."""
    networking = config.networking
    if networking.family != "ipv4":
        at: At = ("networking", "ipFamily")
        cause = f"{dotted(at)} cannot be {networking.family}, as IPv4 alone is supported"
        raise document.error(at, cause, "leave ipFamily out, and write one IPv4 range each")
    if not networking.no_cni:
        raise document.error(
            ("networking", "disableDefaultCNI"),
            "networking.disableDefaultCNI must be true",
            "kind's own CNI hides pods behind their node, the lab routes them",
        )
    if networking.proxy_mode != "nftables":
        raise document.error(
            ("networking", "kubeProxyMode"),
            f"networking.kubeProxyMode must be nftables, not {networking.proxy_mode}",
            "some kernels refuse the rules that kube-proxy writes in other modes",
        )
    control_planes = sum(node.role == "control-plane" for node in config.nodes)
    if config.nodes and control_planes != 1:
        cause = f"{control_planes} control planes among the nodes"
        raise document.error(("nodes",), cause, "give exactly one the role control-plane")
    if len(config.nodes) > MOST_NODES:
        cause = f"{len(config.nodes)} nodes are more than a cluster's network has addresses for"
        raise document.error(("nodes",), cause, f"write {MOST_NODES} at most")
    _check_ignored(document, config)


def _check_ignored(document: Document, config: KindConfig) -> None:
    """Raise UsageError for what would be passed over in silence: the lab tells kind otherwise."""
    if config.name is not None:
        cause = "'name' would change nothing, as the lab names its clusters mp-<lab>-<cluster>"
        raise document.error(("name",), cause, "remove it")
    for index, node in enumerate(config.nodes):
        if node.image is not None:
            at = ("nodes", index, "image")
            cause = f"{dotted(at)} would change nothing, as the lab gives all nodes its own image"
            raise document.error(at, cause, "remove it, and choose with --kubernetes")
