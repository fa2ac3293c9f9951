"""Waits until a change has reached the proxies. It judges nothing: what does not come is found
by the tests, which then fail with what they see; but for what a claim stands on (``require``)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from meshproof.errors import EvidenceError, MeshproofError, WaitTimeoutError
from meshproof.kube.workload import Workload
from meshproof.mesh.istiod import unread_clusters
from meshproof.mesh.mesh import Mesh, Settling, Way
from meshproof.model import Deployment, Mtls
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.drain import draining
from meshproof.traffic.machines import by_gateway, known_versions
from meshproof.traffic.response import Response
from meshproof.wait import eventually
from meshproof.workloads.machine import MachineWorkload
from meshproof.workloads.sample import Sample

Seen = TypeVar("Seen")

# By a connection each: both of a proxy's workers are met, and what each keeps open to servers.
_CALLS = 24
_WITHIN = 30.0
# After a re-wiring a proxy, or istiod, may hold a connection that the other end has given up: it
# finds out by its keepalive, after half a minute.
_SETTLED_WITHIN = 60.0
# Only a machine that is very busy takes so long: whoever gives up earlier could not tell.
_REQUIRED_WITHIN = 60.0


def settle(sample: Sample, within: float = _SETTLED_WITHIN) -> Settling:
    """Wait until sleep in every cluster is answered by every version it can reach, with mTLS or
    without as the mesh says, and callers without a sidecar as well unless it is strict, and no
    connection from before a change is left; or until ``within`` seconds have passed for the one,
    and half a minute for the other. Returns how long that took, and what is missing; both are
    recorded."""
    names = sample.clusters
    callers = [sample.caller(name) for name in names]
    recorder = sample.mesh.lab.recorder

    def look() -> str:
        seen = side_by_side(sample.mesh.shell, lambda one: _unsettled(sample, one), callers)
        machines = sample.machines.values()
        seen += side_by_side(
            sample.mesh.shell, lambda one: _unsettled_machine(sample, one), machines
        )
        return "; ".join(text for text in seen if text)

    begin = time.monotonic()
    with recorder.step("wait until the proxies know the way"):
        looking = _Look(look, until=lambda missing: missing == "")
        with suppress(WaitTimeoutError):
            eventually(looking, what="the mesh", within=within)
        missing = looking.last
        if missing:
            missing += _said_by_istiods(sample.mesh)
        elif not await_drained(sample):
            missing = "connections from before a change are not closed"
    settling = Settling(time.monotonic() - begin, missing)
    seconds, deployment = round(settling.seconds, 1), str(sample.mesh.deployment)
    recorder.emit(
        "settled",
        deployment=deployment,
        seconds=seconds,
        missing=missing,
        gateways=_gateways(sample.mesh),
    )
    return settling


def _gateways(mesh: Mesh) -> dict[str, str]:
    """The cluster that each east-west gateway is in, by its "address:port"."""
    return {
        str(Way(address, member.gateway.port)): member.name
        for member in mesh.deployment.topology.members
        if member.gateway is not None and (address := mesh.gateway(member.name)) is not None
    }


def await_drained(sample: Sample) -> bool:
    """Wait until no proxy that calls arrive at has connections left from before a change, or
    half a minute has passed. Returns whether that came about."""
    return converge(
        lambda: draining(sample), until=lambda names: names == "", what="the end of draining"
    )


def await_healed(sample: Sample, undone: Callable[[], bool], what: str) -> None:
    """After a claim's own changes: wait until what it needed is undone in the proxies, and no
    connection from before is left. A mesh that does not get there, or cannot be looked at, is
    marked, and used by nobody else."""
    if not converge(undone, what=what):
        sample.mesh.mark_dirty(f"{what} did not come about")
        return
    if not await_drained(sample):
        sample.mesh.mark_dirty(f"after {what} connections from before were not closed")


def healed(sample: Sample) -> None:
    """After something was broken on purpose: wait until the mesh is at rest again, or mark it."""
    settling = settle(sample)
    if not settling.came_about:
        sample.mesh.mark_dirty(f"it did not heal from what was broken: {settling.missing}")


@contextmanager
def mtls_mode(sample: Sample, mode: Mtls) -> Iterator[None]:
    """The mesh has another mTLS mode inside the block; afterwards what set its own is there again,
    or is not, as it was found."""
    own = sample.mesh.deployment
    try:
        with sample.mesh.mtls_as_found():
            turn(sample, replace(own, mtls=mode))
            yield
    finally:
        sample.mesh.deployment = own
        _await_mode(sample)


def turn(sample: Sample, deployment: Deployment) -> None:
    """Make the mesh the deployment, which differs from its own in the mTLS mode alone."""
    sample.mesh.set_mtls(deployment.mtls)
    sample.mesh.deployment = deployment
    _await_mode(sample)


def _await_mode(sample: Sample) -> None:
    sample.mesh.settling = settle(sample)
    if not sample.mesh.settling.came_about:
        mode, missing = sample.mesh.deployment.mtls.value, sample.mesh.settling.missing
        sample.mesh.mark_dirty(f"it did not turn to mTLS {mode}: {missing}")


def converge(
    look: Callable[[], Seen],
    *,
    until: Callable[[Seen], bool] = bool,
    what: str = "a change",
    within: float = _WITHIN,
) -> bool:
    """Look until the change is seen, or ``within`` seconds have passed: then the test that
    follows says what is there instead. Returns whether it was seen. What cannot be looked at
    now, as a proxy that does not answer, may be later."""
    with suppress(WaitTimeoutError):
        return eventually(_Look(look, until), what=what, within=within)
    return False


def arrive(
    mesh: Mesh,
    look: Callable[[], Seen],
    *,
    until: Callable[[Seen], bool] = bool,
    what: str,
    within: float = _WITHIN,
) -> bool:
    """Look, as ``converge`` does, until what was applied is seen where it acts. What does not
    arrive is noted in the mesh: a claim that holds all the same is INCONCLUSIVE then."""
    arrived = converge(look, until=until, what=what, within=within)
    if not arrived:
        mesh.unmet.append(what)
    return arrived


def require(
    look: Callable[[], Seen],
    *,
    until: Callable[[Seen], bool] = bool,
    what: str,
    within: float = _REQUIRED_WITHIN,
) -> None:
    """Look, as ``converge`` does, until what a claim stands on is seen.

    For what was broken on purpose: a claim that is made of it before it is in force proves
    nothing, whether it holds or not. Raises EvidenceError, which makes the test INCONCLUSIVE and
    names what was waited for and what was seen last, after ``within`` seconds.
    """
    looking = _Look(look, until)
    try:
        eventually(looking, what=what, within=within)
    except WaitTimeoutError:
        seen = f"{what} did not come about within {within:.0f} s; last seen: {looking.last}"
        raise EvidenceError(f"nothing can be claimed: {seen}") from None


@dataclass
class _Look(Generic[Seen]):
    """A probe for ``eventually`` that takes errors for "not yet". ``last``: what it saw, or the
    error, in words."""

    look: Callable[[], Seen]
    until: Callable[[Seen], bool]
    last: str = "nothing"

    def __call__(self) -> bool:
        try:
            found = self.look()
        except MeshproofError as error:
            self.last = str(error)[:1500]
            return False
        self.last = str(found)[:1500]
        return self.until(found)


def reachable(sample: Sample, caller: str) -> dict[str, str]:
    """The versions that a caller can reach, with their clusters: those that its istiod knows of;
    across networks there is no way without mTLS, and with mTLS not to a cluster that nobody vouches
    for."""
    mesh = sample.mesh.deployment
    own = mesh.topology[caller]

    def reaches(cluster: str) -> bool:
        other = mesh.topology[cluster]
        if not mesh.topology.knows(caller, cluster):
            return False
        if mesh.mtls is Mtls.DISABLED:
            return own.network == other.network
        return mesh.vouches(caller, cluster)

    return {version: home for version, home in sample.versions.items() if reaches(home)}


def reachable_by(sample: Sample, caller: Workload) -> dict[str, str]:
    """The same of a caller that may be a machine, with the versions on machines as well."""
    if not sample.topology.machines:
        return reachable(sample, caller.cluster)
    found = known_versions(sample, caller)
    if sample.mesh.deployment.mtls is not Mtls.DISABLED:
        return found
    # Plain text does not pass gateways.
    return {one: home for one, home in found.items() if not by_gateway(sample, caller, one)}


def _unsettled(sample: Sample, caller: Workload) -> str:
    responses = call(sample, caller, Plan(times=_CALLS, fresh=True))
    due = reachable(sample, caller.cluster)
    if sample.mesh.deployment.mtls is not Mtls.DISABLED:
        due |= sample.machine_versions(caller.cluster)
    missing = due.keys() - {one.version for one in responses}
    if missing:
        return f"{caller.cluster} does not reach {', '.join(sorted(missing))}"
    failed = [one for one in responses if not one.succeeded]
    mesh = sample.mesh.deployment
    # A cluster that nobody vouches for is called, and refused; one without a way is not called; who
    # has a way to nobody fails each time.
    vouched = all(mesh.vouches(caller.cluster, one) for one in sample.homes)
    refusing = not vouched and mesh.mtls is not Mtls.DISABLED
    if failed and due and not refusing:
        return f"{caller.cluster}: {len(failed)} calls fail, such as {failed[0]}"
    if not _as_the_mode_says(sample, responses):
        return f"{caller.cluster}: other mTLS mode"
    if caller.cluster not in sample.homes:
        return ""  # who has no sidecar is answered by instances of his own cluster alone
    # Strict and permissive look alike from sidecar to sidecar.
    outsider = call(sample, sample.outsider(caller.cluster), Plan(patience=3))[0]
    open_to_all = sample.mesh.deployment.mtls is not Mtls.STRICT
    return "" if outsider.succeeded is open_to_all else f"{caller.cluster}: {outsider} outside"


def _unsettled_machine(sample: Sample, machine: MachineWorkload) -> str:
    """The same of a machine, which is served as callers of its cluster are."""
    responses = call(sample, machine, Plan(times=_CALLS, fresh=True))
    due = reachable_by(sample, machine)
    if missing := due.keys() - {one.version for one in responses}:
        return f"machine {machine.name} does not reach {', '.join(sorted(missing))}"
    failed = [one for one in responses if not one.succeeded]
    if failed:
        return f"machine {machine.name}: {len(failed)} calls fail, such as {failed[0]}"
    right = _as_the_mode_says(sample, responses)
    return "" if right else f"machine {machine.name}: other mTLS mode"


def _said_by_istiods(mesh: Mesh) -> str:
    """Which clusters istiods do not read, as the end of a sentence; "" when they read all, or do
    not say."""
    said = ""
    for member in mesh.deployment.topology.control_planes:
        with suppress(MeshproofError):
            states = unread_clusters(mesh, member.name)
            said += "".join(f"; {one} is {states[one]} to {member.name}'s istiod" for one in states)
    return said


def _as_the_mode_says(sample: Sample, responses: Sequence[Response]) -> bool:
    answered = [one for one in responses if one.succeeded]
    encrypted = [bool(one.log and one.log.upstream_peer) for one in answered]
    return not any(encrypted) if sample.mesh.deployment.mtls is Mtls.DISABLED else all(encrypted)
