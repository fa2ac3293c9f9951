"""Reads what the lab must know out of kind's own configuration files."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meshproof.errors import UsageError
from meshproof.lab.subnets import POOL
from meshproof.model import Cluster, Footprint, Version
from meshproof.resources import resource


class _Networking(BaseModel):
    model_config = ConfigDict(extra="allow")
    pod_subnet: IPv4Network = Field(alias="podSubnet")
    service_subnet: IPv4Network = Field(alias="serviceSubnet")
    disable_default_cni: bool = Field(alias="disableDefaultCNI")
    kube_proxy_mode: Literal["nftables"] = Field(alias="kubeProxyMode")


class _Node(BaseModel):
    model_config = ConfigDict(extra="allow")
    role: str


class _KindConfig(BaseModel):
    """The fields that the lab relies on; kind itself checks the rest."""

    model_config = ConfigDict(extra="allow")
    networking: _Networking
    nodes: list[_Node] = Field(default_factory=lambda: [_Node(role="control-plane")])


def read_cluster(name: str, kind_config: str | Path | None = None) -> Cluster:
    """The cluster ``name`` that a file describes.

    ``kind_config``: a path, or the name of a file under kind-configs/ (by default the
    cluster's own name). Raises UsageError when the file is missing or says too little.
    """
    path = find_kind_config(kind_config if kind_config is not None else name)
    try:
        config = _KindConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is no YAML ({str(error).splitlines()[0]})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {where}: {first['msg']}") from None
    if not config.networking.disable_default_cni:
        raise UsageError(
            f"{path}: networking.disableDefaultCNI must be true",
            "kind's own CNI hides pods behind their node, the lab routes them",
        )
    for network in (config.networking.pod_subnet, config.networking.service_subnet):
        if network.overlaps(POOL):
            raise UsageError(f"{path}: {network} overlaps {POOL}, which the lab's networks use")
    control_planes = sum(node.role == "control-plane" for node in config.nodes)
    if control_planes != 1:
        raise UsageError(f"{path}: {control_planes} control planes", "the lab takes exactly one")
    return Cluster(
        name=name,
        pods=config.networking.pod_subnet,
        services=config.networking.service_subnet,
        kind_config=str(path),
        nodes=len(config.nodes),
    )


def find_kind_config(name: str | Path) -> Path:
    """The file for a path or a bare name. Raises UsageError when there is none."""
    folder = resource("kind-configs")
    candidates = [Path(name), folder / f"{name}.yaml"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise UsageError(f"there is no kind configuration '{name}'", f"name a file, or one of {known}")


def read_clusters(text: str) -> tuple[Cluster, ...]:
    """The clusters that a text such as "east,west" or "east=same,west=same" asks for.

    Each word names a cluster and, after an equals sign, its kind configuration (by default the
    file of the cluster's name). Raises UsageError as ``read_cluster`` does.
    """
    clusters = []
    for word in text.split(","):
        name, _, kind_config = word.strip().partition("=")
        clusters.append(read_cluster(name, kind_config or None))
    return tuple(clusters)


def read_footprint(text: str, kubernetes: Version) -> Footprint:
    """The footprint of the clusters that ``read_clusters`` finds in a text.

    Raises UsageError as that does, or when a name comes twice.
    """
    return Footprint(read_clusters(text), kubernetes)
