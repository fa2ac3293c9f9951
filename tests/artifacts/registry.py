"""An engine whose pulls are asked of registries in memory."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

from meshproof.artifacts.given import images_in
from meshproof.errors import CommandError
from meshproof.process import Finished
from tests.lab.fakes import FakeEngine


class Registry(FakeEngine):
    """``means``: by an image's name with its tag the digests of what the registry has there;
    ``says``: what a pull or push fails with instead. ``pulled`` and ``pushed`` are noted; so is
    what is ``asked`` of images' programs, which print ``prints``."""

    def __init__(self, means: dict[str, list[str]] | None = None) -> None:
        super().__init__()
        self.means = means or {}
        self.says = ""
        self.kept: dict[str, list[str]] = {}
        self.pulled: list[str] = []
        self.pushed: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.prints = ""

    def pull(self, reference: str) -> None:
        self.pulled.append(reference)
        name, at, digest = reference.partition("@")
        found = [digest] if at else self.means.get(name)
        if self.says or found is None:
            said = self.says or "Error: manifest unknown"
            raise CommandError(["podman", "pull", reference], 125, "", said)
        self.kept[reference] = found

    def push(self, reference: str) -> str:
        if self.says:
            raise CommandError(["podman", "push", reference], 125, "", self.says)
        self.pushed.append(reference)
        return f"sha256:pushed-{self.images[reference]}"

    def run_once(
        self, image: str, program: str, argv: Sequence[str], *, timeout: float = 60.0
    ) -> Finished:
        self.asked.append((image, program))
        return Finished((program, *argv), 1, "", self.prints, 0.0)

    def tag(self, reference: str, name: str) -> None:
        self.kept[name] = self.kept[reference]

    def image_digests(self, reference: str) -> list[str]:
        return self.kept.get(reference, [])

    def save(self, references: Sequence[str], archive: Path) -> None:
        """The archive holds the names and the id."""
        archive.write_text(f"{references[0]} {self.images[references[0]]}", encoding="utf-8")

    def load(self, archive: Path) -> None:
        if self.says:
            raise CommandError(["podman", "load"], 125, "", self.says)
        if tarfile.is_tarfile(archive):
            found = images_in([archive]).items()
            self.images |= {name: one.id.removeprefix("sha256:") for name, one in found}
            return
        name, number = archive.read_text(encoding="utf-8").split()
        self.images[name] = f"re{number}"
