"""How a cluster is asked while evidence is collected: every question ends in time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from meshproof.errors import EvidenceError, MeshproofError
from meshproof.kube.cluster import Node, RunningCluster
from meshproof.kube.seam import in_words, status_message
from meshproof.telling import shortened

Object = dict[str, Any]
"""A Kubernetes object as its API writes it in JSON."""

_LIMIT = 10.0
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@dataclass(frozen=True, slots=True)
class Found:
    """What goes into a file. ``wrong``: what it shows to be wrong, one line each; ``failed``:
    parts that could not be had; ``connected``: proxies that an istiod knows, as "pod.namespace"
    (None: not its subject)."""

    text: str
    wrong: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    connected: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of evidence, and how its content is found; ``find`` may raise anything."""

    file: str
    find: Callable[[], Found]


@dataclass(frozen=True)
class Clock:
    """The time there is for collecting: ``within`` seconds from now."""

    within: float
    begin: float = field(default_factory=time.monotonic)

    def left(self, limit: float = _LIMIT) -> float:
        """Seconds that a question may take, ``limit`` at most; EvidenceError when none is left."""
        left = self.begin + self.within - time.monotonic()
        if left <= 0:
            raise EvidenceError(f"left out, the {self.within:.0f} s for evidence were up")
        return min(limit, left)


@dataclass(frozen=True)
class Source:
    """One cluster, asked by several threads at once. Secrets are never asked for. ``spaces``: the
    namespaces that are looked at, all where nothing is said: of somebody else's cluster those of
    our making alone."""

    cluster: RunningCluster
    nodes: tuple[Node, ...]
    clock: Clock
    spaces: frozenset[str] | None = None

    def shows(self, namespace: str, name: str) -> bool:
        """Whether an object is looked at. ``namespace``: "" for one that is in none, which of
        somebody else's is shown where it is called as Istio's are."""
        if self.spaces is None:
            return True
        return namespace in self.spaces if namespace else "istio" in name

    @property
    def name(self) -> str:
        """The cluster's name in the topology, such as "east"."""
        return self.cluster.name

    def text(self, path: str, *, accept: str = "*/*", limit: float = _LIMIT, **query: Any) -> str:
        """What the API server answers to GET ``path``. Raises EvidenceError when it refuses,
        urllib3's HTTPError when it does not answer."""
        import urllib3  # which is needed by who asks a cluster, and by nobody who lists tests

        api = self.cluster.api
        auth = api.configuration.auth_settings().values()
        headers = {"Accept": accept, **{entry["key"]: entry["value"] for entry in auth}}
        # Not by the client's own methods: they try again after a time-out, and refuse objects
        # that lack a field.
        response = api.rest_client.pool_manager.request(
            "GET",
            f"{api.configuration.host}{path}{'?' if query else ''}{urlencode(query)}",
            headers=headers,
            timeout=urllib3.Timeout(total=self.clock.left(limit)),
            retries=False,
        )
        body: str = response.data.decode(errors="replace")
        if response.status != 200:
            said = status_message(body)
            raise EvidenceError(f"GET {path} was answered with {response.status}: {said}")
        return body

    def get(self, path: str, *, limit: float = _LIMIT) -> Object:
        """The JSON object that the API server answers to GET ``path``, in ``limit`` seconds."""
        answer: Object = json.loads(self.text(path, accept="application/json", limit=limit))
        return answer

    def items(self, path: str, *, limit: float = _LIMIT) -> list[Object]:
        """The objects of a list, as far as they are looked at."""
        found = self.get(path, limit=limit).get("items") or []
        about = ((one, one["metadata"]) for one in found)
        return [
            one for one, its in about if self.shows(its.get("namespace", ""), its.get("name", ""))
        ]

    def table(self, path: str) -> list[list[str]]:
        """The rows that ``kubectl get -A -o wide`` prints for a list: a heading, then each
        object's namespace and cells, as the API server itself makes them up."""
        table = json.loads(self.text(path, accept=_TABLE))
        names = [column["name"].upper() for column in table["columnDefinitions"]]
        rows = [["NAMESPACE", *names]]
        for row in table["rows"] or []:
            about = row["object"]["metadata"]
            if "namespace" in about and not self.shows(about["namespace"], ""):
                continue
            rows.append([about.get("namespace", "-"), *(str(cell) for cell in row["cells"])])
        return rows

    def on_node(self, node: Node, *argv: str) -> str:
        """What a program on a node prints."""
        return self.cluster.on_node(node, *argv, timeout=self.clock.left()).stdout


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines of text, in columns."""
    cells = [[" ".join(cell.split()) or "-" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "".join(f"{line.rstrip()}\n" for line in lines)


def parts(found: Iterable[tuple[str, Callable[[], str]]]) -> Found:
    """One text of several parts under headings; a part that cannot be had says why instead."""
    text, failed = "", []
    for heading, find in found:
        try:
            said = find()
        except Exception as error:  # whatever it is, the other parts are still wanted
            said = f"not to be had: {one_line(error)}"
            failed.append(f"{heading}: {one_line(error)}")
        text += f"===== {heading}\n{said.rstrip()}\n\n"
    return Found(text, failed=tuple(failed))


def one_line(error: BaseException) -> str:
    """An error in one line of bearable length."""
    # Of our own the remedy is wanted as well.
    return shortened(str(error) if isinstance(error, MeshproofError) else in_words(error), 300)
