"""One invocation of meshproof: its record, its programs, its engine and its artifacts."""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import IPv4Network
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from meshproof.artifacts import (
    Bundle,
    HostArtifacts,
    MachineArtifacts,
    OwnBuilds,
    Wanted,
    check_wanted,
    default_wanted,
    istio_version,
    kubernetes_version,
    provide,
    provide_for_clusters,
    provide_host,
    provide_machines,
    unsupported,
)
from meshproof.engine import Engine, choose_engine
from meshproof.events import Listener, Recorder
from meshproof.model.own_cluster import OwnClusters
from meshproof.process import Shell
from meshproof.reading import file_errors

if TYPE_CHECKING:
    from meshproof.lab import Ingredients

_STILL = "Still cleaning up. To leave at once: kill -9, then 'meshproof sweep'."
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose; None where meshproof chooses.

    ``engine``: "podman" or "docker"; ``source``: "published", "built" or "checkout";
    ``checkout``: an Istio source tree; ``own``: builds of Istio that are no releases; ``reports``:
    where the run's folder is made; without it nothing is written down; ``pool``: the range that
    was named for labs' networks; ``unsupported``: whether the Kubernetes may be one that the Istio
    does not support; ``archives``: files with images; ``helm``: whether something is installed by
    Helm, and ``charts``: by which, if not by those of the version; ``clusters``: those of one's
    own that a mesh is judged on, None where they are made.
    """

    engine: str | None = None
    source: str | None = None
    checkout: Path | None = None
    kubernetes: str | None = None
    istio: tuple[str, ...] = ()
    reports: Path | None = None
    pool: IPv4Network | None = None
    own: OwnBuilds = field(default_factory=OwnBuilds)
    unsupported: bool = False
    archives: tuple[Path, ...] = ()
    helm: bool = False
    charts: Path | None = None
    clusters: OwnClusters | None = None


@dataclass
class Session:
    """Made at the start of a command; what it holds is made when first used.

    Where a run has several processes, each has a session: ``worker`` is the process's name, and
    ``place`` the folder that the process which started it has chosen.
    """

    choices: Choices = field(default_factory=Choices)
    listeners: list[Listener] = field(default_factory=list)
    worker: str | None = None
    place: Path | None = None

    def __post_init__(self) -> None:
        if self.place is None and self.choices.reports is not None:
            name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
            self.place = self.choices.reports / name

    @cached_property
    def folder(self) -> Path | None:
        """The run's folder, made now: record and evidence."""
        if self.place is not None:
            with file_errors(self.place, "the run's folder", doing="make"):
                self.place.mkdir(parents=True, exist_ok=True)
        return self.place

    @property
    def record(self) -> Path | None:
        """Where the run's record is, or will be when something has happened."""
        return self.place / "events.jsonl" if self.place is not None else None

    @cached_property
    def recorder(self) -> Recorder:
        """The run's record, in its folder."""
        path = self.record if self.folder is not None else None
        marks = {"worker": self.worker} if self.worker is not None else {}
        return Recorder(path, self.listeners, marks)

    @cached_property
    def shell(self) -> Shell:
        """Runs the programs of this run."""
        return Shell(self.recorder)

    @cached_property
    def engine(self) -> Engine:
        """The container engine. Raises EngineError when there is none."""
        return choose_engine(self.shell, self.choices.engine)

    @cached_property
    def wanted(self) -> Wanted:
        """The versions asked for. Raises UsageError for what is no version."""
        newest = default_wanted()
        chosen = self.choices.kubernetes
        istio = tuple(istio_version(text) for text in self.choices.istio)
        return Wanted(
            kubernetes=newest.kubernetes if chosen is None else kubernetes_version(chosen),
            istio=istio or newest.istio,
            own=self.choices.own,
            unsupported=self.choices.unsupported,
            archives=self.choices.archives,
            helm=self.choices.helm,
            charts=self.choices.charts,
        )

    def check_versions(self) -> None:
        """Raise UsageError for versions that cannot be had; makes and fetches nothing. The
        Kubernetes of clusters of one's own is there already, whatever it is."""
        wanted = self.wanted
        if self.choices.clusters is not None:
            wanted = replace(wanted, kubernetes=default_wanted().kubernetes)
        check_wanted(wanted, self.choices.source, lambda: self.engine)

    @cached_property
    def bundle(self) -> Bundle:
        """The artifacts for the versions asked for, built or fetched now if they must be."""
        if self.choices.checkout is None:
            for said in unsupported(self.wanted.istio, self.wanted.kubernetes):
                self.recorder.emit("notice", text=f"{said}: it is judged all the same, as asked")
        with self.recorder.step("provide the artifacts"):
            for_whom = provide if self.choices.clusters is None else provide_for_clusters
            found = for_whom(
                self.wanted,
                engine=self.engine,
                recorder=self.recorder,
                source=self.choices.source,
                checkout=self.choices.checkout,
            )
        self.recorder.emit(
            "artifacts",
            engine={"name": self.engine.name, "version": self.engine.version()},
            source=found.source,
            digest=found.digest,
            parts=dict(found.parts),
            proxies={str(version): proxy for version, proxy in found.proxies.items()},
            filters_off=list(dict.fromkeys(chain.from_iterable(found.filters_off.values()))),
        )
        return found

    @cached_property
    def machines(self) -> MachineArtifacts:
        """What machines outside Kubernetes are made of, for the versions asked for: made when a
        topology has any."""
        with self.recorder.step("provide what machines are made of"):
            return provide_machines(
                self.wanted,
                engine=self.engine,
                recorder=self.recorder,
                source=self.choices.source,
                checkout=self.choices.checkout,
            )

    @cached_property
    def host(self) -> HostArtifacts:
        """What a host manages its members by: made when a topology has one."""
        with self.recorder.step("provide what a host manages members by"):
            return provide_host(engine=self.engine, recorder=self.recorder)

    def ingredients(self, *, machines: bool = False) -> Ingredients:
        """What a lab is made with, and its ``machines`` if it is to have any. Each lab gets
        programs of its own to be called off alone."""
        from meshproof.lab import Ingredients

        engine = type(self.engine)(Shell(self.recorder))
        image, kind = self.bundle.node_image, self.bundle.kind
        made_of = self.machines if machines else None
        return Ingredients(engine, image, kind, self.recorder, self.choices.pool, made_of)


@contextmanager
def unhurried(say: Callable[[str], None]) -> Iterator[None]:
    """Answer signals inside the block by ``say``, and otherwise ignore them: what goes on there
    must come to its end, or something is left behind."""

    def on_signal(*_: object) -> None:
        say(_STILL)

    with _answering(on_signal):
        yield


@contextmanager
def orderly_end(say: Callable[[str], None]) -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does: by KeyboardInterrupt, once, with cleaning up.

    Further signals while cleaning up are answered by ``say`` and otherwise ignored. The
    handlers before are put back at the end.
    """
    asked: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        asked.append(number)
        if len(asked) > 1:
            say(_STILL)
            return
        raise KeyboardInterrupt

    with _answering(on_signal):
        yield


@contextmanager
def _answering(on_signal: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let ``on_signal`` answer the signals that end a run; the handlers before are put back."""
    # What was ignored stays ignored: nohup relies on it.
    heard = [number for number in _ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, on_signal) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
