"""An engine whose pulls are asked of registries in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from meshproof.errors import CommandError
from tests.lab.fakes import FakeEngine


class Registry(FakeEngine):
    """``means``: by an image's name with its tag the digests of what the registry has there;
    ``says``: what a pull fails with instead. ``pulled`` and ``loaded`` are noted."""

    def __init__(self, means: dict[str, list[str]] | None = None) -> None:
        super().__init__()
        self.means = means or {}
        self.says = ""
        self.kept: dict[str, list[str]] = {}
        self.pulled: list[str] = []

    def pull(self, reference: str) -> None:
        self.pulled.append(reference)
        name, at, digest = reference.partition("@")
        found = [digest] if at else self.means.get(name)
        if self.says or found is None:
            said = self.says or "Error: manifest unknown"
            raise CommandError(["podman", "pull", reference], 125, "", said)
        self.kept[reference] = found

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
        name, number = archive.read_text(encoding="utf-8").split()
        self.images[name] = f"re{number}"
