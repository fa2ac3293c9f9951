"""The order of tests: what shares a lab or a mesh stays together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from meshproof.files import read_clusters
from meshproof.model import Deployment
from meshproof.run.plan import Unit
from meshproof.runner.bare_lab import BareLab

_Key = tuple[object, ...]
SABOTAGE = "sabotage"
"""The suite that breaks things."""


def in_order(
    items: Sequence[pytest.Item], on: Callable[[pytest.Item], BareLab | Deployment | None]
) -> list[pytest.Item]:
    """The items, those of one footprint together, and in it those of one mesh or wiring.

    What breaks a mesh comes after what judges it, and its removal last.
    """
    seen: dict[_Key, int] = {}

    def place(item: pytest.Item) -> tuple[int, int, bool, int, bool]:
        keys = _keys(on(item))
        lab, mesh, mode = (seen.setdefault(keys[:length], len(seen)) for length in (1, 2, 3))
        last = item.get_closest_marker("last") is not None
        return (lab, mesh, last, mode, is_sabotage(item))

    return sorted(items, key=place)


def is_sabotage(item: pytest.Item) -> bool:
    """Whether a test breaks something on purpose, to see that its claims fail."""
    return item.path.parent.name == SABOTAGE


def units(
    items: Sequence[pytest.Item], on: Callable[[pytest.Item], BareLab | Deployment | None]
) -> list[Unit]:
    """The items, which are in order, by what they have to share: footprint and installation."""
    found: dict[_Key, list[str]] = {}
    for item in items:
        found.setdefault(_keys(on(item))[:2], []).append(item.nodeid)
    return [Unit(key[0], tuple(tests)) for key, tests in found.items()]


def shared_keys(what: BareLab | Deployment) -> tuple[object, object]:
    """What is the same for all that stands on the same clusters, and for all that shares an
    installation on them."""
    clusters, installed, _ = _keys(what)
    return clusters, installed


def _keys(what: BareLab | Deployment | None) -> _Key:
    """Footprint, bare or which installation, then what is applied to it."""
    if isinstance(what, Deployment):
        clusters = [member.cluster for member in what.topology.members]
        versions = tuple(map(str, what.istio.values()))
        rest = (versions, what.variants, what.revision, what.upgrade, what.installed_by)
        return (tuple(clusters), (what.topology.name, *rest), what.mtls)
    if isinstance(what, BareLab):
        return (tuple(read_clusters(what.clusters)), "bare", what.wiring)
    return ((), "", "")
