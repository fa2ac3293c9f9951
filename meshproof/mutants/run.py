"""A whole run: the mutated istiod is built, a lab kept for each shape, its mutants gone through."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import meshproof
from meshproof.artifacts import default_wanted
from meshproof.errors import MeshproofError
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
    read,
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


@dataclass
class Run:
    """``folder``: for the results, and a folder of evidence for each mutant; ``results``: also of
    an earlier run in the same folder, which this one goes on with."""

    mutated: Mutated
    folder: Path
    results: dict[str, Result] = field(default_factory=dict)
    controls: list[Held] = field(default_factory=list)

    @classmethod
    def prepared(cls, session: Session, folder: Path) -> Run:
        """Make the program with every mutant in it, and read the results that the folder has.

        ``session``: one whose Istio is somebody's own tree, or else the newest of the catalog.
        Raises ArtifactError, UsageError.
        """
        mutated = program_for(session, default_wanted().istio[-1])
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(mutated, folder)
        if folder.joinpath(RESULTS).exists():
            run.results = {one.id: one for one in read(folder / RESULTS).results}
        return run

    def all(
        self, session: Session, mutants: Sequence[Mutant], *, thorough: bool, keep: bool
    ) -> None:
        """Go through the mutants, shape by shape; the results are written down after each.

        ``thorough``: judge plain distribution of each, too, and all behaviours where the one
        that must notice does not; ``keep``: leave the labs in place. A lab that does not come up
        is told, and leaves its mutants without results.
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

    def _on(
        self,
        session: Session,
        name: str,
        mutants: Sequence[Mutant],
        *,
        thorough: bool,
        keep: bool,
    ) -> None:
        left, tries = list(mutants), 0
        while left:
            course = self._course(session, name, thorough=thorough)
            try:
                self._begin(course, name, left)
                while left:
                    self._note(course.run(left[0]))
                    self._tell(session, name, left.pop(0), len(mutants) - len(left), len(mutants))
                    tries = 0
            except LabLostError as error:
                session.recorder.emit("notice", text=f"the lab is made anew: {error}")
                tries += 1
                if tries >= _TRIES:
                    one = left.pop(0)
                    lost = undecided(one, error.cause)
                    self._note(lost.model_copy(update={"digest": digest_of(one)}))
                    tries = 0
                take_away(session, course.bench.lab)
            except BaseException:
                self._leave(session, course, keep=keep)
                raise
            else:
                self._leave(session, course, keep=keep)

    def _course(self, session: Session, name: str, *, thorough: bool) -> Course:
        topology, kubernetes = topology_named(name), session.wanted.kubernetes
        releases = Releases(self.mutated.version)
        deployment = Deployment(topology, releases.on(topology), kubernetes, Mtls.STRICT)
        lab = make(session, deployment)
        tree = session.choices.checkout
        bench = Bench(lab, name, tree, session.engine.name, str(kubernetes))
        folder = self.folder / name
        return Course(session, deployment, bench, self.mutated.program, folder, thorough)

    def _begin(self, course: Course, name: str, mutants: Sequence[Mutant]) -> None:
        begin = time.monotonic()
        course.begin(mutants)
        self.controls = [one for one in self.controls if one.topology != name]
        self.controls.append(held_by(course.control, name, time.monotonic() - begin))
        self._write()

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
            istio=str(self.mutated.version).partition("-")[0],
            controls=tuple(self.controls),
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
