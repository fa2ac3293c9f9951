"""The fixes: what each would do, worked out from the facts alone.

All of them need root, and write only to files of meshproof's own.
"""

from __future__ import annotations

from pathlib import Path

from meshproof.doctor.facts import Facts, Outcome
from meshproof.doctor.findings import Fix, MakeFolder, Run, Write

CONTAINERS_CONF = Path("/etc/containers/containers.conf.d/50-meshproof.conf")
SYSCTL_CONF = Path("/etc/sysctl.d/50-meshproof.conf")
LIB_MODULES = Path("/lib/modules")

# kind's known issues, "Pod errors due to too many open files".
INOTIFY_INSTANCES = 512
INOTIFY_WATCHES = 524288

# podman gives containers nofile 1048576 (common/pkg/config) unless it is told otherwise, which
# only CAP_SYS_RESOURCE allows when the hard limit is lower.
PODMAN_NOFILE = 1048576
# Enough for a node with a mesh, as measured; lower values also fit sessions with lower limits.
CONTAINER_NOFILE = 65536
CONTAINER_NPROC = 32768

_PACKAGE_OF = {
    "conntrack": "conntrack",
    "debootstrap": "debootstrap",
    "git": "git",
    "ip": "iproute2",
    "iptables": "iptables",
    "nft": "nftables",
    "sysctl": "procps",
    "tc": "iproute2",
    "unshare": "util-linux",
}
BUILD_TOOLS = frozenset({"debootstrap", "git"})
_PODMAN_PACKAGES = ("podman", "netavark", "aardvark-dns", "conmon", "runc")


def package_of(tool: str) -> str:
    """The Debian package that brings a program."""
    return _PACKAGE_OF[tool]


def wanted_tools(facts: Facts) -> list[str]:
    """The programs that the lab starts on the host: fewer when nothing is built."""
    return [tool for tool in _PACKAGE_OF if not (facts.published and tool in BUILD_TOOLS)]


def missing_packages(facts: Facts) -> list[str]:
    """The Debian packages that would bring all that is missing, each once."""
    missing = [package_of(tool) for tool in wanted_tools(facts) if tool not in facts.tools]
    if not facts.engine.is_docker:
        if not facts.engine.name and "podman" not in facts.tools:
            missing += _PODMAN_PACKAGES
        if facts.engine.network_backend == "cni":
            missing += ["netavark", "aardvark-dns"]
        if needs_runc(facts) and "runc" not in facts.tools:
            missing.append("runc")
    if not facts.venv:
        missing.append("python3-venv")
    return list(dict.fromkeys(missing))


def packages(facts: Facts) -> Fix | None:
    """One apt call for all that is missing; None without apt-get, root or need."""
    missing = missing_packages(facts)
    if not (missing and facts.apt and facts.root):
        return None
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ("apt-get", "install", "-y", "--no-install-recommends", *missing)
    return Fix(
        f"Runs 'apt-get update', then 'apt-get install' for {', '.join(missing)}.",
        (Run(("apt-get", "update"), quiet), Run(install, quiet)),
    )


def needs_runc(facts: Facts) -> bool:
    """crun refuses hybrid hierarchies ("cgroups in hybrid mode not supported"); runc does not."""
    return facts.cgroups.mode in ("v1", "hybrid")


def lacks_runc(facts: Facts) -> bool:
    """Whether podman would take another runtime than runc where runc is needed."""
    return needs_runc(facts) and "runc" not in (facts.engine.runtime, facts.containers_conf.runtime)


def lacks_ulimits(facts: Facts) -> bool:
    """Whether podman's default nofile is more than may be set here, and nothing lower is said.

    A container that has been seen to start settles it.
    """
    limit = facts.limits.nofile
    if facts.engine.container.outcome is Outcome.WORKS or facts.limits.may_raise or limit is None:
        return False
    return (_configured_nofile(facts) or PODMAN_NOFILE) > limit


def containers_conf(facts: Facts) -> Fix | None:
    """A drop-in of containers.conf with what podman needs on this host; None without need.

    Lists in a later file replace those in an earlier one, so limits of the user's own are
    repeated in it. Its text depends on the host alone: written twice it says the same.
    """
    if facts.engine.is_docker or not facts.root:
        return None
    if not (lacks_ulimits(facts) or lacks_runc(facts)):
        return None
    lines = ["# Written by 'meshproof doctor --fix'."]
    if not facts.limits.may_raise:
        lines += ["[containers]", default_ulimits(facts)]
    if needs_runc(facts):
        lines += ["[engine]", 'runtime = "runc"']
    settings = [line for line in lines if " = " in line]
    return Fix(
        f"Writes {CONTAINERS_CONF}, which tells podman {' and '.join(settings)}.",
        (Write(CONTAINERS_CONF, "\n".join(lines) + "\n"),),
    )


def default_ulimits(facts: Facts) -> str:
    """The line of containers.conf that keeps podman within this host's hard limits."""
    ulimits = [ulimit for ulimit in facts.containers_conf.ulimits if not _is_ours(ulimit)]
    for name, limit, enough in (
        ("nofile", facts.limits.nofile, CONTAINER_NOFILE),
        ("nproc", facts.limits.nproc, CONTAINER_NPROC),
    ):
        value = min(limit or enough, enough)
        ulimits.append(f"{name}={value}:{value}")
    quoted = ", ".join(f'"{ulimit}"' for ulimit in ulimits)
    return f"default_ulimits = [{quoted}]"


def lib_modules(facts: Facts) -> Fix | None:
    """An empty /lib/modules, for a kernel without modules; None when it exists."""
    if facts.lib_modules or not facts.root:
        return None
    return Fix(
        f"Makes the folder {LIB_MODULES}, empty, because kind mounts it into its nodes.",
        (MakeFolder(LIB_MODULES),),
    )


def inotify(facts: Facts) -> Fix | None:
    """Raise what is too low now and after a restart; None without need. Never lowers."""
    lines = [f"{name} = {value}" for name, value in low_inotify(facts).items()]
    if not (lines and facts.root and "sysctl" in facts.tools):
        return None
    settings = tuple(line.replace(" ", "") for line in lines)
    return Fix(
        f"Sets {' and '.join(settings)} with sysctl, and in {SYSCTL_CONF} for after a restart.",
        (Run(("sysctl", "-w", *settings)), Write(SYSCTL_CONF, "\n".join(lines) + "\n")),
    )


def low_inotify(facts: Facts) -> dict[str, int]:
    """The inotify settings that are too low, with the values that kind advises.

    Both are given when one is too low, so that the drop-in never loses the other.
    """
    have = {
        "fs.inotify.max_user_instances": (facts.inotify_instances, 512, INOTIFY_INSTANCES),
        "fs.inotify.max_user_watches": (facts.inotify_watches, 262144, INOTIFY_WATCHES),
    }
    if not any(value is not None and value < least for value, least, _ in have.values()):
        return {}
    return {name: max(value or 0, advised) for name, (value, _, advised) in have.items()}


def _is_ours(ulimit: str) -> bool:
    return ulimit.partition("=")[0] in ("nofile", "nproc")


def _configured_nofile(facts: Facts) -> int | None:
    for ulimit in facts.containers_conf.ulimits:
        name, _, values = ulimit.partition("=")
        hard = values.rpartition(":")[2]
        if name == "nofile" and hard.isdigit():
            return int(hard)
    return None
