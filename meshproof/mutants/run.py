"""A whole run: the mutated istiod is built, a lab kept for each shape, its mutants gone through."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import meshproof
from meshproof.artifacts import default_wanted
from meshproof.errors import MeshproofError, UsageError
from meshproof.files import topology_named
from meshproof.model import Deployment, Mtls, Releases
from meshproof.mutants.campaign import Course, LabLostError
from meshproof.mutants.catalogue import Mutant
from meshproof.mutants.control import Control
from meshproof.mutants.held import make, take_away
from meshproof.mutants.judging import Bench
from meshproof.mutants.program import Mutated, program_for
from meshproof.mutants.results import (
    Campaign,
    Held,
    Notice,
    Outcome,
    Result,
    digest_of,
    left,
    together,
    undecided,
    write,
)
from meshproof.run.session import Session

SHAPES = {
    "flat": "primary-remote-flat",
    "split": "primary-remote-split-horizon",
    "primaries": "multi-primary-split-horizon",
}
"""The topology of each shape: one istiod for both clusters, so that there is one to switch; but for
what is judged with several alone."""
RESULTS = "mutants.json"
_TRIES = 2
"""On how many labs a mutant is tried that leaves one unusable."""
_AT_ONCE = 10
"""For so many mutants the control run is made at once: whatever time there is, little of it is for
mutants that it does not suffice for."""
_MUTANT_TAKES, _LAB_TAKES = 150.0, 240.0
"""Seconds, as long as nothing is known of this machine."""


@dataclass
class Run:
    """``folder``: for the results, and a folder of evidence for each mutant; ``results`` and
    ``controls``: also of an earlier run, which this one goes on with; ``until``: by when, on the
    monotonic clock, it is to be over, None for as long as it takes: without an end, what nobody
    notices who must is judged by all behaviours; ``longest``: what a mutant has taken at most."""

    mutated: Mutated
    folder: Path
    results: dict[str, Result] = field(default_factory=dict)
    controls: tuple[Held, ...] = ()
    until: float | None = None
    longest: float = 0.0

    @classmethod
    def prepared(cls, session: Session, folder: Path, earlier: Campaign | None = None) -> Run:
        """Make the program with every mutant in it.

        ``session``: one whose Istio is somebody's own tree, or else the newest of the catalog;
        ``earlier``: the results of the run that this one goes on with. Raises ArtifactError;
        UsageError when those are of another Istio.
        """
        mutated = program_for(session, default_wanted().istio[-1])
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(mutated, folder)
        if earlier is not None:
            if earlier.istio != run.istio:
                raise UsageError(
                    f"the run to go on with is of Istio {earlier.istio}, this one of {run.istio}",
                    "leave --resume out",
                )
            run.results = {one.id: one for one in earlier.results}
            run.controls = earlier.controls
            run._write()
        return run

    @property
    def istio(self) -> str:
        """The version that istiods with the mutants say they are."""
        return str(self.mutated.version).partition("-")[0]

    def all(
        self, session: Session, mutants: Sequence[Mutant], *, thorough: bool, keep: bool
    ) -> None:
        """Go through the mutants, shape by shape; the results are written down after each.

        ``thorough``: judge plain distribution of each, too, and, where there is no end of the time,
        all behaviours where the one that must notice does not; ``keep``: leave the labs in place.
        A lab that does not come up is told, and leaves its mutants without results; so does the
        end of the time.
        """
        for one in mutants:
            if one.id in self.mutated.unfit:
                why = self.mutated.unfit[one.id]
                self._note(Result(id=one.id, outcome=Outcome.UNFIT, why=why, digest=digest_of(one)))
        for shape, name in SHAPES.items():
            fitting = [one for one in mutants if one.id not in self.mutated.unfit]
            todo = [one for one in fitting if one.topology == shape]
            if not todo:
                continue
            try:
                self._on(session, name, todo, thorough=thorough, keep=keep)
            except MeshproofError as error:
                text = f"{name}: its mutants could not be gone through: {error}"
                session.recorder.emit("notice", text=text)
        rest = left(mutants, self.results.values())
        if rest and self.until is not None:
            text = f"{len(rest)} mutants are left: go on with --resume {self.folder}"
            session.recorder.emit("notice", text=text)

    def _on(
        self,
        session: Session,
        name: str,
        mutants: Sequence[Mutant],
        *,
        thorough: bool,
        keep: bool,
    ) -> None:
        todo, lost = list(mutants), Counter[str]()
        while todo and not self._is_late(_LAB_TAKES):
            course = self._course(session, name, thorough=thorough)
            try:
                self._through(session, course, name, todo, len(mutants))
            except LabLostError as error:
                session.recorder.emit("notice", text=f"the lab is made anew: {error}")
                one = todo[0]
                lost[one.id] += 1
                if lost[one.id] >= _TRIES:
                    del todo[0]
                    result = undecided(one, error.cause)
                    self._note(result.model_copy(update={"digest": digest_of(one)}))
                take_away(session, course.bench.lab)
            except BaseException:
                self._leave(session, course, keep=keep)
                raise
            else:
                self._leave(session, course, keep=keep)

    def _through(
        self, session: Session, course: Course, name: str, todo: list[Mutant], of: int
    ) -> None:
        """Go through the mutants on one lab, as far as there is time. ``todo``: from which each is
        taken that is done; ``of``: how many there were."""
        prepared: set[str] = set()
        before, began = self.controls, 0.0
        while todo and not self._is_late():
            one, begin = todo[0], time.monotonic()
            if one.id not in prepared:
                part = todo[:_AT_ONCE]
                course.begin(part)
                prepared |= {some.id for some in part}
                began += time.monotonic() - begin
            result = course.run(one)
            self.controls = together([*before, held_by(course.control, name, began)])
            self._note(result)
            self.longest = max(self.longest, self.results[one.id].seconds)
            del todo[0]
            self._tell(session, name, one, of - len(todo), of)

    def _is_late(self, besides: float = 0.0) -> bool:
        """Whether another mutant would not be done in time, with what it takes ``besides``."""
        takes = besides + (self.longest or _MUTANT_TAKES)
        return self.until is not None and time.monotonic() + takes > self.until

    def _course(self, session: Session, name: str, *, thorough: bool) -> Course:
        topology, kubernetes = topology_named(name), session.wanted.kubernetes
        releases = Releases(self.mutated.version)
        deployment = Deployment(topology, releases.on(topology), kubernetes, Mtls.STRICT)
        lab = make(session, deployment)
        tree = session.choices.checkout
        bench = Bench(lab, name, tree, session.engine.name, str(kubernetes))
        folder = self.folder / name
        others = thorough and self.until is None
        return Course(session, deployment, bench, self.mutated.program, folder, thorough, others)

    @staticmethod
    def _leave(session: Session, course: Course, *, keep: bool) -> None:
        if not keep:
            take_away(session, course.bench.lab)

    def _tell(self, session: Session, name: str, mutant: Mutant, done: int, of: int) -> None:
        outcome = self.results[mutant.id].outcome.value
        session.recorder.emit("notice", text=f"{done} of {of} on {name}: {mutant.id} {outcome}")

    def _note(self, result: Result) -> None:
        self.results[result.id] = result
        self._write()

    def _write(self) -> None:
        campaign = Campaign(
            meshproof=meshproof.__version__,
            istio=self.istio,
            controls=self.controls,
            results=tuple(self.results.values()),
        )
        write(self.folder / RESULTS, campaign)


def held_by(control: Control, topology: str, seconds: float) -> Held:
    """What the results tell of a control run."""
    why = {one: control.why_not(one) for one in control.behaviours}
    return Held(
        topology=topology,
        held=tuple(one for one, reason in why.items() if not reason),
        not_held=tuple(Notice(behaviour=one, words=text) for one, text in why.items() if text),
        seconds=round(seconds, 1),
    )
