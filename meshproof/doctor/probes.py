"""Tries what the lab will need, in name spaces and containers that end with the trial."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from meshproof.doctor.facts import EngineFacts, Outcome, Trial
from meshproof.engine import Engine, choose_engine
from meshproof.engine.choose import SEE_DOCTOR
from meshproof.errors import CommandError, EngineError, MeshproofError
from meshproof.lab.network.subnets import networks_in_use, room
from meshproof.process import Shell
from meshproof.reading import reason
from meshproof.telling import plain_lines

_SECONDS = 20.0

# What the lab's router and nodes use: replies by conntrack, masquerading, counting by payload
# (nft 1.0.2 and later know @ih), marks on connections, sets filled by packets, loss by chance. One
# statement a line.
_ROUTER = """\
table inet meshproof_doctor {
  set seen {
    type ipv4_addr
    flags dynamic,timeout
    timeout 1m
  }
  chain forward {
    type filter hook forward priority 0
    policy accept
    ct state established,related counter accept
    meta l4proto tcp @ih,0,32 0x47455420 counter
    ct direction original ct mark & 0x1 == 0x0 @ih,0,8 & 0x0 == 0x0 ct mark set ct mark or 0x1
    update @seen { ip saddr } counter
    numgen random mod 100 < 5 drop
  }
  chain postrouting {
    type nat hook postrouting priority 100
    ip saddr 10.0.0.0/8 masquerade
  }
}
"""
_LINKS = "link add mp0 type bridge\nlink add mp1 type veth peer name mp2\nlink set mp1 master mp0\n"
_OVERLAY = (
    'cd "$0" && mount -t tmpfs none . && cd "$0" && mkdir low up work all && '
    "mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work all"
)


def nft(shell: Shell) -> Trial:
    """Whether nft and the kernel take the statements that the lab's rules are made of."""
    return _tried(shell, ["unshare", "-n", "nft", "-f", "-"], stdin=_ROUTER)


def links(shell: Shell) -> Trial:
    """Whether bridges and veth pairs can be made, in a network name space."""
    return _tried(shell, ["unshare", "-n", "ip", "-batch", "-"], stdin=_LINKS)


def iptables(shell: Shell) -> Trial:
    """Whether iptables and the kernel take the kind of rule that engines make networks with."""
    rule = ["-A", "POSTROUTING", "-m", "comment", "--comment", "doctor", "-j", "MASQUERADE"]
    return _tried(shell, ["unshare", "-n", "iptables", "-t", "nat", *rule])


def netem(shell: Shell) -> Trial:
    """Whether packets can be delayed (NET_SCH_NETEM)."""
    delay = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms"]
    return _tried(shell, ["unshare", "-n", *delay])


def overlay(shell: Shell) -> Trial:
    """Whether overlayfs can be mounted: the engine's images and containerd in the node use it."""
    try:
        with tempfile.TemporaryDirectory(prefix="meshproof-doctor-") as folder:
            return _tried(shell, ["unshare", "-m", "sh", "-c", _OVERLAY, folder])
    except OSError as error:
        return Trial(Outcome.NOT_TRIED, reason(error))


def dropping_chains(shell: Shell) -> tuple[str, ...]:
    """The host's nft chains that drop what no rule takes, as "input of inet filter"."""
    try:
        said = shell.run(["nft", "-j", "list", "chains"], check=False, timeout=_SECONDS).stdout
        chains = [entry["chain"] for entry in json.loads(said)["nftables"] if "chain" in entry]
    except (MeshproofError, ValueError, TypeError, KeyError):
        return ()
    return tuple(
        f"{chain['hook']} of {chain['family']} {chain['table']}"
        for chain in chains
        if chain.get("policy") == "drop" and chain.get("hook") in ("input", "forward")
    )


