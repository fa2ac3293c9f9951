"""What meshproof asks of a container engine.

podman and docker take the same command lines for nearly all of it; where they differ, a
subclass in ``podman.py`` or ``docker.py`` says how.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from meshproof.errors import CommandError, EngineError
from meshproof.process import Finished, Shell

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
RUN_LABEL = "io.meshproof.run"
STATE_LABEL = "io.meshproof.state"
KIND_LABEL = "io.x-k8s.kind.cluster"


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the engine lists it. ``labels`` as given when it was created."""

    name: str
    running: bool
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Network:
    """An engine network: its bridge on the host, and the labels given when it was created."""

    name: str
    bridge: str
    subnets: tuple[IPv4Network, ...]
    labels: Mapping[str, str]


class Engine(ABC):
    """A running container engine. Failures raise CommandError with what the engine said."""

    name: str
    _version_of: str
    """The side that does the work, as `version --format` calls it: "Client" or "Server"."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._pids: dict[str, tuple[int, str]] = {}

    def command(self, *argv: str, **options: Any) -> Finished:
        """Run one engine command (see ``Shell.run`` for the options)."""
        return self.shell.run([self.name, *argv], **options)

    def version(self) -> str:
        """The engine's own version. Raises EngineError when it is absent or does not answer."""
        template = "{{." + self._version_of + ".Version}}"
        finished = self.command("version", "--format", template, check=False, timeout=20)
        if finished.returncode != 0:
            raise EngineError(f"{self.name} does not answer: {finished.stderr.strip()[:200]}")
        return finished.stdout.strip()

    def check_local(self) -> None:  # noqa: B027 - podman by its command line always is
        """Raises EngineError when the engine's containers run on another machine."""

    # --- images

    def image_id(self, reference: str) -> str | None:
        """The id of a local image, or None. Never pulls."""
        finished = self.command("image", "inspect", "-f", "{{.Id}}", reference, check=False)
        return finished.stdout.strip().removeprefix("sha256:") or None

    def import_rootfs(self, archive: Path, reference: str, changes: Sequence[str] = ()) -> None:
        """Make an image of one layer out of a root file system's tar archive."""
        options = [word for change in changes for word in ("--change", change)]
        self.command("import", *options, str(archive), reference)

    def pull(self, reference: str) -> None:
        """Pull an image (by digest where the caller can: then the engine verifies it)."""
        self.command("pull", reference, timeout=1800)

    def save(self, references: Sequence[str], archive: Path) -> None:
        """Write images into one archive in Docker's format."""
        self.command("save", "-o", str(archive), *references)

    def commit(self, container: str, reference: str, changes: Sequence[str]) -> str:
        """Make an image out of a container's file system; returns the image's id."""
        options = [word for change in changes for word in ("--change", change)]
        return self.command("commit", *options, container, reference).stdout.strip()

    def remove_image(self, reference: str) -> bool:
        """Remove an image; False when containers use it. One that does not exist is no error."""
        self.command("image", "rm", reference, check=False)
        return self.image_id(reference) is None

    # --- containers

    def run_detached(self, name: str, image: str, options: Sequence[str], *argv: str) -> None:
        """Start a container that goes on in the background. ``options``: as for ``run``."""
        self.command("run", "-d", "--name", name, *options, image, *argv)

    def exec(
        self,
        container: str,
        argv: Sequence[str],
        *,
        input: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> Finished:
        """Run a program inside a container and return what it printed.

        The container's namespaces are entered directly, as root on the same machine may: the
        engine's own exec costs several tenths of a second each. What the program leaves running
        ends with the container. Raises EngineError when the container does not run.
        """
        enter = ["nsenter", "-t", str(self.pid(container)), "-m", "-u", "-i", "-n", "-p", "--"]
        clean = ["env", "-i", f"PATH={_PATH}", "LC_ALL=C"]
        return self.shell.run([*enter, *clean, *argv], input=input, check=check, timeout=timeout)

    def read(self, container: str, path: str) -> str | None:
        """What a file in a container says, None when there is none: read where this machine's
        kernel shows the container's files. ``path``: from the root, without a slash in front.

        Raises EngineError when the container does not run.
        """
        try:
            return (Path("/proc") / str(self.pid(container)) / "root" / path).read_text("utf-8")
        except OSError:
            return None

    def pid(self, container: str) -> int:
        """The container's first process as this machine sees it; asked for once while it lives.

        Raises EngineError when the container does not run.
        """
        pid, identity = self._pids.get(container, (0, ""))
        if not _belongs(pid, identity):
            template = "{{.State.Pid}} {{.Id}}"
            finished = self.command("inspect", "-f", template, container, check=False, timeout=20)
            words = finished.stdout.split()
            if len(words) != 2 or words[0] == "0":
                raise EngineError(f"container {container} does not run")
            pid, identity = int(words[0]), words[1]
            if not _belongs(pid, identity):
                raise EngineError(
                    f"container {container} does not run on this machine",
                    f"let {self.name} run here, as root, and not behind a remote socket",
                )
            self._pids[container] = pid, identity
        return pid

    def copy_in(self, source: Path, container: str, target: str) -> None:
        """Copy a file or folder of this machine into a container."""
        self.command("cp", str(source), f"{container}:{target}")

    def logs(self, container: str, lines: int = 30) -> str:
        """The last lines that a container's main program printed."""
        finished = self.command("logs", "--tail", str(lines), container, check=False)
        return finished.stdout + finished.stderr

    def containers(self) -> list[Container]:
        """All containers, also stopped ones."""
        names = self.command("ps", "-a", "-q", "--no-trunc").stdout.split()
        return [_container(entry) for entry in self._inspect("container", names)]

    def remove_containers(self, names: Sequence[str]) -> None:
        """Remove containers, running or not, with their anonymous volumes."""
        if names:
            self.command("rm", "-f", "-v", *self._no_grace(), *names)

    # --- networks and volumes

    def networks(self) -> list[Network]:
        """All networks that have a bridge on this machine."""
        names = self.command("network", "ls", "--format", "{{.Name}}").stdout.split()
        found = [self._network(entry) for entry in self._inspect("network", names)]
        return [network for network in found if network is not None]

    def create_network(
        self,
        name: str,
        subnet: IPv4Network,
        containers: IPv4Network,
        labels: Mapping[str, str],
        *,
        names: bool = False,
    ) -> None:
        """Create a bridge network that gives containers addresses out of ``containers`` only.

        ``names``: containers on it must find each other by name.
        """
        labelled = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
        self.command(
            "network",
            "create",
            *self._network_options(names),
            *("--subnet", str(subnet), "--gateway", str(next(subnet.hosts()))),
            *("--ip-range", str(containers)),
            *labelled,
            name,
        )

    def remove_network(self, name: str) -> None:
        """Remove a network. Raises CommandError while containers are on it."""
        self.command("network", "rm", name)

    def volumes(self) -> dict[str, Mapping[str, str]]:
        """The names of all volumes, each with its labels."""
        names = self.command("volume", "ls", "-q").stdout.split()
        return {
            entry["Name"]: entry.get("Labels") or {} for entry in self._inspect("volume", names)
        }

    def remove_volumes(self, names: Sequence[str]) -> None:
        """Remove volumes that no container uses any more."""
        if names:
            self.command("volume", "rm", "-f", *names)

    # --- how podman and docker differ

    @abstractmethod
    def kind_environment(self, network: str) -> dict[str, str]:
        """The variables that make kind use this engine and this network."""

    @abstractmethod
    def socket_url(self, folder: Path) -> str:
        """The URL of a Docker-compatible API; started in ``folder`` where there is none."""

    @abstractmethod
    def _network_options(self, names: bool) -> list[str]: ...

    @abstractmethod
    def _no_grace(self) -> list[str]: ...

    @abstractmethod
    def _network(self, entry: dict[str, Any]) -> Network | None: ...

    def _inspect(self, what: str, names: Sequence[str]) -> list[dict[str, Any]]:
        """Inspect many at once; those that have gone meanwhile are left out."""
        if not names:
            return []
        finished = self.command(what, "inspect", *names, check=False)
        try:
            entries: list[dict[str, Any]] = json.loads(finished.stdout or "[]")
        except json.JSONDecodeError:
            raise CommandError(
                [self.name, what, "inspect"], finished.returncode, finished.stdout, finished.stderr
            ) from None
        return entries


def _belongs(pid: int, container_id: str) -> bool:
    """Whether a process of this machine is in a container: process ids are used again."""
    try:
        return container_id != "" and container_id in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False


def _container(entry: dict[str, Any]) -> Container:
    return Container(
        name=entry["Name"].lstrip("/"),
        running=bool(entry["State"]["Running"]),
        labels=entry["Config"].get("Labels") or {},
    )
