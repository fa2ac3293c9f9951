"""Reads which clusters of one's own a run is to have: words of the command line, or a file of them,
and the kubeconfigs that they name. Of these no credential is looked at, kept or shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from meshproof.errors import ModelError, UsageError
from meshproof.files.document import read_bytes, read_document, shown_path
from meshproof.model.clusters import check_cluster_name
from meshproof.model.own_cluster import OwnCluster
from meshproof.nearest import choose
from meshproof.paths import named

_OPTION = "--cluster"
_WRITE = f"write it as in {_OPTION} east=FILE:CONTEXT"
_ENTRY = "write an entry as in 'east: {kubeconfig: FILE, context: NAME}' below 'clusters:'"
_WRONG = {  # by pydantic's types of errors, whose own words are for programmers
    "extra_forbidden": "the key '{}' is unknown",
    "missing": "'{}' is missing",
    "string_type": "'{}' is no text",
    "too_short": "'{}' names none",
}
_BEGIN = "begin it with 'clusters:', and below that one cluster by its name"


class _Entry(BaseModel):
    """A cluster as the file of them has it."""

    model_config = ConfigDict(strict=True, extra="forbid")
    kubeconfig: str
    context: str = ""
    api: str = ""
    pods: str = ""
    services: str = ""


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    clusters: dict[str, _Entry] = Field(min_length=1)


class _Named(BaseModel):
    """What kubeconfigs have lists of; what else an entry says is not looked at."""

    name: str


class _Context(BaseModel):
    cluster: str = ""


class _NamedContext(_Named):
    context: _Context = _Context()


class _Server(BaseModel):
    server: str = ""
    proxy: str = Field(default="", alias="proxy-url")


class _NamedServer(_Named):
    cluster: _Server = _Server()


class _Kubeconfig(BaseModel):
    """As https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ has it, without users."""

    current: str = Field(default="", alias="current-context")
    contexts: list[_NamedContext] | None = None
    clusters: list[_NamedServer] | None = None


_KUBECONFIG = TypeAdapter(_Kubeconfig)


def read_own_clusters(words: Sequence[str], file: Path | None) -> tuple[OwnCluster, ...]:
    """The clusters that are named, by words "name=FILE:CONTEXT" and by a file, in this order.

    Without a context that is meant which the kubeconfig says is current. Raises UsageError, one
    sentence, for what cannot be: two of one name, a context that is missing, a proxy.
    """
    found = [*map(_of_word, words), *(_of_file(file) if file is not None else ())]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"cluster {twice} is named twice", "leave one of the two out")
    return tuple(found)


def _of_word(word: str) -> OwnCluster:
    name, equals, said = word.partition("=")
    if not (name and equals and said):
        raise UsageError(f"{_OPTION} '{word}' names no cluster and file", _WRITE)
    _check_name(name, f"{_OPTION} '{word}'")
    text, context = _apart(said)
    return _found(name, named("a kubeconfig", str(Path(text).expanduser())), context)


def _apart(said: str) -> tuple[str, str]:
    """A file and a context. Contexts may have colons, as those of AWS do (arn:aws:eks:…), and so
    may files: what is there as a file decides."""
    places = [at for at, letter in enumerate(said) if letter == ":"]
    for at in reversed(places):
        if Path(said[:at]).expanduser().is_file():
            return said[:at], said[at + 1 :]
    if not places or Path(said).expanduser().is_file():
        return said, ""
    return said[: places[0]], said[places[0] + 1 :]


def _of_file(path: Path) -> list[OwnCluster]:
    document = read_document(path, "file of clusters", _BEGIN)
    try:
        known = _File.model_validate(document.content).clusters
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = tuple(first["loc"])
        where = ".".join(map(str, at))
        raise document.error(
            at, _WRONG.get(first["type"], "'{}' is not as it can be").format(where), _ENTRY
        ) from None
    found = []
    for name, one in known.items():
        at = ("clusters", name)
        try:
            _check_name(name, f"'{name}'")
            ranges = {key: _range(key, getattr(one, key)) for key in ("pods", "services")}
            kubeconfig = path.parent / Path(one.kubeconfig).expanduser()
            found.append(_found(name, kubeconfig, one.context, one.api, **ranges))
        except UsageError as error:
            raise document.error(at, error.cause, error.remedy) from None
    return found


def _check_name(name: str, said: str) -> None:
    try:
        check_cluster_name(name)
    except ModelError as error:
        raise UsageError(f"{said}: {error.cause}", error.remedy) from None


def _range(key: str, text: str) -> IPv4Network | None:
    try:
        return IPv4Network(text) if text else None
    except ValueError:
        raise UsageError(
            f"'{key}' is '{text}', which is no range", "write it as in 10.244.0.0/16"
        ) from None


def _found(
    name: str,
    path: Path,
    context: str,
    api: str = "",
    pods: IPv4Network | None = None,
    services: IPv4Network | None = None,
) -> OwnCluster:
    path = path.expanduser()
    known, shown = _kubeconfig(path), shown_path(path)
    contexts = {one.name: one.context for one in known.contexts or ()}
    chosen = context or known.current
    if not chosen:
        raise UsageError(
            f"the kubeconfig {shown} has no current context, and none is named for {name}",
            choose("", contexts),
        )
    if chosen not in contexts:
        raise UsageError(
            f"the kubeconfig {shown} has no context '{chosen}'", choose(chosen, contexts)
        )
    entry = contexts[chosen].cluster
    servers = {one.name: one.cluster for one in known.clusters or ()}
    if entry not in servers or not servers[entry].server:
        raise UsageError(
            f"context '{chosen}' of {shown} leads to cluster '{entry}', of which the file says no "
            "server",
            "let whoever wrote the file write it again",
        )
    if servers[entry].proxy:
        raise UsageError(
            f"context '{chosen}' of {shown} leads by a proxy (proxy-url), and meshproof speaks to "
            "API servers directly",
            "run it where the server is reached without one",
        )
    for url, what in ((servers[entry].server, "server"), *(((api, "api"),) if api else ())):
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise UsageError(
                f"the {what} of {name} is '{url}'", "name it as in https://10.0.0.1:6443"
            )
    return OwnCluster(name, path, chosen, servers[entry].server, entry, api, pods, services)


def _kubeconfig(path: Path) -> _Kubeconfig:
    """What a kubeconfig says, but for who its users are. What is wrong with it is told by its line
    alone: its text may hold a credential."""
    data, shown = read_bytes(path, "kubeconfig"), shown_path(path)
    remedy = "name a file that 'kubectl config view' can read"
    try:
        content: object = yaml.safe_load(data)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark is not None else ""
        raise UsageError(f"the kubeconfig {shown} is no YAML{line}", remedy) from None
    if not isinstance(content, Mapping):
        raise UsageError(f"the kubeconfig {shown} holds no contexts", remedy)
    try:
        return _KUBECONFIG.validate_python(content)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"]))
        raise UsageError(
            f"the kubeconfig {shown} is not as they are at '{where}'", remedy
        ) from None


def check_all_named(own: Iterable[OwnCluster], needed: Mapping[str, Sequence[str]]) -> None:
    """Raise UsageError where a topology needs a cluster that nobody named, or one is named that
    none needs. ``needed``: by topology the names of its clusters."""
    names = [one.name for one in own]
    for topology, clusters in needed.items():
        missing = [one for one in clusters if one not in names]
        if missing:
            raise UsageError(
                f"topology {topology} has the clusters {', '.join(clusters)}, and no {_OPTION} "
                f"says which is {' and '.join(missing)}",
                f"add '{_OPTION} {missing[0]}=FILE:CONTEXT'",
            )
    used = {one for clusters in needed.values() for one in clusters}
    idle = [one for one in names if one not in used]
    if idle and needed:
        raise UsageError(
            f"{_OPTION} names {idle[0]}, and no topology that is asked for has a cluster of that "
            "name",
            choose(idle[0], sorted(used)),
        )