def go_version(shell: Shell) -> str | None:
    """The version of the Go on the PATH, such as "1.26.8", or None."""
    try:
        # Without "local" go would download the toolchain that a go.mod nearby asks for.
        said = shell.run(
            ["go", "version"], env={"GOTOOLCHAIN": "local"}, check=False, timeout=_SECONDS
        ).stdout
    except MeshproofError:
        return None
    match = re.search(r"\bgo(\d+(?:\.\d+)+)", said)
    return match.group(1) if match else None


def pools(shell: Shell) -> dict[str, int] | None:
    """How many networks of labs each pool has left, beside this machine's routes and other labs;
    None when that cannot be read."""
    try:
        return {str(pool): free for pool, free in room(networks_in_use(shell)).items()}
    except MeshproofError:
        return None


def engine(shell: Shell, wanted: str | None) -> EngineFacts:
    """The engine that the lab would choose, asked about itself and, for podman, tried.

    Raises UsageError when there is no engine of that name.
    """
    try:
        chosen = choose_engine(shell, wanted)
        facts = _about(chosen, wanted)
    except (CommandError, EngineError) as error:
        remedy = error.remedy if error.remedy != SEE_DOCTOR else ""
        return EngineFacts(wanted=wanted, refusal=error.cause, remedy=remedy)
    return facts if facts.is_docker else replace(facts, container=_container(chosen))


def _about(chosen: Engine, wanted: str | None) -> EngineFacts:
    info = chosen.info()
    if chosen.name == "docker":
        return EngineFacts(
            wanted=wanted,
            name=chosen.name,
            version=info.get("ServerVersion", ""),
            runtime=info.get("DefaultRuntime", ""),
            storage=_folder(info.get("DockerRootDir")),
        )
    host = info.get("host", {})
    return EngineFacts(
        wanted=wanted,
        name=chosen.name,
        version=info.get("version", {}).get("Version", ""),
        network_backend=host.get("networkBackend", ""),
        runtime=host.get("ociRuntime", {}).get("name", ""),
        storage=_folder(info.get("store", {}).get("graphRoot")),
    )


def _folder(path: str | None) -> Path | None:
    return Path(path) if path else None


def _container(podman: Engine) -> Trial:
    """Start a privileged container, as kind does, from the host's own /usr: no image needed."""
    if not Path("/bin").is_symlink():
        return Trial(Outcome.NOT_TRIED, "this host's /bin is not in /usr")
    try:
        with tempfile.TemporaryDirectory(prefix="meshproof-doctor-") as folder:
            for name in ("bin", "lib", "lib64"):
                (Path(folder) / name).symlink_to(f"usr/{name}")
            options = ["--rm", "--privileged", "--network", "none", "-v", "/usr:/usr:ro"]
            argv = ["podman", "run", *options, "--rootfs", folder, "/bin/true"]
            return _tried(podman.shell, argv)
    except OSError as error:
        return Trial(Outcome.NOT_TRIED, reason(error))


def _tried(shell: Shell, argv: Sequence[str], stdin: str | None = None) -> Trial:
    try:
        finished = shell.run(argv, input=stdin, check=False, timeout=_SECONDS)
    except CommandError as error:
        return Trial(Outcome.REFUSED, str(error))
    except MeshproofError as error:
        return Trial(Outcome.NOT_TRIED, error.cause)
    if finished.returncode == 0:
        return Trial(Outcome.WORKS)
    return _refusal(argv, finished.returncode, finished.stderr)


def _refusal(argv: Sequence[str], returncode: int, stderr: str) -> Trial:
    lines = plain_lines(stderr)
    if returncode == 127:  # unshare's and the shell's code for a program that does not exist
        return Trial(Outcome.NOT_TRIED, lines[-1] if lines else f"{argv[0]} found no program")
    # The first line that speaks of an error names the cause; podman prints warnings before it.
    told = next((line for line in lines if "rror" in line and "level=warn" not in line), "")
    return Trial(Outcome.REFUSED, (told or (lines or ["no message"])[-1])[:300])
