"""What the tags of images mean: noted in the store by digest when they are first used, so that a
tag that somebody moved later is noticed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meshproof.artifacts.given import Given
from meshproof.artifacts.manage import TAG
from meshproof.artifacts.refusals import explained
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.engine import Engine
from meshproof.errors import ArtifactError, CommandError
from meshproof.events import Recorder

LOCAL = "localhost/"
"""What the names of images begin with that are of no registry, but made on this machine."""


@dataclass(frozen=True)
class Tags:
    """Pulls images by their tags. ``mirror``: put before each name, "" for none; ``given``: the
    images that are taken out of archives instead, which no registry is asked for."""

    engine: Engine
    store: Store
    recorder: Recorder
    mirror: str = ""
    given: Mapping[str, Given] = field(default_factory=dict)

    def pin(self, reference: str) -> str:
        """Pull what the tag meant when it was first used here; returns its digest.

        That it means something else by now is said. Raises ArtifactError.
        """
        if reference in self.given:
            return self._loaded(reference, self.given[reference])
        digests = self._pulled(reference)
        noted = self._noted(reference)
        if not noted:
            return self._note(reference, digests[0])
        first = _digest(noted[0])
        if first not in digests:
            self._tell(reference, noted[0], digests[0], "what it meant then is used")
            try:
                self._pull(f"{reference.rpartition(':')[0]}@{first}", reference)
            except ArtifactError as error:
                raise ArtifactError(
                    f"{reference} means another image than when it was first used, and that one "
                    f"cannot be had any more ({error.cause})",
                    "run 'meshproof artifacts prune --all', which forgets what tags meant",
                ) from error
        return self._note(reference, first)

    def follow(self, reference: str) -> str:
        """What the tag means now, by its digest, pulled; that it has moved is said.

        Where nobody can be asked it is what the tag meant last, which is said. Raises
        ArtifactError where that is not known either.
        """
        if reference in self.given:
            return self.given[reference].id
        noted = self._noted(reference)
        try:
            digests = self._pulled(reference)
        except ArtifactError as error:
            if not noted:
                raise
            last = _digest(noted[-1])
            text = f"{error.cause}; what {reference} meant last is used, {last}"
            self.recorder.emit("notice", text=text)
            return self._note(reference, last)
        if noted and (last := _digest(noted[-1])) in digests:
            return self._note(reference, last)
        if noted:
            self._tell(reference, noted[-1], digests[0], "what it means now is used")
        return self._note(reference, digests[0], again=True)

    def _loaded(self, reference: str, given: Given) -> str:
        """Take an image out of its archive into the engine; returns its id."""
        number = given.id.removeprefix("sha256:")
        if self.engine.image_id(reference) != number:
            try:
                self.engine.load(given.archive)
            except CommandError as error:
                raise ArtifactError(
                    f"{self.engine.name} does not take {given.archive} ({error.cause})",
                    "see that the file came whole, and that there is room for it",
                ) from error
        found = self.engine.image_id(reference)
        if found is None:
            raise ArtifactError(
                f"{self.engine.name} took {given.archive}, and has no {reference} all the same",
                "write the archive anew, by the names that are wanted",
            )
        return given.id

    def _pulled(self, reference: str) -> list[str]:
        """Pull by tag: the digests of what came, which may be those of a list and of its part."""
        if reference.startswith(LOCAL):
            found = self.engine.image_id(reference)
            if found is None:
                raise ArtifactError(
                    f"{self.engine.name} has no image {reference}",
                    "build it, or name a registry by --hub",
                )
            return [f"sha256:{found}"]
        self._pull(reference, reference)
        digests = self.engine.image_digests(reference)
        if not digests:
            raise ArtifactError(
                f"{self.engine.name} does not tell the digest of {reference}",
                "remove that image, so that it is pulled",
            )
        return digests

    def _pull(self, reference: str, name: str) -> None:
        """Pull, from the mirror if there is one; afterwards it has its own name in any case."""
        asked = f"{self.mirror}/{reference}" if self.mirror else reference
        try:
            self.engine.pull(asked)
        except CommandError as error:
            raise explained(asked, self.engine.name, error) from error
        if asked != name:
            self.engine.tag(asked, name)

    def _noted(self, reference: str) -> list[Entry]:
        """What the tag meant, the first meaning first."""
        found = [
            entry
            for entry in self.store.entries()
            if (entry.manifest["recipe"], entry.manifest["version"]) == (TAG, reference)
        ]
        return sorted(found, key=_since)

    def _note(self, reference: str, digest: str, *, again: bool = False) -> str:
        """Note what a tag means; ``again``: it may have meant that before, and not last."""
        recipe = Recipe(TAG, reference, {"digest": digest})
        if again and (before := self.store.find(recipe)) is not None:
            self.store.remove(before)

        def make(_: Path) -> dict[str, object]:
            return {"digest": digest, "since": time.time()}

        self.store.obtain(recipe, make, self.recorder)
        return digest

    def _tell(self, reference: str, before: Entry, now: str, used: str) -> None:
        day = time.strftime("%Y-%m-%d", time.localtime(_since(before)))
        text = f"{reference} has moved: it was {_digest(before)} on {day}, and is {now}; {used}"
        self.recorder.emit("notice", text=text)


def _digest(entry: Entry) -> str:
    return str(entry.manifest["facts"].get("digest", ""))


def _since(entry: Entry) -> float:
    return float(entry.manifest["facts"].get("since", entry.manifest["created"]))
