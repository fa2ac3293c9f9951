"""A member that joins a host: before it has an entry in any source it is nobody's, then it has what
is for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from meshproof.host.content import Content
from meshproof.host.credentials import revoke
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment, State
from meshproof.kube.objects import Object, await_absence


@dataclass
class Newcomer:
    """A member that is to join. ``usual``: what each tenant's source says once it has; ``joined``:
    whether it has."""

    host: Host
    name: str
    usual: Mapping[str, Content]
    joined: bool = False

    @property
    def due(self) -> list[Object]:
        """What tenants' sources will have for it."""
        mine = (content for content in self.usual.values() if self.name in content.members)
        return [one for content in mine for one in content.due(self.name)]

    def join(self) -> tuple[dict[Assignment, State], float]:
        """Let it be a member: each tenant's source has its entry, and the member gives each a
        token. Gives what the host says then of what tenants have there, and how many seconds it
        took. Raises LabError."""
        host, begin = self.host, time.monotonic()
        states: dict[Assignment, State] = {}
        with host.recorder.step(f"{self.name} joins {host.cluster.name}"):
            for tenant in list(host.tenants.values()):
                if self.name not in self.usual[tenant.name].members:
                    continue
                host.deliver(tenant.name, self.usual[tenant.name])
                host.admit(tenant, self.name)
                states |= host.make_good([Assignment(tenant.name, self.name)])
        self.joined = True
        return states, time.monotonic() - begin


@contextmanager
def outside(host: Host, member: str) -> Iterator[Newcomer]:
    """A member of a host is none at the beginning of the block: no source has an entry for it, it
    has nothing that was pushed, and the tokens that it gave are worth nothing. What is not as it
    was before at the end of the block is made so. Raises LabError or WaitTimeoutError."""
    newcomer = Newcomer(host, member, dict(host.contents))
    mine = [one for one in host.tenants.values() if member in one.members]
    try:
        for tenant in reversed(mine):
            host.end(Assignment(tenant.name, member))
            host.deliver(tenant.name, _without(host.contents[tenant.name], member))
        for tenant in mine:
            if tenant.manages:
                revoke(host.members[member], tenant)
            else:  # all that it is there was pushed, and its tokens have gone with its account
                await_absence(host.members[member], tenant.name)
        yield newcomer
    finally:
        if not newcomer.joined:
            newcomer.join()
        host.require(host.make_good(host.assignments()))


def _without(content: Content, member: str) -> Content:
    kept = {name: overlay for name, overlay in content.members.items() if name != member}
    return replace(content, members=kept)
