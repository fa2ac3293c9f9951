"""Which deployments stand for the others, where a behaviour need not be judged on each of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from meshproof.model.deployment import Deployment


def representative(deployments: Iterable[Deployment]) -> tuple[Deployment, ...]:
    """Of the deployments that a behaviour applies to one of each mode, choice of variants and set
    of versions, in the order given.

    It is the plainest mesh across networks, where calls have the longest way, else the plainest
    there is (``Topology.exemplary``), else the first.
    """
    alike: dict[Hashable, list[Deployment]] = {}
    for one in deployments:
        versions = frozenset(one.istio.values())
        alike.setdefault((one.mtls, one.variants, versions, one.upgrade), []).append(one)
    return tuple(min(those, key=_rank) for those in alike.values())


def _rank(deployment: Deployment) -> tuple[bool, bool]:
    topology = deployment.topology
    return not topology.exemplary, len(topology.networks) == 1
