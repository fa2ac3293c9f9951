"""The variants of a deployment, and which topologies can have each. Data, no I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meshproof.model.topology import Topology

MESH_NETWORKS = "mesh-networks"
"""Gateway addresses are told by ``meshNetworks`` instead of labels."""
REVISION = "revision"
"""Istio is installed under a revision's name."""
UNRELATED_ROOTS = "unrelated-roots"
"""Every control plane has a root of its own."""
JOINED_ROOTS = "joined-roots"
"""Every control plane has a root of its own, and trusts those of all others beside it."""
SEVERAL_ROOTS = "several-roots"
"""Control planes and agents are ready to trust several roots, of which there is one at first."""
TRUST_DOMAINS = "trust-domains"
"""Every control plane has a trust domain of its own, and takes the others' for its own."""
TRUST_DOMAINS_APART = "trust-domains-apart"
"""Every control plane has a trust domain of its own, and none knows of the others'."""
ONE_TRUST_DOMAIN = "one-trust-domain"
"""Meshes that expose services to each other have the same trust domain."""
USUAL_REVISION = "canary"
"""The revision's name where nobody chose one."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to install a topology that differs from the plain one in one respect.

    ``exists_on``: whether a topology can have it; ``needs``: what it must
    have for that, as in "needs several networks".
    """

    name: str
    needs: str
    exists_on: Callable[[Topology], bool]


# Istio takes a remote's trust domain from that cluster, where its remote profile writes none:
# https://github.com/istio/istio/issues/59474.
_PRIMARIES_ALONE = "several control planes, and no remotes"


def _primaries_alone(topology: Topology) -> bool:
    return len(topology.primaries) > 1 and not topology.remotes


_FEDERATED = "services that other meshes expose, and no remotes"


def _federated(topology: Topology) -> bool:
    return _primaries_alone(topology) and bool(topology.imports)


def _controlled_inside(topology: Topology) -> bool:
    return not topology.externals and len(topology.meshes) == 1


VARIANTS = {
    one.name: one
    for one in (
        Variant(MESH_NETWORKS, "several networks", lambda topology: len(topology.networks) > 1),
        Variant(REVISION, "a control plane", lambda topology: True),
        Variant(
            UNRELATED_ROOTS,
            "several control planes",
            lambda topology: len(topology.control_planes) > 1,
        ),
        Variant(TRUST_DOMAINS, _PRIMARIES_ALONE, _primaries_alone),
        Variant(TRUST_DOMAINS_APART, _PRIMARIES_ALONE, _primaries_alone),
        Variant(JOINED_ROOTS, _FEDERATED, _federated),
        Variant(
            SEVERAL_ROOTS,
            "one mesh, and control planes in its own clusters",
            _controlled_inside,
        ),
        Variant(ONE_TRUST_DOMAIN, _FEDERATED, _federated),
    )
}
"""All there are, by name."""
