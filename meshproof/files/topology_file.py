"""Reads topology files: YAML in, a Topology that can exist out, or one sentence with the line."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)

from meshproof.errors import ModelError, UsageError
from meshproof.files.document import At, Document, read_document, shown
from meshproof.files.kind_config import kind_config_names, locate_kind_config, read_cluster
from meshproof.files.schema import check, dotted
from meshproof.model import (
    Cluster,
    Exposure,
    Gateway,
    Machine,
    Member,
    MeshSpec,
    Placement,
    Role,
    Topology,
    TopologyError,
)
from meshproof.model.clusters import GATEWAY_PORTS, check_cluster_name
from meshproof.model.exposure import ZONE
from meshproof.model.member import TLS_PORT
from meshproof.resources import resource

BARE = "bare"
BARE_NODES = "bare-nodes"
BARES = (BARE, BARE_NODES)
"""What the command line calls clusters without a mesh, beside the topologies' names: of one node
each, and of several."""

# It is part of files' names, folders' and test ids.
_TopologyName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
# What Kubernetes allows as a label's value: the network ends up in topology.istio.io/network.
_NetworkName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$", max_length=63)
]
_LabelValue = Annotated[
    str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$", max_length=63)
]
_CLUSTERS = "{east: {role: primary, network: shared}, west: {role: primary, network: shared}}"
_EXAMPLE = f"{{name: mine, clusters: {_CLUSTERS}}}"


_HOLDERS = {"meshes": "mesh", "machines": "machine"}
_VERSIONS = "write a list such as [v1, v2], or instances by version such as {v1: 1, v2: 3}"
_GATEWAY = "write true, false, or a mapping such as {port: 15443, hostname: true}"
# Those of a gateway's other tasks: discovery, webhooks, and its own health.
_TAKEN_PORTS = frozenset(GATEWAY_PORTS) - {TLS_PORT}


def _as_mapping(value: object) -> object:
    """A gateway that is only said to be there is one without anything special."""
    by_word: dict[object, object] = {True: {}, False: None, None: ""}
    return by_word[value] if value is None or isinstance(value, bool) else value


def _counted(value: object) -> object:
    """Versions without numbers have one instance each."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return dict.fromkeys(value, 1) if len(set(value)) == len(value) else value
    return value


def _free(port: int) -> int:
    if port in _TAKEN_PORTS:
        raise ValueError(f"a gateway has other tasks on port {port}")
    return port


class _GatewayEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    port: Annotated[StrictInt, AfterValidator(_free)] = Field(
        TLS_PORT,
        ge=1,
        le=65535,
        description=f"write a port that is not {', '.join(map(str, sorted(_TAKEN_PORTS)))}",
    )
    hostname: StrictBool = Field(
        False,
        description="write true for a gateway that is announced by a host name, which the lab "
        "chooses, or false",
    )


class _MeshEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    REMEDY: ClassVar = "write a mapping such as {trust-domain: one.example, root: shared}"
    trust_domain: str = Field(
        MeshSpec().trust_domain,
        alias="trust-domain",
        description="write a DNS name such as one.example",
    )
    root: str = Field(
        MeshSpec().root, min_length=1, description="write a name; meshes of one name share a root"
    )


class _ClusterEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    REMEDY: ClassVar = "write a mapping such as {role: primary, network: shared}"
    role: Role = Field(description="write primary, remote, external or host")
    network: _NetworkName = Field(
        description="write a name such as net-east, in quotes if it is a number"
    )
    primary: str | None = Field(
        None, description="write the name of the cluster whose istiod serves this one"
    )
    gateway: Annotated[_GatewayEntry | None, BeforeValidator(_as_mapping)] = Field(
        None, description=_GATEWAY
    )
    mesh: str | None = Field(None, description="write the name of one of the 'meshes'")
    reads: list[str] | None = Field(
        None, description="write a list of clusters such as [west], or [] for none"
    )
    versions: Annotated[dict[str, StrictInt] | None, BeforeValidator(_counted)] = Field(
        None, description=_VERSIONS
    )
    region: _LabelValue = Field("", description="write a name such as r1")
    zones: list[_NetworkName] = Field([], description="write a list such as [r1-a, r1-b]")
    manages: list[str] | None = Field(
        None, description="write a list of clusters such as [east, west], which a host manages"
    )
    kind_config: str | None = Field(
        None,
        alias="kind-config",
        min_length=1,
        description="write a name under kind-configs/, or a path relative to this file",
    )


