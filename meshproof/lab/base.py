"""What a lab is, whatever its clusters are: running clusters that a mesh is installed on.

All kinds have what is abstract here. What only some kinds can is here too, so that a test names
one type: where a lab lacks the capability, whoever uses that part of it is told so. A test that
says what it ``requires`` is not run there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.kube.cluster import OnNodes, RunningCluster
from meshproof.lab.ownership import Claim
from meshproof.model import Capability, Footprint, Wiring
from meshproof.process import Shell

if TYPE_CHECKING:
    from meshproof.artifacts import MachineArtifacts
    from meshproof.engine import Engine
    from meshproof.lab.machine import RunningMachine
    from meshproof.lab.network.counters import Counters
    from meshproof.lab.network.router import Router
    from meshproof.lab.network.subnets import Subnet

_PARTS: Mapping[str, Capability] = {
    "engine": Capability.NODES,
    "machine_artifacts": Capability.NODES,
    "networks": Capability.ROUTER,
    "router": Capability.ROUTER,
    "subnets": Capability.ROUTER,
}
"""Which capability a lab has that has these."""


class Addresses(Protocol):
    """Who gives the LoadBalancer Services of one cluster their addresses, each by its namespace and
    name."""

    @property
    def given(self) -> tuple[IPv4Address, ...]:
        """All addresses in use now."""

    def reserve(self, namespace: str, service: str) -> IPv4Address:
        """The address that a Service has, or will get from ``give``, which it need not be there
        for. Raises LabError where none can be had."""

    def give(self, namespace: str, service: str) -> IPv4Address:
        """Give a Service its address; one that has one keeps it. Raises LabError, or ApiException
        where there is no such Service."""

    def give_by_name(self, namespace: str, service: str) -> str:
        """As ``give``, but announced by a host name, which is returned. Raises LabError."""

    def move(self, namespace: str, service: str, to: IPv4Address | None = None) -> IPv4Address:
        """Give a Service another address, by default any that is free. Raises LabError."""

    def take_back(self, namespace: str, service: str) -> None:
        """Take a Service's address away; the Service may be gone already."""

    def take_all_back(self, namespace: str) -> None:
        """The same for all Services of a namespace."""

    def adopt(self) -> None:
        """Read which addresses are given from the cluster itself."""

    def restore(self) -> None:
        """Give back what the machine has lost, since it was started again."""


class Lab(ABC):
    """Running clusters, wired in some way. As a context manager it ends with the block.

    ``capabilities``: what a lab of this kind can; what a test requires beyond that does not apply.
    ``shared``: others change the clusters as well, so that not all that is new in them is ours.
    ``kept``: it stays, with what is on it, when its owner ends.
    """

    capabilities: ClassVar[frozenset[Capability]]
    shared: ClassVar[bool] = False

    claim: Claim
    footprint: Footprint
    recorder: Recorder
    wiring: Wiring
    kept: bool
    clusters: dict[str, RunningCluster]
    if TYPE_CHECKING:
        engine: Engine
        machines: dict[str, RunningMachine]
        networks: dict[str, str]

    @property
    def id(self) -> str:
        """Eight hexadecimal digits, part of every name that belongs to this lab."""
        return self.claim.id

    @property
    @abstractmethod
    def shell(self) -> Shell:
        """What starts this lab's programs; called off when a step beside others fails."""

    @abstractmethod
    def on_nodes(self, shell: Shell) -> OnNodes:
        """Who runs programs on the nodes, for a shell that is not this lab's own."""

    @property
    @abstractmethod
    def addresses(self) -> Mapping[str, Addresses]:
        """By cluster, who gives its LoadBalancer Services their addresses."""

    @abstractmethod
    def is_made_of(self, footprint: Footprint) -> bool:
        """Whether what needs clusters as these can have this lab."""

    @abstractmethod
    def rewire(self, wiring: Wiring) -> float:
        """Let through what ``wiring`` says; returns the seconds it took. Raises ModelError where it
        cannot be made on these clusters, LabError where they are wired otherwise for good."""

    @abstractmethod
    def await_dns(self) -> None:
        """Wait until every cluster's DNS serves names. Raises LabError."""

    @abstractmethod
    def keep(self) -> None:
        """Leave this lab in place when its owner ends; `meshproof down` removes it."""

    @abstractmethod
    def remove(self) -> None:
        """Remove all that belongs to this lab, and verify that nothing is left."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.kept:
            self.claim.release()
        else:
            self.remove()

    # --- what takes a capability

    @property
    def router(self) -> Router:
        """The only path between the clusters."""
        raise lacking(Capability.ROUTER)

    @property
    def subnets(self) -> dict[str, Subnet]:
        """The subnet of each network, by its place."""
        raise lacking(Capability.ROUTER)

    @property
    def machine_artifacts(self) -> MachineArtifacts:
        """What machines are made of. Raises LabError where nobody provided it."""
        raise lacking(Capability.NODES)

    def counters(self) -> Counters:
        """What was counted so far of what passes between the clusters."""
        raise lacking(Capability.ROUTER)

    def dropped_by_host(self) -> int:
        """Packets of the lab that the host was asked to forward so far. Raises LabError."""
        raise lacking(Capability.ROUTER)

    def seal(self) -> None:
        """Write the host's rules of this lab anew."""
        raise lacking(Capability.ROUTER)

    @contextmanager
    def without_router(self) -> Iterator[None]:
        """The router is stopped inside the block."""
        raise lacking(Capability.ROUTER)
        yield

    def write_rules(self) -> None:
        """Write the rules of all nodes again, as they are wired; what is open stays so."""
        raise lacking(Capability.ROUTER)

    def machines_moved(self) -> None:
        """Let whoever reaches machines know where they are now."""
        raise lacking(Capability.ROUTER)

    def lose(self, cluster: str) -> None:
        """Remove the nodes of a cluster with all that they hold."""
        raise lacking(Capability.NODES)

    def remake(self, cluster: str) -> None:
        """Create a cluster that was lost anew. Raises LabError."""
        raise lacking(Capability.NODES)

    if not TYPE_CHECKING:  # which would take every name for one that there is

        def __getattr__(self, name: str) -> object:
            """What is asked for here is not there: a part that takes a capability, or nothing.
            Raises LabError or AttributeError."""
            if name in _PARTS:
                raise lacking(_PARTS[name])
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def lacking(capability: Capability) -> LabError:
    """What whoever asks for something is told that takes a capability which is not there."""
    return LabError(f"this lab cannot do that: it {capability.value}")
