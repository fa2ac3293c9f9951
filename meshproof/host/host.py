"""A host at work on the clusters of a lab: set up with its members and tenants, told what to push,
asked what it knows, and taken down again without a trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from meshproof.errors import MeshproofError, WaitTimeoutError
from meshproof.events import Recorder
from meshproof.host import credentials, registry
from meshproof.host.content import Content
from meshproof.host.flux import Flux
from meshproof.host.reconciler import Assignment, Readiness, Reconciler, State
from meshproof.host.tenants import (
    Tenant,
    account_user,
    door_objects,
    everywhere,
    host_objects,
    kept_doors,
    namespace,
)
from meshproof.kube import RunningCluster, client
from meshproof.kube.objects import Object, apply, await_absence, delete, read
from meshproof.kube.seam import lab_errors
from meshproof.lab import Lab
from meshproof.process import Shell, side_by_side
from meshproof.wait import eventually

MADE_GOOD_WITHIN = 300.0
"""Seconds in which an assignment is tried once, and its outcome told. A member that does not answer
is given up late: each of the reconciler's questions waits half a minute for a connection, and 90 s
were not enough for all of them."""


@dataclass
class Host:
    """A host with its members and tenants. ``cluster``: where it runs; ``members``: the clusters
    that it manages, by name; ``tenants``: by name; ``contents``: what each has pushed last."""

    cluster: RunningCluster
    members: Mapping[str, RunningCluster]
    tenants: Mapping[str, Tenant]
    reconciler: Reconciler
    recorder: Recorder
    contents: dict[str, Content] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)

    def assignments(self, *tenants: str) -> list[Assignment]:
        """What tenants have in their members; by default all of them."""
        chosen = tenants or tuple(self.tenants)
        return [
            Assignment(name, member) for name in chosen for member in self.tenants[name].members
        ]

    def state(self, one: Assignment) -> State:
        """What the host says of an assignment. Raises LabError."""
        return self.reconciler.state(one)

    def look(self, member: str, one: Object) -> Object | None:
        """The object of this one's kind and name in a member now; None where there is none. Raises
        LabError."""
        return read(self.members[member], one)

    def may(self, tenant: str, member: str, verb: str, resource: str) -> bool:
        """Whether a member says that a tenant's account may do something in its namespace, by the
        member's own review. ``resource``: of the core API. Raises LabError."""
        running = self.members[member]
        review = {
            "spec": {
                "user": account_user(tenant),
                "resourceAttributes": {"namespace": tenant, "verb": verb, "resource": resource},
            }
        }
        with lab_errors(f"ask {member} about the rights of {tenant}"):
            reviews = client.AuthorizationV1Api(running.api)
            return bool(reviews.create_subject_access_review(review).status.allowed)

    def deliver(self, tenant: str, content: Content) -> str:
        """Push what a tenant's source says from now on, and have it fetched; gives its revision.
        Members are not waited for. Raises LabError."""
        revision = registry.push(self.cluster, tenant, content.packed())
        self.reconciler.follow(tenant)
        self.reconciler.fetch(tenant, revision)
        self.contents[tenant], self.revisions[tenant] = content, revision
        return revision

    def make_good(
        self, assignments: Iterable[Assignment], within: float = MADE_GOOD_WITHIN
    ) -> dict[Assignment, State]:
        """Have assignments made good now, and give what the host says of each then; of one that is
        not done in time, what it says by then. Raises LabError."""
        wanted = list(assignments)
        told = side_by_side(Shell(self.recorder), lambda one: self._made_good(one, within), wanted)
        return dict(zip(wanted, told, strict=True))

    @contextmanager
    def pushed(self, tenant: str, content: Content) -> Iterator[dict[Assignment, State]]:
        """A tenant's source says something else inside the block, and what it said before
        afterwards; in both cases its members are waited for. Gives what the host says of them.
        Raises LabError, also when they do not come back to what they were."""
        before = self.contents[tenant]
        try:
            with self.recorder.step(f"push what {tenant} has, to where it acts"):
                self.deliver(tenant, content)
                states = self.make_good(self.assignments(tenant))
            yield states
        finally:
            self.deliver(tenant, before)
            self.require(self.make_good(self.assignments(tenant)))

    @contextmanager
    def assigned(self, one: Assignment) -> Iterator[State]:
        """A further assignment is there inside the block. Gives what the host says of it. Raises
        LabError."""
        try:
            self.reconciler.assign(one)
            yield self._made_good(one, MADE_GOOD_WITHIN)
        finally:
            self.end(one)

    def end(self, one: Assignment) -> None:
        """Undo an assignment; one that holds nothing, as it was never in force, is ended alone: who
        has no credential cannot undo anything. Raises LabError."""
        if self.reconciler.state(one).holds:
            self.reconciler.withdraw(one)
        else:
            self.reconciler.release(one)

    def contested(self) -> dict[str, tuple[Assignment, ...]]:
        """The objects that several assignments keep in one member, as "member: object", each with
        those that do: whoever comes last has its way, until another comes. Raises LabError."""
        keepers: dict[str, list[Assignment]] = {}
        for one in self.assignments():
            for held in self.state(one).holds:
                keepers.setdefault(f"{one.member}: {held}", []).append(one)
        return {held: tuple(by) for held, by in keepers.items() if len(by) > 1}

    def require(self, states: Mapping[Assignment, State]) -> None:
        """Raise WaitTimeoutError, naming the first, where an assignment is not in force."""
        for one, state in states.items():
            if state.readiness is not Readiness.READY or state.applied != self._due(one):
                raise WaitTimeoutError(f"{one} is not in force in {one.member}: {state}")

    def introduce(self, tenant: Tenant, member: str) -> None:
        """Let the host act as a tenant in a member, by a token that the member gives. Raises
        LabError."""
        running = self.members[member]
        token = credentials.grant(running, tenant)
        apply(self.cluster, [credentials.secret(running, tenant, token)])

    def admit(self, tenant: Tenant, member: str) -> None:
        """Keep what a tenant's source has for a member in force there from now on, by a token that
        the member gives; it is not waited for. Raises LabError."""
        self.introduce(tenant, member)
        self.reconciler.assign(Assignment(tenant.name, member))

    def _due(self, one: Assignment) -> str:
        return self.revisions.get(one.tenant, "")

    def _made_good(self, one: Assignment, within: float) -> State:
        token, seen = self.reconciler.request(one), list[State]()

        def done() -> bool:
            seen[:] = [self.reconciler.state(one)]
            (state,) = seen
            decided = state.handled == token and state.readiness is not Readiness.WORKING
            # A source that could not be read at all is attempted by nobody.
            return decided and (state.attempted == self._due(one) or not state.applied)

        with suppress(WaitTimeoutError):
            eventually(done, what=f"the outcome of {one}", within=within)
        return seen[0]