class _MachineEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    REMEDY: ClassVar = "write a mapping such as {network: net-east, version: v3}"
    network: _NetworkName = Field(
        description="write a cluster's network, or a name such as net-machines for one of its own"
    )
    primary: str | None = Field(
        None, description="write the name of the cluster whose istiod serves this machine"
    )
    version: str | None = Field(
        None, description="write a version such as v3, or leave it out where none runs on it"
    )
    region: _LabelValue = Field("", description="write a name such as r1")
    zone: _LabelValue = Field("", description="write a name such as r1-a")


class _ExposureEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    REMEDY: ClassVar = "write services and to whom, as in {helloworld.sample: {to: [east]}}"
    to: list[str] = Field(description="write a list of meshes or clusters such as [east]")
    under: str | None = Field(
        None, alias="as", description=f"write a name such as helloworld.sample.{ZONE}"
    )


class _TopologyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: _TopologyName = Field(
        description="write a name such as two-primaries, of lower-case letters, digits and hyphens"
    )
    meshes: dict[_TopologyName, _MeshEntry] = Field(
        {}, description="write a mapping such as {one: {trust-domain: one.example}}"
    )
    clusters: dict[str, _ClusterEntry] = Field(description=f"write a mapping such as {_CLUSTERS}")
    exposes: dict[str, dict[str, _ExposureEntry]] = Field(
        {},
        description="write a mapping such as {west: {helloworld.sample: {to: [east]}}}",
    )
    machines: dict[str, _MachineEntry] = Field(
        {}, description="write a mapping such as {shop: {network: net-east, version: v3}}"
    )


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
    if entries.name in BARES:
        name = entries.name
        cause = f"'{name}' stands for clusters without a mesh, so no topology can be called that"
        raise document.error(("name",), cause, "choose another name")
    _check_names(document, entries)
    try:
        members = tuple(_member(document, entries, name) for name in entries.clusters)
        machines = tuple(_machine(entries, name) for name in entries.machines)
        topology = Topology(
            entries.name, members, _placements(entries), _exposures(entries), machines
        )
    except TopologyError as error:
        raise document.error(error.at, error.cause, error.remedy) from None
    return document, topology


def _called(at: At) -> str:
    """What messages call a place: "cluster west", "'role' of cluster west"."""
    if len(at) == 1:
        return f"'{at[0]}'"
    if at[0] == "exposes":
        return _called_of_exposures(at)
    holder = f"{_HOLDERS.get(str(at[0]), 'cluster')} {dotted(at[1:2])}"
    return holder if len(at) == 2 else f"'{dotted(at[2:])}' of {holder}"


def _called_of_exposures(at: At) -> str:
    """The same of what is exposed: "'to' of helloworld.sample, which west exposes"."""
    if len(at) == 2:
        return f"what {dotted(at[1:])} exposes"
    said = f"{at[2]}, which {dotted(at[1:2])} exposes"
    return f"'{dotted(at[3:])}' of {said}" if len(at) > 3 else said


def _check_names(document: Document, entries: _TopologyFile) -> None:
    for name in entries.clusters:
        try:
            check_cluster_name(name)
        except ModelError as error:
            raise document.error(("clusters", name), error.cause, error.remedy) from None


def _member(document: Document, entries: _TopologyFile, name: str) -> Member:
    entry = entries.clusters[name]
    primary = entry.primary if entry.primary is not None else _default_primary(entries, name)
    cluster = _cluster(document, name, entry.kind_config)
    return Member(
        cluster,
        entry.role,
        entry.network,
        primary,
        _gateway(entry.gateway),
        _mesh(entries, name, primary),
        None if entry.reads is None else tuple(dict.fromkeys(entry.reads)),
        entry.region,
        tuple(entry.zones),
        None if entry.manages is None else tuple(dict.fromkeys(entry.manages)),
    )


def _gateway(entry: _GatewayEntry | None) -> Gateway | None:
    return Gateway(entry.port, entry.hostname) if entry is not None else None


