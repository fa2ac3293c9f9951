"""A mesh on its way from one Istio to another: step by step, looked at after each, while a stream
of calls goes through all of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from meshproof.errors import EvidenceError, MeshproofError
from meshproof.events import Data
from meshproof.expect import Outcome, Verdict
from meshproof.kube.objects import apply
from meshproof.mesh.upgrade import STABLE, Upgrading
from meshproof.model import Deed, Deployment, Stage, Step, revision_of
from meshproof.traffic.settle import settle
from meshproof.traffic.stream import Stream, StreamPlan, streaming
from meshproof.traffic.stream_history import History, kinds_of_loss
from meshproof.traffic.stream_over import Shares, behind_one_gateway, shares_of
from meshproof.workloads.restart import another_sleep, renew_machines, restart_helloworld
from meshproof.workloads.sample import NAMESPACE, Sample, namespace_object

Look = Callable[[Sample, Stage], Mapping[str, Verdict]]
"""What is claimed of a mesh at a stage of its way, by the behaviours' names."""

_FIRST, _REST = 4.0, 2.0
"""Seconds of calls before anything is done; and after each stage was looked at, which takes some
seconds itself."""
_SETTLES_WITHIN = 60.0
"""Seconds: proxies that have lost their istiod try again after up to thirty."""
_LONGEST = 3600.0


@dataclass(frozen=True)
class Passed:
    """A stage that was come to.

    ``begin``: when its step was begun, in seconds since the epoch; ``done``: when that had been
    taken; ``rest``: from when on the mesh was at rest, or was not waited for any longer;
    ``end``: when the next step was begun; ``trouble``: why the step did not come to its end, ""
    when it did; ``verdicts``: on what was claimed then; ``missing``: what it lacked to be at rest,
    "" for nothing.
    """

    stage: Stage
    begin: float
    done: float
    rest: float
    end: float
    trouble: str = ""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    missing: str = ""


@dataclass(frozen=True)
class Transition:
    """A whole way. ``shares``: by caller the smallest part of its calls that each version answers
    meanwhile; ``behind_one``: as ``behind_one_gateway`` has it."""

    deployment: Deployment
    stages: tuple[Passed, ...]
    history: History
    shares: Shares
    behind_one: Mapping[str, Collection[str]] = field(default_factory=dict)

    def at(self, number: int) -> Passed | None:
        """A stage by its number; None where the upgrade did not get so far."""
        return self.stages[number] if number < len(self.stages) else None

    def calls_at(self, passed: Passed) -> History:
        """The calls from the begin of a stage until the next, and what was done meanwhile."""
        begin, end = passed.begin, passed.end
        marks = tuple(one for one in self.history.marks if one.begin < end and one.end > begin)
        return replace(self.history.part(begin, end), marks=marks)

    def verdict(self, number: int, name: str) -> Verdict:
        """What was found of a claim at a stage; INCONCLUSIVE where there was nothing to look at."""
        passed = self.at(number)
        if passed is not None and name in passed.verdicts:
            return passed.verdicts[name]
        observed = self.trouble or f"nothing of the kind is on the way of {self.deployment}"
        return Verdict(Outcome.INCONCLUSIVE, "something to judge at this stage", observed)

    @property
    def trouble(self) -> str:
        """Why the upgrade did not get further; "" when it came to its end."""
        last = self.stages[-1]
        return f"{last.stage.name} did not come to its end: {last.trouble}" if last.trouble else ""


def pass_through(sample: Sample, look: Look) -> Transition:
    """Take a mesh that is as its deployment was installed all the way. ``look``: makes the claims
    of each stage. Afterwards its Istio is another one, and the mesh is marked so for later runs.

    Raises EvidenceError where the deployment has no upgrade, or calls cannot be made.
    """
    mesh = sample.mesh
    course = mesh.deployment.course
    if not course:
        raise EvidenceError(f"{mesh.deployment} is not on the way to another Istio")
    mesh.spoilt = f"it was on its way through an upgrade, {mesh.deployment}"
    passed: list[Passed] = []
    with streaming(sample, plan=StreamPlan(longest=_LONGEST)) as stream:
        stream.flow_for(_FIRST)
        for stage in course:
            passed.append(_pass(sample, stage, passed, stream, look))
            if passed[-1].trouble:
                break
    if stream.history is None:
        raise EvidenceError("the stream of calls has no end")
    more = dict.fromkeys(sample.versions, 1)  # while they are restarted
    shares, behind_one = shares_of(sample, more), behind_one_gateway(sample)
    found = Transition(mesh.deployment, tuple(passed), stream.history, shares, behind_one)
    mesh.lab.recorder.emit("transition", **told(found))
    return found


def _pass(sample: Sample, stage: Stage, before: list[Passed], stream: Stream, look: Look) -> Passed:
    begin, trouble = time.time(), ""
    if stage.step is not None:
        trouble = taken(sample, stage.step, before[-1].stage, stream)
    done = time.time()
    if trouble:
        return Passed(stage, begin, done, done, done, trouble)
    settling = settle(sample, _SETTLES_WITHIN)
    rest = time.time()
    verdicts = look(sample, stage)
    stream.flow_for(_REST)
    return Passed(stage, begin, done, rest, time.time(), "", verdicts, settling.missing)


def taken(sample: Sample, step: Step, before: Stage, stream: Stream) -> str:
    """Take a step; returns why it did not come to its end, "" when it did."""
    try:
        with sample.mesh.lab.recorder.step(str(step)), stream.mark(str(step)):
            take(sample, step, before, stream)
    except MeshproofError as error:
        return str(error)
    return ""


def take(sample: Sample, step: Step, before: Stage, stream: Stream) -> None:
    """Take one step. ``before``: the stage until then. Raises MeshproofError for what does not come
    about."""
    cluster = sample.mesh.cluster(step.cluster)
    if step.deed is Deed.WORKLOADS:
        restart_helloworld(sample, step.cluster)
        another_sleep(sample, step.cluster, lambda new: stream.hand_over(step.cluster, new))
        return
    if step.deed is Deed.MACHINES:
        revision = revision_of(step.version) if sample.mesh.deployment.revision else ""
        renew_machines(sample, step.cluster, step.version, revision)
        return
    Upgrading(sample.mesh).take(step, before.state)
    if step.deed is Deed.TAG:
        # Which pods it is asked for by, from now on.
        apply(cluster, [namespace_object(NAMESPACE, injected=True, revision=STABLE)])


def told(transition: Transition) -> Data:
    """A transition as fields for the record."""
    deployment, upgrade = transition.deployment, transition.deployment.upgrade
    assert upgrade is not None
    begin = transition.history.begin
    return {
        "deployment": str(deployment),
        "from": str(deployment.old),
        "to": str(upgrade.to),
        "strategy": upgrade.strategy.value,
        "planned": len(deployment.course),
        "stages": [_told_of(transition, one, begin) for one in transition.stages],
    }


def _told_of(transition: Transition, one: Passed, begin: float) -> Data:
    calls = transition.calls_at(one)
    outage = calls.outage
    return {
        "number": one.stage.number,
        "name": one.stage.name,
        "begin": round(one.begin - begin, 1),
        "seconds": round(one.done - one.begin, 1),
        "settled": round(one.rest - one.done, 1),
        "missing": one.missing,
        "trouble": one.trouble,
        "calls": len(calls.calls),
        "lost": len(calls.lost),
        "how": kinds_of_loss(calls.lost),
        "outage": round(outage.seconds, 1) if outage is not None else 0.0,
    }
