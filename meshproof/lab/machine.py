"""A machine of a lab: a container of a Debian system with systemd, without Kubernetes, on the
network of a cluster or on one of its own.

It is started as kind starts its nodes, by whose entrypoint systemd comes up on every kind of host.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from meshproof.engine import Engine
from meshproof.engine.engine import RUN_LABEL
from meshproof.errors import EngineError, LabError
from meshproof.lab.network.router import OWN_ADDRESS
from meshproof.lab.network.rules import routes
from meshproof.lab.nodes import node_address
from meshproof.lab.ownership import object_name
from meshproof.process import Finished, called_off
from meshproof.telling import telling_line
from meshproof.wait import eventually

_UP = ("running", "degraded")
_WITHIN = 60.0
_OPTIONS = (
    *("--privileged", "--tty", "--tmpfs", "/tmp", "--tmpfs", "/run"),  # noqa: S108 (its own)
    *("--cgroupns=private", "--volume", "/lib/modules:/lib/modules:ro"),
)
# Pods' rules are written by iptables in this mode, and kind's entrypoint may have chosen the other.
_IPTABLES = "update-alternatives --set iptables /usr/sbin/iptables-nft >/dev/null"


def machine_container(lab_id: str, name: str) -> str:
    """What the container of a lab's machine is called."""
    return f"{object_name(lab_id, name)}-machine"


@dataclass(frozen=True)
class RunningMachine:
    """A machine that has been started. ``name``: its own, which is its host name."""

    name: str
    container: str
    engine: Engine = field(repr=False, compare=False)

    @property
    def address(self) -> IPv4Address:
        """Its address on its network now. Raises LabError when it has none."""
        return node_address(self.engine, self.container)

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run a program on it, as root. Raises CommandError when ``check`` and the exit code is not
        0, CommandTimeoutError, and EngineError when it does not run."""
        return self.engine.exec(self.container, argv, input=input, check=check, timeout=timeout)

    def script(self, text: str, timeout: float = 60) -> str:
        """Run a script of sh, which ends at the first command that fails; returns what it printed.
        Raises as ``run``."""
        return self.run("sh", "-e", input=text, timeout=timeout).stdout

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        """Write a file, and the folders that it is in. Raises as ``run``."""
        where, folder = shlex.quote(path), shlex.quote(path.rpartition("/")[0])
        line = f"mkdir -p {folder} && cat > {where} && chmod {mode} {where}"
        self.run("sh", "-c", line, input=text)

    def put(self, source: Path, path: str, mode: str = "0755") -> None:
        """Copy a file of this machine's to it. Raises CommandError."""
        self.engine.copy_in(source, self.container, path)
        self.run("chmod", mode, path)

    def __str__(self) -> str:
        return f"machine {self.name}"


def start_machine(
    engine: Engine, lab_id: str, name: str, image: str, network: str
) -> RunningMachine:
    """Start a machine on an engine's network, and wait until its systemd is up. What it may reach
    is told by ``lead``.

    Raises LabError with what it said last, when it does not come up; CommandError.
    """
    machine = RunningMachine(name, machine_container(lab_id, name), engine)
    options = [*_OPTIONS, "--network", network, "--hostname", name]
    options += ["--label", f"{RUN_LABEL}={lab_id}"]
    engine.run_detached(machine.container, image, options)
    await_up(machine)
    return machine


def await_up(machine: RunningMachine) -> None:
    """Wait until a machine's systemd is up. Raises LabError with what it said last."""
    try:
        eventually(
            lambda: machine.run("systemctl", "is-system-running", check=False).stdout.strip(),
            until=lambda state: state in _UP,
            fail_if=lambda _: called_off(machine.engine.shell),
            what=f"systemd of {machine}",
            within=_WITHIN,
            every=0.25,
        )
    except EngineError as error:
        said = telling_line(machine.engine.logs(machine.container)) or "nothing"
        raise LabError(f"{machine} did not come up: {error.cause}; it said: {said}") from error


def lead(
    machine: RunningMachine, router: IPv4Address, pods: Mapping[IPv4Network, IPv4Address]
) -> None:
    """Make the router a machine's way out. ``pods``: the ranges of pods on its own network, each
    with the node that leads there.

    Names are asked of an address at which nobody listens, and so at once without an answer: where
    Istio's DNS proxy is, that answers in its place. Raises CommandError.
    """
    machine.script(
        "while ip route delete default 2>/dev/null; do :; done\n"
        f"ip route add default via {router}\n"
        f"ip -batch - <<'ROUTES'\n{routes(pods)}ROUTES\n"
        f"echo 'nameserver {OWN_ADDRESS}' > /etc/resolv.conf\n"
        "sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf\n"
        f"{_IPTABLES}\n"
        # As at its first start: at another one kind's entrypoint would look for a node's files.
        "rm -f /kind/old-ip*\n"
    )


def astray(machine: RunningMachine, address: IPv4Address) -> bool:
    """Whether a kept lab's machine is stopped, or has another address than it had. Raises LabError
    when it is no container any more."""
    found = {one.name: one.running for one in machine.engine.containers()}
    if machine.container not in found:
        raise LabError(f"container {machine.container} is gone")
    return not found[machine.container] or machine.address != address


def revive(machine: RunningMachine, network: str, address: IPv4Address) -> None:
    """Start a kept lab's machine again at the address that it had. What lay in its /run is gone, as
    after any restart. Raises LabError, CommandError."""
    engine = machine.engine
    engine.stop([machine.container])
    engine.fix_addresses(network, {machine.container: address})
    engine.start([machine.container])
    await_up(machine)
