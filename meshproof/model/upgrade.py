"""From one Istio to another: the steps of an upgrade, and what runs after each. Data, no I/O.

The order is that of Istio's pages: control plane, then gateways, then workloads, by a restart
(https://istio.io/latest/docs/setup/upgrade/in-place/); for a canary a second revision beside the
first, a tag that is moved, and the removal of the first
(https://istio.io/latest/docs/setup/upgrade/canary/).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from meshproof.errors import ModelError
from meshproof.model.member import Member, Role
from meshproof.model.topology import Topology
from meshproof.model.versions import Version

LAST = 0
"""In place of a step's number: after the last one."""


class Strategy(StrEnum):
    """How one Istio follows another."""

    IN_PLACE = "in-place"
    """The new one is installed over the old one."""
    CANARY = "canary"
    """The new one is installed beside the old one, under another revision."""


class Deed(StrEnum):
    """What a step does in its cluster."""

    TAG = "tag"
    """The tag that namespaces ask for names another revision: new pods are injected by that."""
    CONTROL_PLANE = "control plane"
    """istiod, with what it needs of the cluster that it takes for its own."""
    PROFILE = "remote profile"
    """What a cluster has of Istio that another cluster's istiod serves: webhooks, roles, kinds."""
    GATEWAY = "gateway"
    WORKLOADS = "workloads"
    MACHINES = "machines"
    """Istio's package on the machines outside Kubernetes that a cluster serves: by itself, for
    nothing restarts them when their istiod is another one."""
    REMOVAL = "removal"
    """A revision is uninstalled."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``version``: the Istio that is put there, or of a removal the one that goes."""

    deed: Deed
    cluster: str
    version: Version

    def __str__(self) -> str:
        if self.deed is Deed.REMOVAL:
            return f"removal of {self.version} from {self.cluster}"
        return f"{self.deed.value} of {self.cluster}: {self.version}"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """How a mesh gets to another Istio.

    ``to``: that one; ``first``: the cluster whose control plane is the first to be upgraded, ""
    for the topology's own order; ``back_after``: the number of the step after which all goes back
    the way it came, ``LAST`` for the last one, None where it stays.
    """

    to: Version
    strategy: Strategy = Strategy.IN_PLACE
    first: str = ""
    back_after: int | None = None

    def __str__(self) -> str:
        words = [self.strategy.value]
        words += [f"{self.first}-first"] if self.first else []
        if self.back_after is not None:
            words.append(f"back-after-{self.back_after}" if self.back_after else "back")
        return "+".join(words)


@dataclass(frozen=True, slots=True)
class State:
    """Which Istio is what, by cluster.

    ``installed``: those whose control plane, or remote profile, is there; ``injecting``: the one
    that injects new pods; ``gateways`` and ``sidecars``: what these run; ``machines``: by name what
    machines outside Kubernetes run.
    """

    installed: Mapping[str, tuple[Version, ...]]
    injecting: Mapping[str, Version]
    gateways: Mapping[str, Version]
    sidecars: Mapping[str, Version]
    machines: Mapping[str, Version] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """A moment of an upgrade that is judged. ``number``: 0 for the mesh as it was installed, else
    that of the ``step`` that has just been done; ``state``: what runs where now."""

    number: int
    step: Step | None
    state: State

    @property
    def name(self) -> str:
        """As people are told of it."""
        return "as installed" if self.step is None else str(self.step)


def revision_of(version: Version) -> str:
    """What a version's revision is called: "1-31-1". A revision's name has no points
    (https://istio.io/latest/docs/setup/upgrade/canary/)."""
    return str(version).replace(".", "-").lower()


def course(topology: Topology, old: Version, upgrade: Upgrade) -> tuple[Stage, ...]:
    """The stages of an upgrade from one Istio in all clusters, in order, the mesh as it is
    installed first. Raises ModelError for what cannot be."""
    _check(topology, old, upgrade)
    forth = list(_way(topology, upgrade, upgrade.to, old))
    if upgrade.strategy is Strategy.CANARY:
        forth = [Step(Deed.TAG, name, old) for name in topology.workloads] + forth
    back = upgrade.back_after
    if back is not None:
        if not 0 <= back <= len(forth):
            raise ModelError(
                f"there is no step {back}: the upgrade of {topology.name} has {len(forth)}",
                f"give one from 1 to {len(forth)}",
            )
        forth = forth[: back or len(forth)]
    stages = [Stage(0, None, begin(topology, old))]
    for step in forth:
        stages.append(_after(topology, upgrade.strategy, stages[-1], step))
    if back is not None:
        for step in _way(topology, upgrade, old, upgrade.to):
            following = _after(topology, upgrade.strategy, stages[-1], step)
            # What was not changed, or is back already, needs no step.
            if following.state != stages[-1].state:
                stages.append(following)
    return tuple(stages)