def _mesh(entries: _TopologyFile, name: str, primary: str) -> MeshSpec:
    """The mesh of a cluster: the one that it names, that of its primary, or the only one. A host
    is in none, which the usual one stands for."""
    if entries.clusters[name].role is Role.HOST:
        if entries.clusters[name].mesh is not None:
            cause = f"{name} is a host, so it is in no mesh"
            raise TopologyError(("clusters", name, "mesh"), cause, "leave 'mesh' out")
        return MeshSpec()
    served_by = entries.clusters.get(primary)
    named = entries.clusters[name].mesh or (served_by.mesh if served_by is not None else None)
    known = list(entries.meshes)
    if named is None and len(known) > 1:
        raise TopologyError(
            ("clusters", name),
            f"{name} does not say which mesh it is in",
            "add " + " or ".join(f"'mesh: {one}'" for one in known),
        )
    chosen = named if named is not None else next(iter(known), None)
    if chosen is None:
        return MeshSpec()
    if chosen not in known:
        raise TopologyError(
            ("clusters", name, "mesh"),
            f"the mesh of {name} is {shown(chosen)}, which is none of the 'meshes'",
            f"name {' or '.join(known)}" if known else f"add 'meshes: {{{chosen}: {{}}}}'",
        )
    entry = entries.meshes[chosen]
    return MeshSpec(chosen, entry.trust_domain, entry.root)


def _placements(entries: _TopologyFile) -> tuple[Placement, ...]:
    """Where versions run: as each cluster says; one that says nothing has the next free one."""
    given = [one for entry in entries.clusters.values() for one in entry.versions or {}]
    free = (one for one in map("v{}".format, count(1)) if one not in given)
    found: list[Placement] = []
    for name, entry in entries.clusters.items():
        if entry.versions is not None:
            found += [Placement(one, name, number) for one, number in entry.versions.items()]
        elif entry.role not in (Role.EXTERNAL, Role.HOST):
            found.append(Placement(next(free), name))
    if entries.clusters and not found:
        raise TopologyError(
            ("clusters",),
            "no version of helloworld runs anywhere, so there is nothing to call",
            "give one of the clusters 'versions: [v1]'",
        )
    return tuple(found)


def _machine(entries: _TopologyFile, name: str) -> Machine:
    entry = entries.machines[name]
    return Machine(
        name,
        entry.network,
        entry.primary if entry.primary is not None else _serving(entries, name),
        entry.version or "",
        entry.region,
        entry.zone,
    )


def _serving(entries: _TopologyFile, machine: str) -> str:
    """The primary of a machine that names none: the only one on its network, or the only one; ""
    where there is none, which Topology refuses."""
    primaries = {
        name: one.network for name, one in entries.clusters.items() if one.role is Role.PRIMARY
    }
    network = entries.machines[machine].network
    near = [name for name, where in primaries.items() if where == network]
    able = near if len(near) == 1 else list(primaries)
    return _only(able, ("machines", machine), f"{machine} does not say which primary serves it")


def _exposures(entries: _TopologyFile) -> tuple[Exposure, ...]:
    """What meshes expose, each under the name given, or that of the service in the zone."""
    return tuple(
        Exposure(
            provider,
            service,
            tuple(dict.fromkeys(entry.to)),
            entry.under if entry.under is not None else f"{service}.{ZONE}",
        )
        for provider, services in entries.exposes.items()
        for service, entry in services.items()
    )


def _default_primary(entries: _TopologyFile, name: str) -> str:
    """The primary of a cluster that names none; "" if there is none, which Topology refuses."""
    if entries.clusters[name].role is not Role.REMOTE:
        return name
    others = (Role.REMOTE, Role.HOST)
    primaries = [one for one, entry in entries.clusters.items() if entry.role not in others]
    cause = f"{name} is a remote and does not say which primary serves it"
    return _only(primaries, ("clusters", name), cause)


def _only(primaries: list[str], at: tuple[str, ...], cause: str) -> str:
    """The one that there is; "" for none. Raises TopologyError where there are several."""
    if len(primaries) > 1:
        raise TopologyError(
            at, cause, "add " + " or ".join(f"'primary: {one}'" for one in primaries)
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
