"""A host in memory, whose members are as its tenants' sources say until something is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from meshproof.events import Recorder
from meshproof.host.content import Content
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment, Readiness, Reconciler, State
from meshproof.host.usual import usual_plan
from meshproof.kube.objects import Object, title
from meshproof.process import Shell

MEMBERS = ("east", "west")


class PlayedHost(Host):
    """``there``: by member what is in it, by title; ``told``: what the host says of assignments, by
    name, in place of what is so; ``rights``: what accounts may do, as (tenant, member, verb)."""

    def __init__(self) -> None:
        plan = usual_plan(MEMBERS)
        running: dict[str, Any] = {one: played(one) for one in MEMBERS}
        super().__init__(
            played("host"),
            running,
            {one.name: one for one in plan.tenants},
            cast(Reconciler, SimpleNamespace()),
            Recorder(),
            dict(plan.contents),
            dict.fromkeys(plan.contents, "r1"),
        )
        self.there: dict[str, dict[str, Object]] = {one: {} for one in MEMBERS}
        self.told: dict[str, State] = {}
        self.rights = {(t, m, "patch") for t in self.tenants for m in self.tenants[t].members}
        for one in self.assignments():
            self.there[one.member] |= {title(due): due for due in self._due_to(one)}

    def look(self, member: str, one: Object) -> Object | None:
        return self.there[member].get(title(one))

    def may(self, tenant: str, member: str, verb: str, resource: str) -> bool:
        return (tenant, member, verb) in self.rights

    def state(self, one: Assignment) -> State:
        if str(one) in self.told:
            return self.told[str(one)]
        revision = self.revisions[one.tenant]
        holds = frozenset(map(title, self._due_to(one)))
        ready = State(Readiness.READY, "ReconciliationSucceeded", "", revision, revision)
        return replace(ready, holds=holds)

    def make_good(
        self, assignments: Iterable[Assignment], within: float = 0.0
    ) -> dict[Assignment, State]:
        return {one: self.state(one) for one in assignments}

    def say(self, name: str, readiness: Readiness, said: str = "") -> None:
        """What the host says of an assignment from now on."""
        self.told[name] = State(readiness, "Reason", said, "r0", "r1")

    def push(self, tenant: str, content: Content) -> None:
        """What a tenant's source says from now on, without anything being done about it."""
        self.contents[tenant] = content

    def _due_to(self, one: Assignment) -> list[Object]:
        content = self.contents[one.tenant]
        return content.due(one.member) if one.member in content.members else []


def played(name: str) -> Any:
    """A cluster of that name, of which nothing is asked but that."""
    return SimpleNamespace(name=name, api=name, shell=Shell())