def begin(topology: Topology, version: Version) -> State:
    """A mesh with one Istio, as it is installed."""
    proxies = dict.fromkeys(topology.workloads, version)
    gateways = {one.name: version for one in topology.members if one.gateway is not None}
    machines = {one.name: version for one in topology.machines}
    return State(dict.fromkeys(topology.names, (version,)), proxies, gateways, proxies, machines)


def _check(topology: Topology, old: Version, upgrade: Upgrade) -> None:
    if upgrade.to == old:
        raise ModelError(f"an upgrade from {old} to {old} changes nothing", "name two versions")
    if upgrade.strategy is Strategy.CANARY and topology.externals:
        # It looks for them among webhooks, of which there are none where an external istiod runs.
        raise ModelError(
            f"istioctl removes no revision of a control plane outside, as {topology.name} has one",
            f"choose {Strategy.IN_PLACE.value}",
        )
    planes = [one.name for one in topology.control_planes]
    if upgrade.first and upgrade.first not in planes:
        raise ModelError(
            f"no control plane of {topology.name} runs in '{upgrade.first}'",
            f"name {' or '.join(planes)}",
        )


def _way(topology: Topology, upgrade: Upgrade, to: Version, old: Version) -> Iterator[Step]:
    """The steps from one Istio to another: each control plane with all that it serves, before the
    next; a revision is removed when nobody anywhere is left on it."""
    planes = sorted(topology.control_planes, key=lambda one: one.name != upgrade.first)
    for plane in planes:
        served = topology.served_by(plane.name)
        mine = [one for one in (plane, *served) if one.role is not Role.EXTERNAL]
        yield Step(Deed.CONTROL_PLANE, plane.name, to)
        for one in _profiles(topology, plane):
            yield Step(Deed.PROFILE, one.name, to)
        if upgrade.strategy is Strategy.CANARY:
            yield from (Step(Deed.TAG, one.name, to) for one in mine)
        for one in mine:
            if one.gateway is not None:
                yield Step(Deed.GATEWAY, one.name, to)
        yield from (Step(Deed.WORKLOADS, one.name, to) for one in mine)
        if any(one.primary == plane.name for one in topology.machines):
            yield Step(Deed.MACHINES, plane.name, to)
    if upgrade.strategy is Strategy.CANARY:
        for plane in planes:
            yield Step(Deed.REMOVAL, plane.name, old)
            yield from (Step(Deed.REMOVAL, one.name, old) for one in topology.served_by(plane.name))


def _profiles(topology: Topology, plane: Member) -> list[Member]:
    """The remotes of a control plane, but for the one that it takes for its own: what that has of
    Istio belongs to the control plane."""
    own = topology.config_cluster(plane.name)
    return [one for one in topology.served_by(plane.name) if one.name != own]


def _after(topology: Topology, strategy: Strategy, stage: Stage, step: Step) -> Stage:
    number, state = stage.number + 1, stage.state
    beside = strategy is Strategy.CANARY
    match step.deed:
        case Deed.TAG:
            state = replace(state, injecting={**state.injecting, step.cluster: step.version})
        case Deed.GATEWAY:
            state = replace(state, gateways={**state.gateways, step.cluster: step.version})
        case Deed.WORKLOADS:
            state = replace(state, sidecars={**state.sidecars, step.cluster: step.version})
        case Deed.MACHINES:
            there = [one.name for one in topology.machines if one.primary == step.cluster]
            changed = dict.fromkeys(there, step.version)
            state = replace(state, machines={**state.machines, **changed})
        case Deed.REMOVAL:
            left = tuple(one for one in state.installed[step.cluster] if one != step.version)
            state = replace(state, installed={**state.installed, step.cluster: left})
        case Deed.PROFILE:
            state = _installed(state, step.version, [step.cluster], beside=beside)
        case Deed.CONTROL_PLANE:
            places = dict.fromkeys([step.cluster, topology.config_cluster(step.cluster)])
            state = _installed(state, step.version, places, beside=beside)
            if not beside:
                served = [one.name for one in topology.served_by(step.cluster)]
                mine = [one for one in (step.cluster, *served) if one in state.injecting]
                injecting = {**state.injecting, **dict.fromkeys(mine, step.version)}
                state = replace(state, injecting=injecting)
    return Stage(number, step, state)


def _installed(state: State, version: Version, clusters: Iterable[str], *, beside: bool) -> State:
    """What is there after an installation: beside what was there, or in its place."""
    changed = {}
    for name in clusters:
        now = state.installed[name]
        changed[name] = now if version in now else (*(now if beside else ()), version)
    return replace(state, installed={**state.installed, **changed})
