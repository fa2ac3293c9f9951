"""Which versions of Istio there are: the project's list of releases, or what can be built here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from meshproof.artifacts.catalog import catalog
from meshproof.artifacts.download import pages
from meshproof.artifacts.published import registry_answers
from meshproof.errors import ArtifactError, ModelError, UsageError
from meshproof.model import Version

LATEST = "latest"
LIST = "https://api.github.com/repos/istio/istio/releases?per_page=100"
_MINOR = re.compile(r"v?([0-9]{1,6})\.([0-9]{1,6})")
_PAGES = 10


def is_open(word: str) -> bool:
    """Whether a word asks for the newest of several versions: "latest" or "1.30"."""
    return word == LATEST or _MINOR.fullmatch(word) is not None


class Releases:
    """The versions that words are resolved by. ``source``: where artifacts come from, or None; then
    it is the project's list where a registry answers, since artifacts will be its."""

    def __init__(self, source: str | None) -> None:
        self._source = source

    @cached_property
    def are_published(self) -> bool:
        """Whether the project's list is meant, and not the catalog of what can be built here."""
        if self._source is None:
            return registry_answers()
        return self._source == "published"

    @property
    def whose(self) -> str:
        """What the versions are of, in words."""
        return "the list of releases" if self.are_published else "what can be built here"

    def newest(self, word: str) -> Version:
        """The newest version that "latest" or "1.30" means. Pre-releases are none of them.

        Raises UsageError when there is none, ArtifactError when the list cannot be had.
        """
        match = _MINOR.fullmatch(word)
        minor = None if match is None else tuple(map(int, match.groups()))
        seen: set[Version] = set()
        for version in self._versions:
            seen.add(version)
            if minor is None or (version.major, version.minor) == minor:
                return version
        minors = sorted({(one.major, one.minor) for one in seen}, reverse=True)[:5]
        raise UsageError(
            f"there is no release of Istio {word} by {self.whose}",
            f"choose one of {', '.join(f'{major}.{minor}' for major, minor in minors)}"
            if minors
            else "name a version, as in 1.31.1",
        )

    @cached_property
    def _versions(self) -> list[Version]:
        """From the newest on."""
        found = published_versions() if self.are_published else catalog().istio
        return sorted(found, reverse=True)


def published_versions() -> Iterator[Version]:
    """Istio's releases, without drafts and pre-releases, of GitHub's list
    (https://docs.github.com/en/rest/releases/releases#list-releases). Raises ArtifactError."""
    for number, page in enumerate(pages(LIST), start=1):
        if not isinstance(page, list):
            raise ArtifactError(f"{LIST} holds no list of releases", "name a version, as in 1.31.1")
        yield from _released(page)
        if number == _PAGES:
            return


def _released(page: Iterable[object]) -> Iterator[Version]:
    for one in page:
        if not isinstance(one, dict) or one.get("draft") or one.get("prerelease"):
            continue
        try:
            version = Version.parse(str(one.get("tag_name")))
        except ModelError:
            continue  # the first ones were numbered otherwise
        if not version.suffix:
            yield version
