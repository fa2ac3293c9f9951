"""Reads topology files: YAML in, a Topology that can exist out, or one sentence with the line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import ErrorDetails

from meshproof.errors import UsageError
from meshproof.lab.kind_config import read_cluster
from meshproof.model import Cluster, Member, Role, Topology, TopologyError
from meshproof.resources import resource

_TopologyName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_ClusterName = Annotated[str, Field(pattern=r"^[a-z]+$")]
# What Kubernetes allows as a label's value: the network ends up in topology.istio.io/network.
_NetworkName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")]
_EXAMPLE = "{name: mine, clusters: {east: {role: primary, network: shared}}}"
_CLUSTER = "write a mapping such as {role: primary, network: shared}"
_WRITE = {
    "name": "write a name such as two-primaries, of lower-case letters, digits and hyphens",
    "clusters": "write a mapping such as {east: {role: primary, network: shared}}",
    "role": "write primary, remote or external",
    "network": "write a name such as net-east, in quotes if it is a number",
    "primary": "write the name of the cluster whose istiod serves this one",
    "gateway": "write true or false",
    "kind-config": "write a name under kind-configs/, or a path relative to this file",
}


class _ClusterEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    role: Role
    network: _NetworkName
    primary: str | None = None
    gateway: StrictBool = False
    kind_config: str | None = Field(default=None, alias="kind-config")


class _TopologyFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: _TopologyName
    clusters: dict[_ClusterName, _ClusterEntry]


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
    path = resource("topologies") / f"{name}.yaml"
    topology = read_topology(path)
    if topology.name != name:
        cause = f"'name' is {topology.name}, but the file's name is {name}"
        raise _parse(path).error(("name",), cause, "make them the same")
    return topology


def read_topology(path: Path) -> Topology:
    """The topology that a file describes; docs/topologies.md says what is in one.

    Raises UsageError, one sentence beginning with "file:line: ", when the file is not YAML, has
    a key or value that it cannot have, names a kind configuration that does not exist, or
    describes what cannot exist in Istio; and without a line when it cannot be read.
    """
    document = _parse(path)
    entries = _validate(document)
    try:
        members = tuple(_member(document, entries, name) for name in entries.clusters)
        return Topology(entries.name, members)
    except TopologyError as error:
        raise document.error(error.at, error.cause, error.remedy) from None


@dataclass(frozen=True, slots=True)
class _Document:
    """A file's YAML nodes, which know their lines."""

    path: Path
    root: yaml.Node

    def line(self, at: Sequence[str | int]) -> int:
        """The line of the key that a path of keys leads to, or of its nearest existing parent."""
        node, mark = self.root, self.root.start_mark
        for step in at:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            found = next((pair for pair in pairs if pair[0].value == step), None)
            if found is None:
                break
            mark, node = found[0].start_mark, found[1]
        return mark.line + 1

    def error(self, at: Sequence[str | int], cause: str, remedy: str) -> UsageError:
        """An error that begins with the file and the line of ``at``."""
        return _error(self.path, self.line(at), cause, remedy)


def _error(path: Path, line: int, cause: str, remedy: str) -> UsageError:
    return UsageError(f"{path}:{line}: {cause}", remedy)


