"""A machine outside Kubernetes as a workload: it calls, and helloworld on it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from meshproof.errors import EvidenceError
from meshproof.kube.workload import TRUST_DOMAIN, spiffe
from meshproof.lab.machine import RunningMachine
from meshproof.mesh.machine_setup import ERRORS, LOG, SERVER_SETTINGS, SERVER_UNIT
from meshproof.model import Machine
from meshproof.process import Finished

_PATIENCE = 20.0


@dataclass(frozen=True)
class MachineWorkload:
    """A machine of a topology that runs. ``place``: the network that it is on, as the lab's
    counters call it; ``namespace``: the one that it counts as part of. Its account is called like
    itself."""

    spec: Machine
    running: RunningMachine = field(repr=False)
    place: str
    namespace: str
    trust_domain: str = TRUST_DOMAIN
    sidecar: bool = True

    @property
    def name(self) -> str:
        """Its own name, which is its host name."""
        return self.spec.name

    @property
    def cluster(self) -> str:
        """The cluster that serves it."""
        return self.spec.primary

    @property
    def address(self) -> IPv4Address:
        """Its address now. Raises LabError when it has none."""
        return self.running.address

    @property
    def seen_as(self) -> frozenset[IPv4Address]:
        """Its address: nobody translates it."""
        return frozenset({self.address})

    @property
    def account(self) -> str:
        """Its service account."""
        return self.spec.name

    @property
    def version(self) -> str:
        """The version of helloworld that it serves, "" for none."""
        return self.spec.version

    @property
    def identity(self) -> str:
        """Its SPIFFE URI."""
        return spiffe(self.namespace, self.account, self.trust_domain)

    def run(
        self, *argv: str, input: str | None = None, check: bool = True, timeout: float = 60
    ) -> Finished:
        """Run a program on it, as ``Workload.run``; as a user whose calls its proxy takes."""
        return self.running.run(*argv, input=input, check=check, timeout=timeout)

    def admin(self, path: str, method: str = "GET") -> str:
        """What the admin interface of its proxy answers, asked by Istio's own agent. Raises
        EvidenceError when it does not, EngineError when the machine does not run."""
        asked = ("pilot-agent", "request", method, path)
        done = self.running.run(*asked, check=False, timeout=_PATIENCE)
        if done.returncode != 0:
            raise EvidenceError(f"the proxy of {self} does not answer: {done.stderr.strip()[:200]}")
        return done.stdout

    def log(self, *, tail_lines: int) -> str:
        """The last lines of its proxy's log. Raises EngineError, CommandError."""
        return self.running.run("tail", "-n", str(tail_lines), LOG).stdout

    def agent_log(self) -> str:
        """All that its proxy and agent have written, on either output. Raises EngineError."""
        return self.running.run("cat", LOG, ERRORS, check=False).stdout

    def __str__(self) -> str:
        return f"machine {self.name} ({self.address})"


def serve(machine: RunningMachine, version: str) -> None:
    """Start helloworld of a version on a machine, and at its start from now on; "" for none.
    Raises CommandError."""
    if version:
        machine.write(SERVER_SETTINGS, f"SERVICE_VERSION={version}\n")
        machine.script(f"systemctl enable --now {SERVER_UNIT} 2>&1\n")
