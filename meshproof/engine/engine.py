"""What meshproof asks of a container engine.

podman and docker take the same command lines for nearly all of it; where they differ, a
subclass in ``podman.py`` or ``docker.py`` says how. What it prints is read in ``answers.py``.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, TypeVar

from meshproof.engine import answers
from meshproof.engine.names import ENGINES
from meshproof.environment import find_program, for_downloads
from meshproof.errors import CommandTimeoutError, EngineError
from meshproof.process import Finished, Shell
from meshproof.telling import telling_line

Made = TypeVar("Made")

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CLEAN = ("env", "-i", f"PATH={_PATH}", "LC_ALL=C")
RUN_LABEL = "io.meshproof.run"
STATE_LABEL = "io.meshproof.state"
KIND_LABEL = "io.x-k8s.kind.cluster"
_QUICK = 60.0
"""Seconds that an answer about what there is may take."""
_FIRST = 20.0
"""Seconds that the first answer of an engine may take."""
SILENT = 180.0
"""Seconds that an engine which pulls or pushes may neither read nor write. When a registry says
that too much was asked of it engines ask again, after a minute at most."""


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


class OtherEngineError(EngineError):
    """The program of an engine's name is another engine, called ``other``."""

    def __init__(self, name: str, other: str) -> None:
        self.other = other
        super().__init__(f"{name} on this machine is {other}", f"use '--engine {other}'")