def _parse(path: Path) -> _Document:
    """The nodes of a file. Raises UsageError when it is missing, empty or not YAML."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise UsageError(f"there is no topology file {path}", "name one that exists") from None
    except OSError as error:
        cause = f"cannot read the topology file {path} ({error.strerror})"
        raise UsageError(cause, "name another") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _error(path, line, "this is not UTF-8", "save the file as UTF-8") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _error(path, line, f"this is not YAML ({error.reason})", "remove them") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        why = ", ".join(part for part in (error.context, error.problem) if part)
        raise _error(path, line, f"this is not YAML ({why})", f"write {_EXAMPLE}") from None
    except RecursionError:
        raise _error(path, 1, "this is nested too deeply", f"write {_EXAMPLE}") from None
    if root is None or root.value == "":
        raise _error(path, 1, "the file is empty", f"write at least {_EXAMPLE}")
    document = _Document(path, root)
    if not isinstance(root, yaml.MappingNode):
        raise document.error((), "this is not a mapping", f"write {_EXAMPLE}")
    return document


def _validate(document: _Document) -> _TopologyFile:
    """The file's content. Raises UsageError for a key or value that it cannot have."""
    try:
        return _TopologyFile.model_validate(_plain(document, document.root))
    except ValidationError as error:
        # A key that is unknown goes first: it explains why another one is missing.
        first = min(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")
        raise document.error(first["loc"], *_explain(first)) from None


def _plain(document: _Document, node: yaml.Node, depth: int = 3) -> object:
    """A node as dicts, lists and scalars. Raises UsageError for a key that comes twice.

    Keys are text as written, so that a cluster may be called "no"; so are values that are
    neither empty nor truth values nor numbers. ``depth``: how many mappings lie in one another
    (the file, its clusters, a cluster); what lies deeper is left out.
    """
    if isinstance(node, yaml.SequenceNode):
        return []
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node)
    lines: dict[str, int] = {}
    content: dict[str, object] = {}
    for key, value in node.value if depth else ():
        name, line = key.value, key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _error(document.path, line, "a key is not a word", f"write {_EXAMPLE}")
        if name in lines:
            cause = f"the key {name!r} comes a second time, after line {lines[name]}"
            raise _error(document.path, line, cause, "rename or remove one of the two")
        lines[name] = line
        content[name] = _plain(document, value, depth - 1)
    return content


def _scalar(node: yaml.Node) -> object:
    if node.tag.rpartition(":")[2] in ("null", "bool", "int", "float"):
        with suppress(KeyError, ValueError):  # a tag that does not fit, such as "!!int two"
            return yaml.constructor.SafeConstructor().construct_object(node)
    return node.value


def _explain(detail: ErrorDetails) -> tuple[str, str]:
    """Cause and remedy for what pydantic found."""
    *parents, key = (str(step) for step in detail["loc"])
    if key == "[key]":
        return f"{parents[-1]!r} is no name for a cluster", "use a word of lower-case letters"
    of = f" of cluster {parents[-1]}" if len(parents) == 2 else ""
    if detail["type"] == "extra_forbidden":
        model = _ClusterEntry if of else _TopologyFile
        known = [field.alias or name for name, field in model.model_fields.items()]
        near = get_close_matches(key.lower(), known)
        wanted = f"did you mean {' or '.join(near)}" if near else f"it can be {', '.join(known)}"
        return f"the key {key!r}{of} is unknown", wanted
    what, remedy = (f"cluster {key}", _CLUSTER) if len(parents) == 1 else (f"'{key}'{of}", "")
    said = "is missing" if detail["type"] == "missing" else f"cannot be {_shown(detail['input'])}"
    return f"{what} {said}", remedy or _WRITE[key]


def _shown(value: object) -> str:
    words: dict[type, str] = {dict: "a mapping", list: "a list", type(None): "empty"}
    return words.get(type(value), str(value).lower() if isinstance(value, bool) else repr(value))


def _member(document: _Document, entries: _TopologyFile, name: str) -> Member:
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


def _cluster(document: _Document, name: str, kind_config: str | None) -> Cluster:
    """The cluster ``name``. Raises UsageError when its kind configuration is missing or wrong."""
    at = ("clusters", name, "kind-config")
    wanted, folder = kind_config or name, resource("kind-configs")
    is_path = "/" in wanted or wanted.endswith((".yaml", ".yml"))
    path = document.path.parent / wanted if is_path else folder / f"{wanted}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.yaml")))
        raise document.error(
            at,
            f"there is no kind configuration {wanted!r} for cluster {name}",
            f"set 'kind-config' to one of {known}, or to a path relative to this file",
        )
    try:
        return read_cluster(name, path)
    except UsageError as error:
        raise document.error(at, error.cause, error.remedy) from None
