"""Mutants in the mesh of a test: the program put in place for a while, and one switched on in it.

For tests that make the claim themselves. Whole campaigns have behaviours judged as they are
(``meshproof.mutants.campaign``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meshproof.errors import EvidenceError, MeshproofError
from meshproof.mutants import views
from meshproof.mutants.catalogue import Mutant, chosen
from meshproof.mutants.istiods import restore, switch
from meshproof.mutants.views import Seen
from meshproof.traffic.settle import await_drained, healed
from meshproof.workloads.sample import Sample


@dataclass(frozen=True)
class InPlace:
    """A sample whose istiods run the program with the mutants, none of which is on."""

    sample: Sample
    program: Path

    @contextmanager
    def switched_on(self, mutant: str) -> Iterator[None]:
        """The mutant is on inside the block, and shown to be in force where it acts, under what is
        applied by then; afterwards it is off, and what it changed is as before, or the mesh is
        marked dirty.

        Raises UsageError for one that there is not, LabError or WaitTimeoutError when it cannot be
        switched, EvidenceError when it changes nothing there, or what is there changes by itself.
        """
        (one,) = chosen([mutant])
        before = views.steady(self.sample, one.shows)
        try:
            switch(self.sample, self.program, mutant)
            if not self._seen(one, before, changed=True):
                raise EvidenceError(f"nothing can be claimed: {mutant} does not change {one.shows}")
            # What is called by connections from before does not meet it.
            await_drained(self.sample)
            yield
        finally:
            self._switch_off(one, before)

    def _seen(self, one: Mutant, before: Seen, *, changed: bool) -> bool:
        """Whether it comes to be seen that there is a difference to before, or that there is none;
        half a minute is waited for it."""

        def fits(now: Seen) -> bool:
            return bool(views.difference(before, now)) is changed

        return fits(views.seen_until(self.sample, one.shows, fits))

    def _switch_off(self, one: Mutant, before: Seen) -> None:
        mesh = self.sample.mesh
        try:
            switch(self.sample, self.program, None)
            left = not self._seen(one, before, changed=False)
            await_drained(self.sample)
        except MeshproofError as error:
            mesh.mark_dirty(f"a mutant could not be switched off: {error.cause}")
            raise
        if left:
            mesh.mark_dirty(f"{one.shows} are not as before without {one.id}")


@contextmanager
def in_place(sample: Sample, program: Path) -> Iterator[InPlace]:
    """The sample's istiods run the program inside the block; afterwards they run their own again,
    and the mesh is at rest, or marked dirty. Raises LabError, WaitTimeoutError."""
    try:
        switch(sample, program, None)
        yield InPlace(sample, program)
    finally:
        restore(sample)
        healed(sample)
