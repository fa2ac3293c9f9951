"""What is looked at after each step of an upgrade, and claimed there and then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from meshproof.errors import MeshproofError
from meshproof.expect import Outcome, Verdict, calls_to_meet
from meshproof.kube import RunningCluster
from meshproof.mesh.contents import Contents, take_contents
from meshproof.mesh.inventory import Inventory, take_inventory
from meshproof.model import Deed, Stage, Version, revision_of
from meshproof.process import side_by_side
from meshproof.traffic.calls import Plan
from meshproof.traffic.settle import converge
from meshproof.traffic.wire import Watched, watch_from_each
from meshproof.transitions.upgrade import Transition, pass_through
from meshproof.workloads.sample import Sample
from suites.upgrade.claims import (
    clusters_are_read,
    configuration_is_checked,
    every_version_answers,
    is_encrypted,
    new_pods_are_injected,
    nothing_is_left,
    runs_what_is_due,
    ways_stay,
)
from suites.upgrade.global_names import global_names_lead_on
from suites.upgrade.machines import machines_go_on
from suites.upgrade.served import served_by_its_own

DUE, ANSWERS, WAYS, TLS = "runs-what-is-due", "every-version-answers", "ways-stay", "encrypted"
READ, INJECTED, CHECKED = "clusters-are-read", "pods-are-injected", "configuration-is-checked"
MACHINES = "machines-go-on"
SERVED, LEFT, GLOBAL = "served-by-its-own", "nothing-is-left", "global-names-answer"
_GOES_WITHIN = 30.0
# The account of remote secrets, and the kinds of Istio's own objects: istioctl puts its labels on
# them each time, and no uninstallation of a revision removes or mends them (``includeCN`` in
# operator/pkg/uninstall/prune.go).
_COMPONENT, _SHARED = "metadata.labels.operator.istio.io/component", '"Base"'
_BY = "metadata.labels.istio.io/rev"


@dataclass
class Looking:
    """Looks at the stages of one upgrade. ``there``: by cluster what named the revision that goes
    while it was there."""

    there: dict[str, list[str]] = field(default_factory=dict)

    def __call__(self, sample: Sample, stage: Stage) -> dict[str, Verdict]:
        """What is claimed of a stage, by the behaviours' names. What cannot be looked at is
        INCONCLUSIVE, and keeps nobody from going on."""
        watched = _watched(sample)
        claims: dict[str, Callable[[], Verdict]] = {
            DUE: lambda: runs_what_is_due(sample, stage.state),
            ANSWERS: lambda: every_version_answers(watched()),
            WAYS: lambda: ways_stay(watched()),
            TLS: lambda: is_encrypted(watched()),
            READ: lambda: clusters_are_read(sample),
            INJECTED: lambda: new_pods_are_injected(sample, stage.state),
            CHECKED: lambda: configuration_is_checked(sample),
            SERVED: lambda: served_by_its_own(sample, stage.state),
        }
        if sample.topology.machines:
            claims[MACHINES] = lambda: machines_go_on(sample, stage.state)
        if sample.topology.imports:
            claims[GLOBAL] = lambda: global_names_lead_on(sample)
        course, gone = sample.mesh.deployment.course, _removed(sample.mesh.deployment.course)
        if gone is not None:
            revision, removals = revision_of(gone[0]), gone[1]
            if stage.number + 1 == removals[0].number:
                places = [one.step.cluster for one in removals if one.step is not None]
                with suppress(MeshproofError):  # the claim is unclear then, and the way goes on
                    self.there.update(naming_in(sample, revision, places))
            if stage.number == course[-1].number:
                claims[LEFT] = lambda: nothing_is_left(
                    revision, self.there, _left_at_last(sample, revision)
                )
        return {name: _judged(claim) for name, claim in claims.items()}


@dataclass
class Transitions:
    """The upgrades of a run, each made once; one that could not be made is not tried again."""

    made: dict[str, Transition | Exception] = field(default_factory=dict)

    def of(self, sample: Sample) -> Transition:
        """The upgrade of a sample's deployment. Raises what kept it from being made."""
        name = str(sample.mesh.deployment)
        if name not in self.made:
            try:
                self.made[name] = pass_through(sample, Looking())
            except Exception as error:
                self.made[name] = error
        found = self.made[name]
        if isinstance(found, Exception):
            raise found
        return found


def naming(revision: str, contents: Contents, things: Iterable[str]) -> list[str]:
    """The objects that name a revision, by their own names or in what they say. What all revisions
    share bears a label of the one that was installed last, which is no part of it."""
    word = re.compile(rf"(?<![0-9a-z]){re.escape(revision)}(?![0-9a-z])")
    named = {what for what in things if word.search(what)}
    for what, said in contents.items():
        shared = said.get(_COMPONENT) == _SHARED
        told = (text for path in said for text in (path, said[path]) if path != _BY or not shared)
        if word.search(what) or any(map(word.search, told)):
            named.add(what)
    return sorted(named)


def naming_in(sample: Sample, revision: str, clusters: Sequence[str]) -> dict[str, list[str]]:
    """By cluster the objects that name a revision, as ``naming`` finds them. Raises LabError."""
    before = sample.mesh.before

    def found(name: str) -> list[str]:
        return _named_in(sample.mesh.cluster(name), before[name], revision)

    places = list(dict.fromkeys(clusters))
    return dict(zip(places, side_by_side(sample.mesh.shell, found, places), strict=True))


def _left_at_last(sample: Sample, revision: str) -> dict[str, list[str]]:
    """What names a revision once what is deleted with others has had its time to go."""
    names = sample.topology.names
    converge(
        lambda: naming_in(sample, revision, names),
        until=lambda found: not any(found.values()),
        what=f"the end of {revision}",
        within=_GOES_WITHIN,
    )
    return naming_in(sample, revision, names)


def _watched(sample: Sample) -> Callable[[], Sequence[Watched]]:
    """Calls from every cluster, made when they are first asked for."""
    made: list[Sequence[Watched]] = []

    def watched() -> Sequence[Watched]:
        if not made:
            plan = Plan(times=calls_to_meet(sample.smallest_share))
            made.append(watch_from_each(sample, plan))
        return made[0]

    return watched


def _judged(claim: Callable[[], Verdict]) -> Verdict:
    try:
        return claim()
    except MeshproofError as error:
        return Verdict(Outcome.INCONCLUSIVE, "this stage to be looked at", error.cause)


def _removed(course: Sequence[Stage]) -> tuple[Version, list[Stage]] | None:
    """The version that is removed last, and the stages of its removal; None where none is."""
    removals = list(_removals(course))
    if not removals or removals[-1].step is None:
        return None
    version = removals[-1].step.version
    return version, [one for one in removals if one.step and one.step.version == version]


def _removals(course: Sequence[Stage]) -> Iterator[Stage]:
    return (one for one in course if one.step is not None and one.step.deed is Deed.REMOVAL)


def _named_in(cluster: RunningCluster, before: Inventory, revision: str) -> list[str]:
    things = map(str, take_inventory(cluster).new_since(before))
    return naming(revision, take_contents(cluster, before), things)
