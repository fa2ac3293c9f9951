"""Reads this machine's files: /proc, /sys and configuration. Runs nothing, changes nothing."""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import meshproof
from meshproof.doctor.facts import Cgroups, Clock, ContainersConf, Disk, Limits
from meshproof.environment import find_program
from meshproof.paths import store_dir

CAP_SYS_RESOURCE = 24  # linux/capability.h
PROGRAMS = (
    "conntrack",
    "debootstrap",
    "git",
    "ip",
    "iptables",
    "nft",
    "podman",
    "runc",
    "sysctl",
    "tc",
    "unshare",
)


def tools() -> frozenset[str]:
    """Those of the programs that the lab uses which are on the PATH."""
    return frozenset(program for program in PROGRAMS if find_program(program))


def has_apt() -> bool:
    """Whether this is a Debian or one of its children, with apt-get."""
    return Path("/etc/debian_version").exists() and find_program("apt-get") is not None


def number(path: Path) -> int | None:
    """The number in a file such as those below /proc/sys, or None."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def switch(path: Path) -> bool | None:
    """A number read as on or off, or None."""
    value = number(path)
    return None if value is None else value != 0


def limits(status: Path = Path("/proc/self/status")) -> Limits:
    """This process's hard limits, and whether CAP_SYS_RESOURCE is in force (see setrlimit(2))."""
    capabilities = 0
    for line in status.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            capabilities = int(line.split()[1], 16)
    return Limits(
        may_raise=bool(capabilities >> CAP_SYS_RESOURCE & 1),
        nofile=_hard(resource.RLIMIT_NOFILE),
        nproc=_hard(resource.RLIMIT_NPROC),
    )


def _hard(which: int) -> int | None:
    value = resource.getrlimit(which)[1]
    return None if value == resource.RLIM_INFINITY else value


def cgroups(mount: Path = Path("/sys/fs/cgroup")) -> Cgroups:
    """The cgroup mode, by the layout that systemd gives it (systemd.io/CGROUP_DELEGATION)."""
    unified = mount / "cgroup.controllers"
    if unified.is_file():
        return Cgroups("v2", frozenset(unified.read_text(encoding="ascii").split()))
    if not mount.is_dir():
        return Cgroups("none")
    # "cpu,cpuacct" is one hierarchy with two controllers.
    found = {name for entry in mount.iterdir() if entry.is_dir() for name in entry.name.split(",")}
    controllers = frozenset(found - {"unified", "systemd"})
    if (mount / "unified" / "cgroup.controllers").is_file():
        return Cgroups("hybrid", controllers)
    return Cgroups("v1", controllers) if "memory" in controllers else Cgroups("none")


def containers_conf(etc: Path = Path("/etc/containers")) -> ContainersConf:
    """What podman's files say, later ones winning (containers.conf(5)).

    A file that podman itself could not read is passed over: podman's own error tells more.
    """
    instead, last = (os.environ.get(f"CONTAINERS_CONF{end}") for end in ("", "_OVERRIDE"))
    files = [
        Path("/usr/share/containers/containers.conf"),
        etc / "containers.conf",
        *sorted((etc / "containers.conf.d").glob("*.conf")),
    ]
    ulimits: tuple[str, ...] = ()
    runtime = ""
    for file in [*([Path(instead)] if instead else files), *([Path(last)] if last else [])]:
        try:
            said = tomllib.loads(file.read_text(encoding="utf-8"))
            ulimits = tuple(said.get("containers", {}).get("default_ulimits", ulimits))
            runtime = str(said.get("engine", {}).get("runtime", runtime))
        except (OSError, ValueError, TypeError, AttributeError):
            continue
    return ContainersConf(ulimits, runtime)


def disk(use: str, path: Path) -> Disk:
    """The file system that ``path`` lies on, or will lie on once it is made."""
    there = path
    # os.access, unlike Path.exists, also answers below folders that only root may enter.
    while not os.access(there, os.F_OK):
        there = there.parent
    return Disk(use, path, there.stat().st_dev, shutil.disk_usage(there).free)


def store_filled() -> bool:
    """Whether the artifact store holds anything: then the first, large build has begun."""
    store = store_dir()
    return store.is_dir() and any(store.iterdir())


def venv_works() -> bool:
    """Whether this Python can make virtual environments; Debian ships the half of it apart."""
    return all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip"))


def clock(rtc: Path = Path("/sys/class/rtc/rtc0/since_epoch")) -> Clock:
    """Now, the newest of meshproof's own files, and the hardware clock where there is one."""
    package = Path(meshproof.__file__).parent
    newest = max(file.stat().st_mtime for file in package.rglob("*.py"))
    ticks = number(rtc)
    return Clock(
        now=datetime.now(UTC),
        own_files=datetime.fromtimestamp(newest, UTC),
        hardware=None if ticks is None else datetime.fromtimestamp(ticks, UTC),
    )
