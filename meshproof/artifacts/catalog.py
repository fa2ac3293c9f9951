"""The versions that are known, and which belong together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from meshproof.artifacts.bundle import Wanted
from meshproof.errors import ModelError, UsageError
from meshproof.model import Version

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Versions that can be built from modules. Tuples are ordered, oldest first.

    ``nodes``: the Kubernetes versions that kind publishes a node image of.
    """

    kubernetes: tuple[Version, ...]
    istio: tuple[Version, ...]
    nodes: tuple[Version, ...]
    companions: dict[str, str]
    """What goes with what: "kubernetes 1.36.3 etcd" -> "3.6.8", "kind" -> "0.33.0"."""

    def companion(self, *words: object) -> str:
        """The version of what belongs to something, e.g. ``("istio", version, "envoy")``."""
        return self.companions[" ".join(map(str, words))]

    def check(self, wanted: Wanted) -> None:
        """Raises UsageError, listing the versions known, when something wanted is unknown."""
        _check("Kubernetes", [wanted.kubernetes], self.kubernetes)
        _check("Istio", wanted.istio, self.istio)
        known = {Version.parse(folder.name) for folder in (RECIPES / "envoy").iterdir()}
        _check("Envoy", [wanted.envoy] if wanted.envoy else [], sorted(known))


@cache
def catalog() -> Catalog:
    """The catalog that travels with meshproof."""
    data = yaml.load((RECIPES / "catalog.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    companions: dict[str, str] = {}
    for name, value in data.items():
        if isinstance(value, list):
            continue
        if isinstance(value, str):
            companions[name] = value
            continue
        for version, others in value.items():
            for other, its_version in others.items():
                companions[f"{name} {version} {other}"] = its_version
    return Catalog(
        kubernetes=tuple(sorted(Version.parse(text) for text in data["kubernetes"])),
        istio=tuple(sorted(Version.parse(text) for text in data["istio"])),
        nodes=tuple(sorted(Version.parse(text) for text in data["nodes"])),
        companions=companions,
    )


def default_wanted() -> Wanted:
    """The newest Kubernetes and the newest Istio of the catalog."""
    known = catalog()
    return Wanted(kubernetes=known.kubernetes[-1], istio=(known.istio[-1],))


def kubernetes_version(text: str) -> Version:
    """Read a version of Kubernetes. Raises UsageError that names those there are."""
    return _version("Kubernetes", text, catalog().kubernetes)


def istio_version(text: str) -> Version:
    """Read a version of Istio. Raises UsageError that names those there are."""
    return _version("Istio", text, catalog().istio)


def _version(what: str, text: str, known: Iterable[Version]) -> Version:
    try:
        return Version.parse(text)
    except ModelError:
        *_, newest = versions = [str(version) for version in known]
        raise UsageError(
            f"'{text}' is no version of {what}",
            f"write it as in {newest}; those that can be built here are {', '.join(versions)}",
        ) from None


def _check(what: str, wanted: Iterable[Version], known: Iterable[Version]) -> None:
    missing = [version for version in wanted if version not in tuple(known)]
    if missing:
        raise UsageError(
            f"{what} {missing[0]} is not in the catalog",
            f"choose one of {', '.join(map(str, known))}",
        )
