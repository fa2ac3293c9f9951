"""Which Kubernetes labs have where none is named: what can be had depends on the source."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.artifacts.catalog import catalog, default_wanted
from meshproof.artifacts.store import Store
from meshproof.errors import MeshproofError
from meshproof.model import Version


def usual_kubernetes(
    source: str | None, registry_answers: Callable[[], bool], store: Store | None = None
) -> Version:
    """The newest of the catalog; where artifacts will be published ones, the newest of the same
    minor version that kind publishes a node image of.

    ``source``: as for ``provide``, in whose order is looked where it is None: what the store has,
    and a registry, which is asked only where it has nothing.
    """
    built = default_wanted().kubernetes
    alike = [one for one in catalog().nodes if one.minor == built.minor]
    if source not in (None, "published") or not alike:
        return built
    published = max(alike)
    if source == "published":
        return published
    there = _nodes(store or Store())
    for version, of in ((published, "published"), (built, "built")):
        if f"{version} {of}" in there:
            return version
    return published if registry_answers() else built


def _nodes(store: Store) -> set[str]:
    """The versions of the node images that a store has. What is wrong with a store is told by
    whoever takes something out of it."""
    try:
        entries = store.entries()
    except MeshproofError:
        return set()
    return {one.manifest["version"] for one in entries if one.manifest["recipe"] == "node"}
