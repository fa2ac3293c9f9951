"""Members that are away from their host, and hosts that are gone."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.faults.between import partitioned
from meshproof.host.credentials import API_PORT
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment, Readiness
from meshproof.kube import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.lab import Lab
from meshproof.mesh.inventory import objects_of, survey
from meshproof.process import side_by_side
from meshproof.traffic.settle import converge
from meshproof.traffic.stream import Stream
from meshproof.traffic.stream_over import Found, over
from meshproof.workloads.sample import Sample
from suites.hosts.claims import arrives_in

CATCHES_UP_WITHIN = 120.0
"""Seconds, ours: what failed is tried again every five, and one try may take half a minute to be
given up, or longer on a connection from before."""
REVOKED_WITHIN = 60.0
"""Seconds, ours: an API server goes on for ten with a token that it has seen."""
EVERY = 20
"""Seconds between two looks at a member, where a test waits for one that nobody asks for."""
UNDONE_WITHIN = 45.0
"""Seconds, ours: the time between two looks, which Flux varies by a twentieth, and that of one."""
_REFUSED = ("unauthorized", "logged in", "provide credentials")
"""How an API server, or its client, calls it."""
_MIDDLE = 5
_GONE_FOR = 20.0
"""Seconds in which calls go on without the host: its controllers try twice meanwhile."""


@contextmanager
def away(lab: Lab, host: str, members: Iterable[str]) -> Iterator[None]:
    """Nothing passes between the host and these members inside the block, in either direction."""
    pairs = [pair for name in members for pair in ((host, name), (name, host))]
    with partitioned(lab, pairs):
        yield


def catches_up(host: Host, one: Assignment, within: float = CATCHES_UP_WITHIN) -> Verdict:
    """An assignment comes to be in force by itself, at the revision that was pushed last, within so
    many seconds. INCONCLUSIVE: it is in force to begin with."""
    revision = host.revisions[one.tenant]
    expected = f"{one} to come to be in force within {within:.0f} s, unasked"

    def there() -> bool:
        state = host.state(one)
        return state.readiness is Readiness.READY and state.applied == revision

    begin = time.monotonic()
    if there():
        return Verdict(Outcome.INCONCLUSIVE, expected, "it is, to begin with")
    came = converge(there, what=expected, within=within)
    seconds = time.monotonic() - begin
    if not came:
        return Verdict(Outcome.FAIL, expected, f"after {seconds:.0f} s {one} is {host.state(one)}")
    return Verdict(Outcome.PASS, expected, f"it took {seconds:.0f} s")


def undone_unasked(host: Host, tenant: str, member: str, within: float = UNDONE_WITHIN) -> Verdict:
    """What differs in a member from what a tenant's source says comes to be as it says by itself,
    within so many seconds. INCONCLUSIVE: nothing differs to begin with."""
    expected = f"{member} to come to be as {tenant}'s source says within {within:.0f} s, unasked"
    begin = time.monotonic()
    if arrives_in(host, tenant, member).outcome is not Outcome.FAIL:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing differs to begin with")

    def undone() -> bool:
        return arrives_in(host, tenant, member).outcome is Outcome.PASS

    came = converge(undone, what=expected, within=within)
    seconds = time.monotonic() - begin
    if not came:
        left = arrives_in(host, tenant, member).observed
        return Verdict(Outcome.FAIL, expected, f"after {seconds:.0f} s {left}")
    return Verdict(Outcome.PASS, expected, f"it took {seconds:.0f} s")


@contextmanager
def seen_to(host: Host, one: Assignment) -> Iterator[None]:
    """An assignment is seen to as often as it says inside the block, which begins when it just was;
    afterwards as seldom as ever. Raises LabError."""
    try:
        host.reconciler.assign(one)
        host.require(host.make_good([one]))
        yield
    finally:
        host.reconciler.assign(replace(one, every=0))


def notices_revocation(host: Host, one: Assignment, within: float = REVOKED_WITHIN) -> Verdict:
    """The host comes to say of an assignment that its credential is refused, when it is told to
    make it good, and names it; and nothing of the sort of any other. INCONCLUSIVE: it was not in
    force to begin with."""
    expected = f"the host to say within {within:.0f} s that {one} alone is refused"
    if host.state(one).readiness is not Readiness.READY:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"to begin with it is {host.state(one)}")
    begin = time.monotonic()

    def refused() -> bool:
        return host.make_good([one])[one].readiness is Readiness.FAILED

    came = converge(refused, what=expected, within=within)
    states = host.make_good(host.assignments())
    evidence = {str(each): str(state) for each, state in states.items()}
    if not came or states[one].readiness is not Readiness.FAILED:
        return Verdict(Outcome.FAIL, expected, f"{one} is {states[one]}", evidence)
    if not any(word in states[one].said.lower() for word in _REFUSED):
        observed = f"{one} has failed without a word of a credential: {states[one]}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    others = [each for each, state in states.items() if state.readiness is not Readiness.READY]
    others.remove(one)
    if others:
        return Verdict(Outcome.FAIL, expected, f"{others[0]} has failed as well", evidence)
    took = f"noticed {time.monotonic() - begin:.0f} s after it was taken back"
    return Verdict(Outcome.PASS, expected, took, evidence)


def without_the_host(
    sample: Sample, host: Host, meanwhile: Callable[[ExitStack], object] = lambda _: None
) -> Found:
    """Calls within members while the host is out of reach of all of them, and comes back.

    ``meanwhile``: what else is done as soon as it is; what it puts on the stack is undone when the
    host is back. Raises what ``over`` raises.
    """

    def doing(stream: Stream, _: ExitStack) -> None:
        with ExitStack() as gone:
            with stream.mark(f"{host.cluster.name} is out of reach"):
                gone.enter_context(away(sample.mesh.lab, host.cluster.name, host.members))
                meanwhile(gone)
            stream.flow_for(_GONE_FOR)
            with stream.mark(f"{host.cluster.name} is there again"):
                gone.close()
        stream.flow_for(_GONE_FOR)

    return over(sample, doing)


@dataclass(frozen=True)
class Traces:
    """What would tell of a cluster: its API server's address, and its authority's certificate.
    ``of``: the cluster."""

    of: str
    words: tuple[str, ...]

    def found_in(self, text: str) -> bool:
        """Whether one of them is in a text, as it is or in base64."""
        return any(word in text for word in self.words)


def traces_of(cluster: RunningCluster) -> Traces:
    """What would tell of a cluster wherever it is written."""
    address = str(cluster.control_plane.address)
    authority = _authority(cluster)
    # A line from the middle of the certificate, wherever it is not in base64 once more.
    line = base64.b64decode(authority).decode().splitlines()[_MIDDLE]
    return Traces(cluster.name, (f"{address}:{API_PORT}", authority, line))


def nothing_of_the_host(host: Host) -> Verdict:
    """No object of any member holds an address of the host's API server, or the certificate that it
    is known by. As a control, objects of the host hold both of each member. INCONCLUSIVE: they are
    not seen there."""
    expected = f"nothing in {', '.join(host.members)} to tell of {host.cluster.name}"
    for member in host.members.values():
        if not _holding(host.cluster, traces_of(member)):
            observed = f"nothing in {host.cluster.name} is seen to tell of {member.name} either"
            return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    own = traces_of(host.cluster)
    members = list(host.members.values())
    told = side_by_side(host.cluster.shell, lambda one: _holding(one, own), members)
    return all_of(
        Verdict(Outcome.FAIL, expected, f"in {member.name} {', '.join(found)} do")
        if found
        else Verdict(Outcome.PASS, expected, f"none of the objects of {member.name} does")
        for member, found in zip(members, told, strict=True)
    )


def _holding(cluster: RunningCluster, traces: Traces) -> list[str]:
    """The objects of a cluster that tell of another. Raises LabError."""
    found = []
    with lab_errors(f"read all objects of {cluster.name}"):
        for resource in survey(cluster.api):
            for one in objects_of(cluster.api, resource):
                if traces.found_in(_read(one)):
                    metadata = one["metadata"]
                    where = f"{metadata.get('namespace', '')}/{metadata['name']}".lstrip("/")
                    found.append(f"{resource.kind} {where}")
    return found


def _read(one: dict[str, object]) -> str:
    """An object as text, with what is in base64 in it read as well."""
    data = one.get("data")
    values = data.values() if isinstance(data, dict) else []
    return json.dumps(one) + "".join(_decoded(str(value)) for value in values)


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode(errors="replace")
    except ValueError:
        return ""


def _authority(cluster: RunningCluster) -> str:
    """The certificate of a cluster's authority, as kubeconfigs have it."""
    return base64.b64encode(Path(cluster.api.configuration.ssl_ca_cert).read_bytes()).decode()
