"""A Docker daemon in a network namespace of its own, with all that it keeps in one folder: what it
makes of bridges and of iptables' rules this machine's other networks never see."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from meshproof.process import Shell
from meshproof.wait import eventually

NAMESPACE = "meshproof-docker"
_SECONDS = 180.0
"""That the daemon may take to begin or to end; on a busy machine its rules take their time."""
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Daemon:
    """``folder``: for everything; ``programs``: where docker and dockerd are."""

    folder: Path
    programs: Path

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/docker.sock"

    @property
    def log(self) -> Path:
        return self.folder / "dockerd.log"

    def argv(self) -> list[str]:
        """The daemon's command line. No default bridge: nothing here needs one."""
        return [
            *(str(self.programs / "dockerd"), "--host", self.host, "--bridge", "none"),
            *("--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/run"),
            *("--pidfile", f"{self.folder}/dockerd.pid"),
            *("--config-file", f"{self.folder}/daemon.json"),
        ]

    def environment(self, of: dict[str, str]) -> dict[str, str]:
        """What a program of this daemon's finds. ``of``: what it would find otherwise."""
        return {
            **of,
            "PATH": f"{self.programs}:{of['PATH']}",
            "DOCKER_HOST": self.host,
            "DOCKER_CONFIG": f"{self.folder}/config",
        }


def inside(*argv: str) -> list[str]:
    """A command line in the namespace. Not by 'ip netns exec', which hides the mounts below /sys,
    and with them all control groups."""
    return ["nsenter", f"--net=/run/netns/{NAMESPACE}", "--", *argv]


@contextmanager
def running(daemon: Daemon, shell: Shell) -> Iterator[None]:
    """The daemon runs inside the block; afterwards it, its namespace, its mounts, its control
    groups and its data are gone. Raises SystemExit when it does not start, or leaves a mount."""
    shell.run(["ip", "netns", "add", NAMESPACE])
    try:
        shell.run(inside("ip", "link", "set", "lo", "up"))
        (daemon.folder / "daemon.json").write_text("{}", encoding="utf-8")
        environment = daemon.environment(shell.environment())
        with daemon.log.open("wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *inside(*daemon.argv())],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            _await(daemon, process, shell, environment)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS)
            process.kill()  # which is nothing where it has ended
            process.wait()
    finally:
        shell.run(["ip", "netns", "delete", NAMESPACE], check=False)
        _clear(daemon.folder, shell)


def _await(
    daemon: Daemon, process: subprocess.Popen[bytes], shell: Shell, environment: dict[str, str]
) -> None:
    asked = [str(daemon.programs / "docker"), "version"]

    def answers() -> bool:
        return shell.run(asked, env=environment, check=False, timeout=20).returncode == 0

    def ended() -> str | None:
        if process.poll() is None:
            return None
        return f"dockerd ended: {daemon.log.read_text(errors='replace')[-600:]}"

    eventually(answers, what="dockerd", within=_SECONDS, fail_if=lambda _: ended())


def _clear(folder: Path, shell: Shell) -> None:
    for place in reversed(mounts_below(folder, Path("/proc/mounts").read_text())):
        shell.run(["umount", place], check=False)
    left = mounts_below(folder, Path("/proc/mounts").read_text())
    if left:
        raise SystemExit(f"mounts of dockerd's stay: {', '.join(left)}")
    for name in ("data", "run", "config"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for group in (*_CGROUPS.glob("*/docker"), *_CGROUPS.glob("docker")):
        for one in sorted((*group.rglob("*/"), group), reverse=True):
            if one.is_dir():
                shell.run(["rmdir", str(one)], check=False)


def mounts_below(folder: Path, mounts: str) -> Sequence[str]:
    """What is mounted in a folder, by the lines of /proc/mounts, in their order."""
    places = (line.split()[1] for line in mounts.splitlines() if line.strip())
    return [place for place in places if Path(place).is_relative_to(folder)]