@dataclass(frozen=True)
class Plan:
    """Who there is and what each pushes first. ``tenants``: those that manage come first, since
    others stand on what these push."""

    tenants: tuple[Tenant, ...]
    contents: Mapping[str, Content]


@contextmanager
def managing(lab: Lab, name: str, members: Iterable[str], plan: Plan) -> Iterator[Host]:
    """A host in the cluster of that name, whose programs run, manages members inside the block;
    afterwards nothing is left of that there, nor of what was pushed in them.

    Raises LabError or WaitTimeoutError with the reason when it does not come about.
    """
    cluster = lab.clusters[name]
    tenants = {one.name: one for one in plan.tenants}
    running = {one: lab.clusters[one] for one in members}
    host = Host(cluster, running, tenants, Flux(cluster), lab.recorder)
    try:
        with lab.recorder.step(f"let {name} manage {', '.join(running)}"):
            _set_up(host, plan)
    except MeshproofError:
        with suppress(MeshproofError):  # why it did not come about is what is told
            _take_down(host, plan)
        raise
    try:
        yield host
    finally:
        with lab.recorder.step(f"take down what {name} manages members by"):
            _take_down(host, plan)


def _set_up(host: Host, plan: Plan) -> None:
    apply(host.cluster, host_objects(plan.tenants))
    side_by_side(Shell(host.recorder), partial(_open, host), host.members)
    for tenant in plan.tenants:
        with host.recorder.step(f"push what {tenant.name} has"):
            host.deliver(tenant.name, plan.contents[tenant.name])
            for member in tenant.members:
                host.admit(tenant, member)
            host.require(host.make_good(host.assignments(tenant.name)))


def _open(host: Host, member: str) -> None:
    """What a member has before anything is pushed there: who pushes what others stand on."""
    for tenant in host.tenants.values():
        if tenant.manages and member in tenant.members:
            apply(host.members[member], door_objects(tenant))


def _take_down(host: Host, plan: Plan) -> None:
    for tenant in reversed(plan.tenants):
        for one in host.assignments(tenant.name):
            _end(host, one)
        with suppress(MeshproofError):
            host.reconciler.forget(tenant.name)
    names = [one.name for one in plan.tenants]
    for running in host.members.values():
        for tenant in plan.tenants:
            delete(running, [*everywhere(tenant), *kept_doors(tenant)])
        delete(running, map(namespace, names))
    delete(host.cluster, map(namespace, names))
    for where in (host.cluster, *host.members.values()):
        for name in names:
            await_absence(where, name)


def _end(host: Host, one: Assignment) -> None:
    """Undo an assignment; where that cannot be done, as of a member that is away, end it all the
    same, or the host's own objects would stay."""
    try:
        host.end(one)
    except MeshproofError:
        with suppress(MeshproofError):  # it was never made
            host.reconciler.release(one)
