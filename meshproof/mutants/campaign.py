"""Switches mutants on one after another, shows each in force, has it judged, and heals it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from meshproof.errors import MeshproofError
from meshproof.mesh.configuration import configured
from meshproof.model import Deployment
from meshproof.mutants import views
from meshproof.mutants.catalogue import Mutant, settings
from meshproof.mutants.held import held
from meshproof.mutants.istiods import named_in, switch
from meshproof.mutants.judging import Bench, judge
from meshproof.mutants.results import PLAIN, Outcome, Result, broken, noticed, plainly
from meshproof.mutants.views import Seen
from meshproof.report import Judged
from meshproof.run.session import Session
from meshproof.traffic.connected import await_proxies
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled, usual


@dataclass
class Course:
    """One lab's mutants. ``folder``: for evidence, one folder a mutant; ``with_plain``: whether
    plain distribution is judged of each as well."""

    session: Session
    deployment: Deployment
    bench: Bench
    folder: Path
    with_plain: bool = True
    judging: Callable[[Bench, str | None, Path], list[Judged]] = field(default=judge)

    def run(self, mutant: Mutant) -> Result:
        """All of it for one mutant. What cannot be done is its result, and no error."""
        begin = time.monotonic()
        folder = self.folder / mutant.id
        folder.mkdir(parents=True, exist_ok=True)
        try:
            result = self._run(mutant, folder)
        except MeshproofError as error:
            result = broken(mutant, error)
        about = {"seconds": round(time.monotonic() - begin, 1), "evidence": mutant.id}
        return result.model_copy(update=about)

    def _run(self, mutant: Mutant, folder: Path) -> Result:
        with self._held() as sample:
            switch(sample, None) if named_in(sample.mesh) else await_proxies(sample)
            before = self._seen(sample, mutant, folder / "off.json")
        try:
            with self._held() as sample:
                switch(sample, mutant.id, renew=mutant.renew)
                after = self._seen(sample, mutant, folder / "on.json")
            lines = views.difference(before, after)
            (folder / "in-force.diff").write_text("\n".join(lines) + "\n", encoding="utf-8")
            result = self._judged(mutant, folder) if lines else _idle(mutant)
        finally:
            healed = self._healed(mutant, folder)
        if lines and not views.difference(healed, after):
            # What was seen changed by itself, and would not go back.
            result = _idle(mutant)
        as_before = not views.difference(before, healed)
        return result.model_copy(update={"differs": len(lines), "healed": as_before})

    def _judged(self, mutant: Mutant, folder: Path) -> Result:
        first: list[Judged] = []
        everything: list[Judged] = []
        if not mutant.missing:
            first = self.judging(self.bench, mutant.notices, folder / "judged-by-one")
        if not any(one.outcome == "FAIL" for one in first):
            everything = self.judging(self.bench, None, folder / "judged-by-all")
        result = noticed(mutant, first, everything)
        plain = plainly([*first, *everything])
        if not plain and self.with_plain:
            plain = plainly(self.judging(self.bench, PLAIN, folder / "plain"))
        return result.model_copy(update={"plain": plain})

    def _healed(self, mutant: Mutant, folder: Path) -> Seen:
        with self._held() as sample:
            switch(sample, None, renew=mutant.renew)
            return self._seen(sample, mutant, folder / "healed.json")

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


@contextmanager
def _under(sample: Sample, mutant: Mutant) -> Iterator[None]:
    """The mutant's settings, and its change, are there inside the block."""
    with ExitStack() as stack:
        for name in mutant.under:
            setting = settings()[name]
            objects = [dict(one) for one in setting.objects]
            where = _clusters(sample, setting.where)
            stack.enter_context(configured(sample.mesh, objects, where))
        if mutant.after:
            version = list(sample.versions)[-1]
            stack.enter_context(scaled(sample, version, usual(sample, version) + 1))
        yield


def _clusters(sample: Sample, where: str) -> Sequence[str] | None:
    """The clusters that a setting belongs into; None for those whose configuration counts."""
    if where == "config":
        return None
    return sample.clusters if where == "workloads" else sample.clusters[-1:]


def _idle(mutant: Mutant) -> Result:
    shows = mutant.shows
    why = f"the {shows.look} of {shows.at} did not change"
    return Result(id=mutant.id, outcome=Outcome.NOT_IN_FORCE, why=why)
