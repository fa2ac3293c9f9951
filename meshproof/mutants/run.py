"""A whole run: the mutated Istio is built, a lab kept for each shape, its mutants gone through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import meshproof
from meshproof.artifacts import Store, checkout_version, default_wanted
from meshproof.files import topology_named
from meshproof.model import Deployment, Mtls, Releases, Version
from meshproof.mutants.campaign import Course
from meshproof.mutants.catalogue import Mutant, catalogue
from meshproof.mutants.held import make, take_away
from meshproof.mutants.judging import Bench
from meshproof.mutants.results import Campaign, Outcome, Result, write
from meshproof.mutants.tree import MutatedTree, from_checkout, from_modules
from meshproof.run.session import Session

SHAPES = {"flat": "primary-remote-flat", "split": "primary-remote-split-horizon"}
"""The topology of each shape: one istiod for both clusters, so that there is one to switch."""
RESULTS = "mutants.json"


@dataclass
class Run:
    """``folder``: for the results, and a folder of evidence for each mutant."""

    tree: MutatedTree
    folder: Path
    results: list[Result] = field(default_factory=list)

    @classmethod
    def prepared(cls, session: Session, checkout: Path | None, folder: Path) -> Run:
        """Make the tree with every mutant in it; ``checkout``: somebody's own Istio, else it is
        the newest version of the catalog. Raises ArtifactError, UsageError."""
        store, shell, recorder = Store(), session.shell, session.recorder
        with recorder.step("write the mutants into Istio's source"):
            if checkout is not None:
                tree = from_checkout(catalogue(), checkout, store, shell, recorder)
            else:
                newest = default_wanted().istio[-1]
                tree = from_modules(catalogue(), newest, store, shell, recorder)
        folder.mkdir(parents=True, exist_ok=True)
        return cls(tree, folder)

    def all(
        self, session: Session, mutants: Sequence[Mutant], *, with_plain: bool, keep: bool
    ) -> list[Result]:
        """Go through the mutants, shape by shape; the results are written down after each.

        ``session``: one whose Istio is the mutated tree's; ``with_plain``: judge plain
        distribution of each, too; ``keep``: leave the labs in place. Raises LabError when a lab
        does not come up.
        """
        version = checkout_version(self.tree.folder)
        for one in mutants:
            if one.id in self.tree.unfit:
                why = self.tree.unfit[one.id]
                self._note(Result(id=one.id, outcome=Outcome.UNFIT, why=why), version)
        for shape, name in SHAPES.items():
            todo = [
                one for one in mutants if one.topology == shape and one.id not in self.tree.unfit
            ]
            if todo:
                self._on(session, name, todo, version, with_plain=with_plain, keep=keep)
        return self.results

    def _on(
        self,
        session: Session,
        name: str,
        mutants: Sequence[Mutant],
        version: Version,
        *,
        with_plain: bool,
        keep: bool,
    ) -> None:
        topology, kubernetes = topology_named(name), session.wanted.kubernetes
        releases = Releases(version)
        deployment = Deployment(topology, releases.on(topology), kubernetes, Mtls.STRICT)
        lab = make(session, deployment)
        try:
            bench = Bench(lab, name, self.tree.folder, session.engine.name, str(kubernetes))
            course = Course(session, deployment, bench, self.folder, with_plain)
            for number, mutant in enumerate(mutants, 1):
                result = course.run(mutant)
                told = f"{number} of {len(mutants)} on {name}: {mutant.id} {result.outcome.value}"
                session.recorder.emit("notice", text=told)
                self._note(result, version)
        finally:
            if not keep:
                take_away(session, lab)

    def _note(self, result: Result, version: Version) -> None:
        self.results.append(result)
        istio = str(version).partition("-")[0]
        campaign = Campaign(
            meshproof=meshproof.__version__, istio=istio, results=tuple(self.results)
        )
        write(self.folder / RESULTS, campaign)