class Engine(ABC):
    """A running container engine. Failures raise CommandError with what the engine said, and
    answers that cannot be read EngineError."""

    name: str

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._pids: dict[str, tuple[int, str]] = {}

    def command(self, *argv: str, env: Mapping[str, str] | None = None, **options: Any) -> Finished:
        """Run one engine command (see ``Shell.run`` for the options)."""
        environment = {**self._environment(), **(env or {})}
        return self.shell.run([self.name, *argv], env=environment, **options)

    def version(self) -> str:
        """The engine's own version, such as "4.3.1".

        Raises EngineError when the engine is absent, does not answer, or works on another
        machine; OtherEngineError when the program of its name is another engine.
        """
        if find_program(self.name) is None:
            raise EngineError(f"{self.name} is not installed")
        said = self._first_answer("--version")
        found = answers.says_it_is(f"{said.stdout}\n{said.stderr}", ENGINES)
        if found is None:
            words = telling_line(said.stdout, said.stderr, 120)
            raise EngineError(f"the program {self.name} is no {self.name}: it says '{words}'")
        if found != self.name:
            raise OtherEngineError(self.name, found)
        return self._version()

    def info(self) -> dict[str, Any]:
        """What the engine says of itself, in its own form. Raises EngineError."""
        return answers.object_of(self.command("info", "--format", "{{json .}}", timeout=_FIRST))

    # --- images

    def image_id(self, reference: str) -> str | None:
        """The id of a local image, or None. Never pulls."""
        return self._of_image(reference, "{{.Id}}").removeprefix("sha256:") or None

    def image_size(self, reference: str) -> int:
        """Bytes of a local image, 0 when there is none."""
        size = self._of_image(reference, "{{.Size}}")
        return int(size) if size.isdigit() else 0

    def import_rootfs(self, archive: Path, reference: str, changes: Sequence[str] = ()) -> None:
        """Make an image of one layer out of a root file system's tar archive."""
        options = [word for change in changes for word in ("--change", change)]
        self.command("import", *options, str(archive), reference)

    def pull(self, reference: str) -> None:
        """Pull an image (by digest where the caller can: then the engine verifies it)."""
        self._carried("pull", reference)

    def image_digests(self, reference: str) -> list[str]:
        """The digests, as in "sha256:…", by which registries know a local image; [] for one that
        came from none. An image of several platforms has that of their list as well."""
        said = self._of_image(reference, '{{join .RepoDigests " "}}')
        return list(dict.fromkeys(word.rpartition("@")[2] for word in said.split()))

    def tag(self, reference: str, name: str) -> None:
        """Give a local image another name as well."""
        self.command("tag", reference, name)

    def load(self, archive: Path) -> None:
        """Take in the images of an archive that ``save`` wrote."""
        self.command("load", "-i", str(archive), timeout=1800)

    def save(self, references: Sequence[str], archive: Path) -> None:
        """Write images into one archive in Docker's format."""
        options = [*self._save_options(), "-o", str(archive)]
        self.command("save", *options, *references, timeout=1800)

    def commit(self, container: str, reference: str, changes: Sequence[str]) -> str:
        """Make an image out of a container's file system; returns the image's id."""
        options = [word for change in changes for word in ("--change", change)]
        return answers.digest(self.command("commit", *options, container, reference, timeout=1800))

    def remove_image(self, reference: str) -> bool:
        """Remove an image; False when containers use it. One that does not exist is no error."""
        self.command("image", "rm", reference, check=False)
        return self.image_id(reference) is None

    # --- containers

    def run_detached(self, name: str, image: str, options: Sequence[str], *argv: str) -> None:
        """Start a container that goes on in the background. ``options``: as for ``run``."""
        self.command("run", "-d", "--name", name, *options, image, *argv)

    def run_once(
        self, image: str, program: str, argv: Sequence[str], *, timeout: float = 60.0
    ) -> Finished:
        """Run a program of an image, without network, to its end, whatever that is; nothing is left
        of the container."""
        alone = ["--rm", "--network", "none", "--entrypoint", program]
        return self.command("run", *alone, image, *argv, check=False, timeout=timeout)

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
        return self.shell.run([*enter, *_CLEAN, *argv], input=input, check=check, timeout=timeout)

    def run_in_network(
        self,
        container: str,
        argv: Sequence[str],
        *,
        input: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> Finished:
        """Run a program of this machine, with this machine's files, in a container's network.

        Raises EngineError when the container does not run.
        """
        enter = ["nsenter", "-t", str(self.pid(container)), "-n", "--"]
        return self.shell.run([*enter, *_CLEAN, *argv], input=input, check=check, timeout=timeout)

    def pid(self, container: str) -> int:
        """The container's first process as this machine sees it; asked for once while it lives.

        Raises EngineError when the container does not run.
        """
        pid, identity = self._pids.get(container, (0, ""))
        if not _belongs(pid, identity):
            template = answers.marked("{{.State.Pid}} {{.Id}}")
            finished = self.command(
                "inspect", "-f", template, container, check=False, timeout=_FIRST
            )
            answers.check_only_absent(finished)
            words = next(iter(answers.rows(finished)), "").split()
            if len(words) != 2 or not words[0].isdigit() or words[0] == "0":
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
        ids = self._listed("ps", "-a", "--no-trunc", template="{{.ID}}")
        return self._inspected("container", ids, _container)

    def start(self, names: Sequence[str]) -> None:
        """Start containers that are stopped; those that run go on."""
        self.command("start", *names)

    def stop(self, names: Sequence[str]) -> None:
        """Stop containers; each has ten seconds to end in good order."""
        self.command("stop", "-t", "10", *names)

    def fix_addresses(self, network: str, addresses: Mapping[str, IPv4Address]) -> None:
        """Give stopped containers these addresses on their network, whenever they are started.

        Raises CommandError when the engine cannot.
        """
        for name in addresses:  # first of all, since one may have the address of another
            # One that is not connected, since this was ended midway before, is no error.
            self.command("network", "disconnect", "-f", network, name, check=False)
        for name, address in addresses.items():
            self.command("network", "connect", "--ip", str(address), network, name)

    def remove_containers(self, names: Sequence[str]) -> None:
        """Remove containers, running or not, with their anonymous volumes."""
        if names:
            self.command("rm", "-f", "-v", *self._no_grace(), *names)

    # --- networks and volumes

    def networks(self) -> list[Network]:
        """All networks that have a bridge on this machine."""
        names = self._listed("network", "ls", template="{{.Name}}")
        found = self._inspected("network", names, self._network)
        return [network for network in found if network is not None]

    def create_network(
        self,
        name: str,
        subnet: IPv4Network,
        containers: IPv4Network,
        labels: Mapping[str, str],
    ) -> None:
        """Create a bridge network that gives containers addresses out of ``containers`` only."""
        labelled = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
        self.command(
            "network",
            "create",
            *self._network_options(),
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
        names = self._listed("volume", "ls", template="{{.Name}}")
        return dict(self._inspected("volume", names, _volume))

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
    def push(self, reference: str) -> str:
        """Push a local image to the registry that its name says; returns the digest, as in
        "sha256:…", by which it is there. That is not always one of ``image_digests``: layers are
        compressed on the way."""

    @abstractmethod
    def _save_options(self) -> list[str]: ...

    @abstractmethod
    def _network_options(self) -> list[str]: ...

    @abstractmethod
    def _no_grace(self) -> list[str]: ...

    @abstractmethod
    def _network(self, entry: dict[str, Any]) -> Network | None: ...

    @abstractmethod
    def _version(self) -> str:
        """The version, once the program is known to be this engine's. Raises EngineError."""

    def _environment(self) -> Mapping[str, str]:
        """What the engine's own program finds in its environment besides."""
        return {}

    def _carried(self, *argv: str) -> Finished:
        """Run what carries an image from a registry or to one. One that falls silent is not waited
        for: engines do so for ever. Raises CommandTimeoutError then."""
        return self.command(*argv, timeout=3600, silent=SILENT, env=for_downloads(os.environ))

    # --- asking

    def _first_answer(self, *argv: str) -> Finished:
        """Ask what any engine that works answers at once; its exit code is the caller's to judge.

        Raises EngineError when no answer comes.
        """
        try:
            return self.command(*argv, check=False, timeout=_FIRST)
        except CommandTimeoutError as error:
            cause = f"{self.name} does not answer: nothing within {error.seconds:.0f} s"
            raise EngineError(cause) from None

    def _silent(self, finished: Finished) -> EngineError:
        """The error for an engine whose program says that it cannot be reached."""
        words = telling_line(finished.stderr, finished.stdout, 200)
        return EngineError(f"{self.name} does not answer: {words}")

    def _of_image(self, reference: str, template: str) -> str:
        """One field of a local image; empty when there is no such image."""
        question = ("image", "inspect", "-f", answers.marked(template), reference)
        finished = self.command(*question, check=False, timeout=_QUICK)
        answers.check_only_absent(finished)
        return next(iter(answers.rows(finished)), "")

    def _listed(self, *question: str, template: str) -> list[str]:
        finished = self.command(*question, "--format", answers.marked(template), timeout=_QUICK)
        return answers.rows(finished)

    def _inspected(
        self, what: str, names: Sequence[str], read: Callable[[dict[str, Any]], Made]
    ) -> list[Made]:
        """Inspect many at once; those that have gone meanwhile are left out."""
        if not names:
            return []
        finished = self.command(what, "inspect", *names, check=False, timeout=_QUICK)
        answers.check_only_absent(finished)
        with answers.understood(finished):
            return [read(entry) for entry in answers.objects(finished)]


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


def _volume(entry: dict[str, Any]) -> tuple[str, Mapping[str, str]]:
    return entry["Name"], entry.get("Labels") or {}
