"""What the doctor knows about this machine; plain data, so that judging it needs no machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path


class Outcome(Enum):
    """How something that was tried on this machine ended."""

    WORKS = "works"
    REFUSED = "refused"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Trial:
    """Something was tried; ``said`` is what the machine answered, or why it was not tried."""

    outcome: Outcome
    said: str = ""


UNTRIED = Trial(Outcome.NOT_TRIED)


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """The engine that the lab would choose. ``name`` is empty when none can be used: then
    ``refusal`` says why, and ``remedy`` what to do where choosing the engine has shown it."""

    wanted: str | None = None
    name: str = ""
    refusal: str = ""
    remedy: str = ""
    version: str = ""
    network_backend: str = ""
    runtime: str = ""
    storage: Path | None = None
    container: Trial = UNTRIED

    @property
    def is_docker(self) -> bool:
        """Whether docker is used, or would be if it answered; without any engine podman is."""
        return (self.name or self.wanted) == "docker"


@dataclass(frozen=True, slots=True)
class Limits:
    """This process's hard limits (None: unlimited) and whether it may exceed them."""

    may_raise: bool
    nofile: int | None
    nproc: int | None


@dataclass(frozen=True, slots=True)
class Cgroups:
    """``mode``: "v2", "v1", "hybrid" or "none"; ``controllers``: as the kernel names them."""

    mode: str
    controllers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ContainersConf:
    """What podman's configuration files say together; empty when they say nothing."""

    ulimits: tuple[str, ...] = ()
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """The file system below ``path``. ``free``: bytes; ``device`` tells file systems apart."""

    use: str
    path: Path
    device: int
    free: int


@dataclass(frozen=True, slots=True)
class Kernel:
    """Kernel features tried in name spaces that ended with the trial. None: cannot be read."""

    nft: Trial = UNTRIED
    iptables: Trial = UNTRIED
    links: Trial = UNTRIED
    netem: Trial = UNTRIED
    overlay: Trial = UNTRIED
    bridge_netfilter: bool | None = None
    ip_forward: bool | None = None
    dropping_chains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """The time now, the newest date among meshproof's own files, and the hardware clock's."""

    now: datetime
    own_files: datetime
    hardware: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is judged. ``memory``: bytes available; ``tools``: programs on the PATH.

    ``published``: binaries and images are downloaded, not built. ``store_filled``: the artifact
    store holds something already. ``go``: its version, or None. ``pools``: how many networks of
    labs each pool has left; None when that cannot be read.
    """

    root: bool
    apt: bool
    published: bool
    engine: EngineFacts
    limits: Limits
    cgroups: Cgroups
    kernel: Kernel
    clock: Clock
    tools: frozenset[str]
    memory: int
    cpus: int
    disks: tuple[Disk, ...]
    store_filled: bool
    lib_modules: bool
    inotify_instances: int | None
    inotify_watches: int | None
    go: str | None
    venv: bool
    containers_conf: ContainersConf = field(default_factory=ContainersConf)
    pools: Mapping[str, int] | None = None
