"""Switches mutants on one after another, shows each in force, has it judged, and heals it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from meshproof.errors import LabError, MeshproofError
from meshproof.faults.credential import rewritten
from meshproof.faults.discovery import unread
from meshproof.kube.seam import in_words
from meshproof.mesh.configuration import configured
from meshproof.model import Deployment
from meshproof.mutants import views
from meshproof.mutants.catalogue import Mutant, settings
from meshproof.mutants.control import PASS, Control, not_judged
from meshproof.mutants.held import held
from meshproof.mutants.istiods import State, command_of, states, switch
from meshproof.mutants.judging import Bench, judge
from meshproof.mutants.results import (
    PLAIN,
    Outcome,
    Result,
    broken,
    digest_of,
    noticed,
    plainly,
    undecided,
)
from meshproof.mutants.views import Seen
from meshproof.report import Judged
from meshproof.run.session import Session
from meshproof.traffic.connected import await_proxies
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled, usual


class LabLostError(LabError):
    """The lab cannot be used any more, and is to be made anew."""


@dataclass
class Course:
    """One lab's mutants. ``program``: with all of them in it; ``folder``: for evidence, one folder
    a mutant; ``thorough``: whether plain distribution is judged of each as well; ``others``:
    whether all behaviours are, where the one that must notice it does not; ``control``: what held
    without them, as far as that was needed yet."""

    session: Session
    deployment: Deployment
    bench: Bench
    program: Path
    folder: Path
    thorough: bool = True
    others: bool = True
    control: Control = field(default_factory=Control)
    judging: Callable[[Bench, Sequence[str] | None, Path], list[Judged]] = field(default=judge)

    def begin(self, mutants: Sequence[Mutant]) -> None:
        """The control run: the behaviours that these mutants need, and were not judged before, are
        judged with the program, and none of them on. Raises LabError when it cannot be switched, or
        nothing be judged."""
        needed = [one.notices for one in mutants if not one.missing]
        wanted = list(dict.fromkeys([*needed, PLAIN] if self.thorough else needed))
        if self.others and len(needed) < len(mutants):
            self._control_of_all()
        if rest := not_judged(wanted, self.control):
            tests = self._without_any(rest, "control/needed")
            self.control = replace(self.control, tests=(*self.control.tests, *tests))

    def _control_of_all(self) -> None:
        """All behaviours are judged with no mutant on, if they were not yet."""
        if self.control.of_all:
            return
        found = Control(tuple(self._without_any(None, "control/all")), of_all=True)
        alone = [one for one in self.control.tests if one.behaviour not in found.behaviours]
        self.control = replace(found, tests=(*found.tests, *alone))

    def switch_off(self) -> None:
        """Have the program run with no mutant on. Raises LabError, WaitTimeoutError."""
        with self._held() as sample:
            self._off(sample)

    def run(self, mutant: Mutant) -> Result:
        """All of it for one mutant. What cannot be done is its result, and no error; but for
        LabLostError, with which the lab must be made anew, and the mutant tried there."""
        begin = time.monotonic()
        folder = _new_folder(self.folder / mutant.id)
        try:
            result, folder = self._tried(mutant, folder)
        except LabLostError:
            raise
        except MeshproofError as error:
            result = broken(mutant, error.cause)
        except Exception as error:  # one mutant must not keep the others from being tried
            result = broken(mutant, in_words(error))
        if result.outcome is Outcome.BROKEN:
            self._make_anew(f"{mutant.id} could not be switched")
            result = result.model_copy(update={"anew": True})
        about = {"seconds": round(time.monotonic() - begin, 1), "evidence": folder.name}
        return result.model_copy(update={**about, "digest": digest_of(mutant)})

    def _tried(self, mutant: Mutant, folder: Path) -> tuple[Result, Path]:
        """The result and the folder of its evidence; of a second try, when all behaviours are to be
        asked and what they say without the mutant was not known."""
        result = self._run(mutant, folder)
        if not self._wants_all(mutant, result):
            return result, folder
        try:
            self._control_of_all()
        except MeshproofError as error:
            return result.model_copy(update={"why": error.cause}), folder
        again = _new_folder(self.folder / mutant.id)
        return self._run(mutant, again), again

    def _wants_all(self, mutant: Mutant, result: Result) -> bool:
        """Whether all behaviours are still to be asked, which takes a while: they are for a mutant
        that must be noticed and was not."""
        enough = not self.others or self.control.of_all or mutant.is_equivalent
        return result.outcome is Outcome.UNNOTICED and not enough

    def _run(self, mutant: Mutant, folder: Path) -> Result:
        why = "" if mutant.missing else self.control.why_not(mutant.notices)
        if mutant.missing and not self.others:
            why = "there is no behaviour yet that must notice it"
        if why:
            return undecided(mutant, why)
        with self._held() as sample:
            self._off(sample)
            before = self._seen(sample, mutant, folder / "off.json")
        try:
            result, after = self._on(mutant, folder, before)
        except Exception:
            raise
        except BaseException:  # whoever keeps the lab gets it as it was
            with suppress(MeshproofError):
                self.switch_off()
            raise
        return self._healed(mutant, folder, result, before, after)

    def _on(self, mutant: Mutant, folder: Path, before: Seen) -> tuple[Result, Seen]:
        with self._held() as sample:
            switch(sample, self.program, mutant.id, renew=mutant.renew)
            after = self._seen(sample, mutant, folder / "on.json")
        lines = views.difference(before, after)
        (folder / "in-force.diff").write_text("\n".join(lines) + "\n", encoding="utf-8")
        if not lines:
            return _idle(mutant), after
        try:
            result = self._judged(mutant, folder)
        except MeshproofError as error:
            result = undecided(mutant, error.cause)
        return result.model_copy(update={"differs": len(lines)}), after

    def _judged(self, mutant: Mutant, folder: Path) -> Result:
        first: list[Judged] = []
        everything: list[Judged] = []
        if not mutant.missing:
            asked = dict.fromkeys([mutant.notices, PLAIN] if self.thorough else [mutant.notices])
            first = self.judging(self.bench, list(asked), folder / "judged-by-one")
        if not self.control.failures(first):
            if not self._is_on(mutant):
                return undecided(mutant, f"{mutant.notices} had the mesh made anew meanwhile")
            if self.others and self.control.of_all and not mutant.is_equivalent:
                everything = self.judging(self.bench, None, folder / "judged-by-all")
        result = noticed(mutant, self.control, first, everything)
        if result.outcome is Outcome.UNNOTICED and not everything:
            result = result.model_copy(update={"why": "other behaviours were not judged"})
        plain = plainly([*first, *everything])
        if plain == PASS and not self._is_on(mutant):
            plain = ""  # it may have held without the mutant
        return result.model_copy(update={"plain": plain})

    def _is_on(self, mutant: Mutant) -> bool:
        """Whether the mutant is still on: a mesh that a test has damaged is made anew without."""
        with self._held() as sample:
            return states(sample.mesh) == self._states(sample, mutant.id)

    def _healed(
        self, mutant: Mutant, folder: Path, result: Result, before: Seen, after: Seen
    ) -> Result:
        """The result, once the mutant is off and seen to be. A mesh that is not as it was is made
        anew; and so has it been by a test that found it damaged."""
        with self._held() as sample:
            anew = states(sample.mesh) != self._states(sample, mutant.id)
            switch(sample, self.program, None, renew=mutant.renew)
            now = self._seen(sample, mutant, folder / "healed.json")
        if anew:
            return result.model_copy(update={"anew": True})
        if result.differs and not views.difference(now, after):
            # What was seen changed by itself, and would not go back.
            result = _idle(mutant).model_copy(update={"differs": result.differs})
        if views.difference(before, now):
            self._make_anew(f"{mutant.id} did not heal")
            return result.model_copy(update={"healed": False, "anew": True})
        return result

    def _make_anew(self, why: str) -> None:
        """Have the mesh installed anew, and see that it is one. Raises LabLostError."""
        try:
            with self._held() as sample:
                sample.mesh.mark_dirty(why)
            self.switch_off()
            folder = _new_folder(self.folder / "anew")
            tests = self.judging(self.bench, [PLAIN], folder / "plain")
        except MeshproofError as error:
            raise LabLostError(f"{why}, and the mesh could not be made anew: {error}") from error
        if plainly(tests) != PASS:
            raise LabLostError(f"{why}, and the mesh that was made anew does not serve")

    def _without_any(self, behaviours: Sequence[str] | None, name: str) -> list[Judged]:
        self.switch_off()  # a test may have had the mesh made anew
        return self.judging(self.bench, behaviours, _new_folder(self.folder / name) / "reports")

    def _off(self, sample: Sample) -> None:
        if states(sample.mesh) == self._states(sample, None):
            await_proxies(sample)
        else:
            switch(sample, self.program, None)

    def _states(self, sample: Sample, mutant: str | None) -> list[State]:
        count = len(sample.mesh.deployment.topology.control_planes)
        return [State(command_of(self.program), mutant)] * count

    def _seen(self, sample: Sample, mutant: Mutant, path: Path) -> Seen:
        """What is to be seen under the mutant's settings, written down as evidence."""
        with _under(sample, mutant):
            await_proxies(sample)
            found = views.steady(sample, mutant.shows)
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        await_proxies(sample)
        return found

    @contextmanager
    def _held(self) -> Iterator[Sample]:
        with held(self.session, self.deployment, self.bench.lab) as sample:
            yield sample


