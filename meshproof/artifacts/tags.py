"""What the tags of images mean: noted in the store by digest when they are first used, so that a
tag that somebody moved later is noticed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from meshproof.artifacts.manage import TAG
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.engine import Engine
from meshproof.errors import ArtifactError, CommandError
from meshproof.events import Recorder

LOCAL = "localhost/"
"""What the names of images begin with that are of no registry, but made on this machine."""
_AGAIN = "check the network, or choose '--artifacts built'"
_SAID: tuple[tuple[str, str, str], ...] = (
    (
        r"toomanyrequests|too many requests|\b429\b",
        "the registry lets nobody here have more images for now",
        "try again in some hours, let the engine log in there ('{engine} login'), or let "
        "MESHPROOF_REGISTRY name a mirror",
    ),
    (
        r"unauthorized|authentication required|access denied|\bdenied:|\b40[13]\b",
        "the registry does not let us have it",
        "let the engine log in there ('{engine} login'), or see whether the name is right",
    ),
    (
        r"manifest unknown|name unknown|\bnot found\b|\b404\b",
        "there is no such image",
        "see whether there is such a version, and look at the names of hub and tag",
    ),
    (
        r"x509|certificate",
        "the registry's certificate is signed by nobody whom the engine trusts",
        "give the engine your company's authority, in a folder of the registry's name below "
        "/etc/{folder}/certs.d",
    ),
    (r"proxyconnect", "the proxy does not lead to the registry", "look at HTTPS_PROXY"),
    (r"unexpected eof|short read", "the download broke off midway", "try again"),
    (r"timeout|timed out|not finished", "the registry does not answer", _AGAIN),
    (
        r"no such host|unreachable|connection refused",
        "the registry cannot be reached",
        _AGAIN,
    ),
)
"""What engines say, as patterns; what that means; and what to do."""


@dataclass(frozen=True)
class Tags:
    """Pulls images by their tags. ``mirror``: put before each name, "" for none."""

    engine: Engine
    store: Store
    recorder: Recorder
    mirror: str = ""

    def pin(self, reference: str) -> str:
        """Pull what the tag meant when it was first used here; returns its digest.

        That it means something else by now is said. Raises ArtifactError.
        """
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
            raise _explained(asked, self.engine.name, error) from error
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


def _explained(reference: str, engine: str, error: CommandError) -> ArtifactError:
    """Says why an engine could not pull: by its own words, which are those of registries
    (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes)."""
    said = f"{error.stderr}\n{error}".lower()
    folder = "docker" if engine == "docker" else "containers"
    for pattern, why, remedy in _SAID:
        if re.search(pattern, said):
            return ArtifactError(
                f"{reference} cannot be pulled, since {why}",
                remedy.format(engine=engine, folder=folder),
            )
    return ArtifactError(f"{reference} cannot be pulled ({error.cause})", _AGAIN)
