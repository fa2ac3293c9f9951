"""What a host keeps installed in its members as a whole, such as a mesh: each member has a source
of its own, which grows part by part and is in force after each.

It is not looked at unasked: what a test changes of a mesh is the test's to undo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from meshproof.artifacts import HostArtifacts
from meshproof.errors import LabError, WaitTimeoutError
from meshproof.host.content import Content, Overlay
from meshproof.host.flux import Flux, Pace
from meshproof.host.host import Host
from meshproof.host.programs import start
from meshproof.host.reconciler import Assignment, Readiness
from meshproof.host.tenants import Rights, Tenant, door_objects, host_objects
from meshproof.kube.objects import Object, apply, title
from meshproof.lab import Lab

_TRIES = 3
"""How often what is pushed is tried: a webhook that has just come may be asked too early."""
_PACE = Pace(interval="24h", timeout="3m")
"""A try is everything that a mesh is made of, and the kinds of its objects are waited for."""


@dataclass
class _Source:
    """What a member's source says so far: objects by name, and manifests by theirs. ``turn``: who
    pushes, as members are installed side by side and are introduced to each other meanwhile."""

    objects: dict[str, Object] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock)

    def content(self, member: str) -> Content:
        overlay = Overlay(list(self.objects.values()), manifests=dict(self.manifests))
        return Content((), {member: overlay})


class Fleet:
    """Members of a host that it installs something in. ``artifacts``: its programs, which it starts
    itself; nothing is done before ``begin``."""

    def __init__(
        self, lab: Lab, host: str, members: Iterable[str], artifacts: HostArtifacts
    ) -> None:
        self._lab, self._artifacts = lab, artifacts
        cluster = lab.clusters[host]
        running = {one: lab.clusters[one] for one in members}
        tenants = {one: Tenant(f"mesh-{one}", (one,), Rights.ALL) for one in running}
        named = {one.name: one for one in tenants.values()}
        self._tenants: Mapping[str, Tenant] = tenants
        self._host = Host(cluster, running, named, Flux(cluster, _PACE), lab.recorder)
        self._sources: dict[str, _Source] = {}

    def begin(self) -> None:
        """Start the host's programs, and let the host push to members. What this makes goes with
        the mesh, since nothing of it was there before that. Raises LabError."""
        cluster = self._host.cluster
        start(self._lab, cluster.name, self._artifacts)
        with self._lab.recorder.step(f"let {cluster.name} push to {', '.join(self._tenants)}"):
            apply(cluster, host_objects(self._tenants.values()))
            for member, tenant in self._tenants.items():
                apply(self._host.members[member], door_objects(tenant))
                self._host.introduce(tenant, member)
                self._sources[member] = _Source()

    def push(
        self,
        member: str,
        objects: Iterable[Object] = (),
        manifests: Mapping[str, str] | None = None,
    ) -> frozenset[str]:
        """Have in a member's source, beside what it has, these objects, each in place of one of its
        kind and name, and these manifests, each in place of one of its name; returns what the host
        keeps in the member when all of it is in force, as "kind namespace/name". What is for one
        member is pushed one after the other, from whichever threads.

        Raises LabError with the reconciler's words, and where ``begin`` was another run's.
        """
        if member not in self._sources:
            raise LabError(
                f"what {self._host.cluster.name} has pushed to {member} is not known to this run",
                "let the mesh be installed anew",
            )
        tenant, source = self._tenants[member], self._sources[member]
        with source.turn:
            source.objects |= {title(one): one for one in objects}
            source.manifests |= manifests or {}
            self._host.deliver(tenant.name, source.content(member))
            return self._in_force(Assignment(tenant.name, member))

    def withdraw(self, member: str) -> None:
        """Take all that was pushed to a member out of its source, and so out of the member, and
        wait for the end of that. Raises LabError."""
        self._host.reconciler.withdraw(Assignment(self._tenants[member].name, member))
        self._sources.pop(member, None)

    def _in_force(self, one: Assignment) -> frozenset[str]:
        """Have an assignment made good; returns what it holds then."""
        self._host.reconciler.assign(one)
        for _ in range(_TRIES):
            states = self._host.make_good([one])
            if states[one].readiness is Readiness.READY:
                break
        try:
            self._host.require(states)
        except WaitTimeoutError as error:
            raise LabError(error.cause) from error
        return states[one].holds