def _new_folder(path: Path) -> Path:
    """A folder of this name that is empty: with a number, where an earlier try has left one."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    found.mkdir(parents=True)
    return found


@contextmanager
def _under(sample: Sample, mutant: Mutant) -> Iterator[None]:
    """The mutant's settings, and its change, are there inside the block."""
    with ExitStack() as stack:
        for name in mutant.under:
            setting = settings()[name]
            objects = [dict(one) for one in setting.objects]
            where = _clusters(sample, setting.where)
            stack.enter_context(configured(sample.mesh, objects, where))
        for change in mutant.after:
            stack.enter_context(_changed(sample, change))
        yield


def _changed(sample: Sample, change: str) -> AbstractContextManager[None]:
    """A change that istiods see, inside the block."""
    if change == "one-instance-more":
        version = list(sample.versions)[-1]
        return scaled(sample, version, usual(sample, version) + 1)
    caller, home = sample.read_from_elsewhere
    reader, read = sample.mesh.cluster(sample.topology[caller].primary), sample.mesh.cluster(home)
    return rewritten(reader, read) if change == "secret-rewritten" else unread(reader, read)


def _clusters(sample: Sample, where: str) -> Sequence[str] | None:
    """The clusters that a setting belongs into; None for those whose configuration counts."""
    if where == "config":
        return None
    return sample.clusters if where == "workloads" else sample.clusters[-1:]


def _idle(mutant: Mutant) -> Result:
    return Result(id=mutant.id, outcome=Outcome.NOT_IN_FORCE, why=f"{mutant.shows} did not change")
