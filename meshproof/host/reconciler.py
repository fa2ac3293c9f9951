"""What a host must be able to do to manage members, whichever program does it; and how it tells of
it. Flux's controllers are the one that is built; another one takes their place by another class."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Readiness(StrEnum):
    """Whether what a source says is so in a member, as the host knows it."""

    READY = "ready"
    FAILED = "failed"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A part of a tenant's source that is kept in force in one member. ``path``: the folder in the
    source; ``name``: its own, by default the member's, whose credentials of the tenant are used;
    ``account``: as which account it is to be applied, "" for the tenant's own; ``every``: seconds
    after which it is seen to again though nobody asks, 0 for as often as the host does by
    itself."""

    tenant: str
    member: str
    path: str = ""
    name: str = ""
    account: str = ""
    every: int = 0

    @property
    def called(self) -> str:
        """Its name in the tenant's namespace."""
        return self.name or self.member

    @property
    def folder(self) -> str:
        """The folder of the source that is applied."""
        return self.path or self.member

    def __str__(self) -> str:
        return f"{self.tenant}/{self.called}"


@dataclass(frozen=True, slots=True)
class State:
    """What the host says of an assignment, where its tenant looks. ``reason`` and ``said``: in the
    reconciler's own words; ``applied``: the revision that is in force as a whole, ``attempted``:
    the one that was tried last; ``handled``: the request that was last done; ``holds``: the objects
    that it keeps, as "kind namespace/name"."""

    readiness: Readiness
    reason: str = ""
    said: str = ""
    applied: str = ""
    attempted: str = ""
    handled: str = ""
    holds: frozenset[str] = frozenset()

    def __str__(self) -> str:
        words = f" ({self.reason}: {self.said[:400]})" if self.reason else ""
        return f"{self.readiness.value}{words}"


class Reconciler(Protocol):
    """What keeps members as sources say."""

    def follow(self, tenant: str) -> None:
        """Take a tenant's source from the registry from now on. Raises LabError."""

    def forget(self, tenant: str) -> None:
        """Take it no more, and wait for the end of that. Raises LabError."""

    def fetch(self, tenant: str, revision: str) -> None:
        """Have a tenant's source read now, and wait until it is of this revision. Raises LabError
        with what the reconciler said."""

    def assign(self, one: Assignment) -> None:
        """Keep a part of a source in force in a member from now on. Raises LabError."""

    def withdraw(self, one: Assignment) -> None:
        """Undo an assignment and all that it holds, and wait for its end. Raises LabError."""

    def release(self, one: Assignment) -> None:
        """End an assignment, and leave what it holds as it is, whatever works and answers. Raises
        LabError."""

    def request(self, one: Assignment) -> str:
        """Ask for an assignment to be made good now; gives what ``State.handled`` will be when that
        was done. Raises LabError."""

    def state(self, one: Assignment) -> State:
        """What the host says of an assignment now. Raises LabError where it knows of none."""
