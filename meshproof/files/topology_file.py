"""Reads topology files: YAML in, a Topology that can exist out, or one sentence with the line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from meshproof.errors import ModelError, UsageError
from meshproof.files.document import At, Document, read_document, shown
from meshproof.files.kind_config import kind_config_names, locate_kind_config, read_cluster
from meshproof.files.schema import check, dotted
from meshproof.model import Cluster, Member, Role, Topology, TopologyError
from meshproof.model.clusters import check_cluster_name
from meshproof.resources import resource

BARE = "bare"
"""What the command line calls the tests on bare clusters, beside the topologies' names."""

# It is part of files' names, folders' and test ids.
_TopologyName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
# What Kubernetes allows as a label's value: the network ends up in topology.istio.io/network.
_NetworkName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$", max_length=63)
]
_CLUSTERS = "{east: {role: primary, network: shared}, west: {role: primary, network: shared}}"
_EXAMPLE = f"{{name: mine, clusters: {_CLUSTERS}}}"


class _ClusterEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    REMEDY: ClassVar = "write a mapping such as {role: primary, network: shared}"
    role: Role = Field(description="write primary, remote or external")
    network: _NetworkName = Field(
        description="write a name such as net-east, in quotes if it is a number"
    )
    primary: str | None = Field(
        None, description="write the name of the cluster whose istiod serves this one"
    )
    gateway: StrictBool = Field(False, description="write true or false")
    kind_config: str | None = Field(
        None,
        alias="kind-config",
        min_length=1,
        description="write a name under kind-configs/, or a path relative to this file",
    )


class _TopologyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: _TopologyName = Field(
        description="write a name such as two-primaries, of lower-case letters, digits and hyphens"
    )
    clusters: dict[str, _ClusterEntry] = Field(description=f"write a mapping such as {_CLUSTERS}")


def topology_names() -> tuple[str, ...]:
    """The names of the topologies that travel with meshproof, sorted."""
    return tuple(sorted(path.stem for path in resource("topologies").glob("*.yaml")))


def topology_named(name: str) -> Topology:
    """The topology ``name`` of those that travel with meshproof.

    Raises UsageError when there is none of that name, or its file is at fault.
    """
    if name not in topology_names():
        known = ", ".join(topology_names())
        raise UsageError(f"there is no topology '{name}'", f"choose one of {known}")
    document, topology = _read(resource("topologies") / f"{name}.yaml")
    if topology.name != name:
        cause = f"'name' is {topology.name}, but the file's name is {name}"
        raise document.error(("name",), cause, "make them the same")
    return topology


def read_topology(path: Path) -> Topology:
    """The topology that a file describes; docs/topologies.md says what is in one.

    Raises UsageError, one sentence beginning with "file:line: ", when the file is not YAML, has
    a key or value that it cannot have, names a kind configuration that does not exist, or
    describes what cannot exist in Istio; and without a line when it cannot be read.
    """
    return _read(path)[1]


def _read(path: Path) -> tuple[Document, Topology]:
    document = read_document(path, "topology file", f"write {_EXAMPLE}")
    entries = check(document, document.content, _TopologyFile, _called)
    if entries.name == BARE:
        cause = f"'{BARE}' stands for clusters without a mesh, so no topology can be called that"
        raise document.error(("name",), cause, "choose another name")
    _check_names(document, entries)
    try:
        members = tuple(_member(document, entries, name) for name in entries.clusters)
        topology = Topology(entries.name, members)
    except TopologyError as error:
        raise document.error(error.at, error.cause, error.remedy) from None
    _check_two_with_workloads(document, topology)
    return document, topology


def _called(at: At) -> str:
    """What messages call a place: "cluster west", "'role' of cluster west"."""
    if len(at) == 1:
        return f"'{at[0]}'"
    name = dotted(at[1:2])
    return f"cluster {name}" if len(at) == 2 else f"'{dotted(at[2:])}' of cluster {name}"


def _check_names(document: Document, entries: _TopologyFile) -> None:
    for name in entries.clusters:
        try:
            check_cluster_name(name)
        except ModelError as error:
            raise document.error(("clusters", name), error.cause, error.remedy) from None


def _check_two_with_workloads(document: Document, topology: Topology) -> None:
    """Raise UsageError for what today's suites do not judge; the model knows no such limit."""
    count = len(topology.workloads)
    if count != 2:
        clusters = "cluster" if count == 1 else "clusters"
        raise document.error(
            ("clusters",),
            f"topology {topology.name} has {count} {clusters} with workloads, and the suites judge "
            "two, one with v1 of helloworld and one with v2",
            f"describe two, as in {_CLUSTERS}",
        )


def _member(document: Document, entries: _TopologyFile, name: str) -> Member:
    entry = entries.clusters[name]
    primary = entry.primary if entry.primary is not None else _default_primary(entries, name)
    cluster = _cluster(document, name, entry.kind_config)
    return Member(cluster, entry.role, entry.network, primary, entry.gateway)


def _default_primary(entries: _TopologyFile, name: str) -> str:
    """The primary of a cluster that names none; "" if there is none, which Topology refuses."""
    if entries.clusters[name].role is not Role.REMOTE:
        return name
    primaries = [one for one, entry in entries.clusters.items() if entry.role is not Role.REMOTE]
    if len(primaries) > 1:
        raise TopologyError(
            ("clusters", name),
            f"{name} is a remote and does not say which primary serves it",
            "add " + " or ".join(f"'primary: {one}'" for one in primaries),
        )
    return primaries[0] if primaries else ""


def _cluster(document: Document, name: str, kind_config: str | None) -> Cluster:
    """The cluster ``name``. Raises UsageError when its kind configuration is missing or wrong."""
    at, wanted = ("clusters", name, "kind-config"), kind_config or name
    path = locate_kind_config(wanted, document.path.parent)
    if path is None:
        raise document.error(
            at,
            f"there is no kind configuration {shown(wanted)} for cluster {name}",
            f"set 'kind-config' to one of {', '.join(kind_config_names())}, or to a path relative "
            "to this file",
        )
    try:
        return read_cluster(name, path)
    except UsageError as error:
        raise document.error(at, error.cause, error.remedy) from None
