"""Istio's configuration in force: where it counts, and only for a while."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from meshproof.kube.objects import Object, applied
from meshproof.mesh.mesh import Mesh


@contextmanager
def configured(
    mesh: Mesh, objects: Sequence[Object], clusters: Collection[str] | None = None
) -> Iterator[None]:
    """The objects are there inside the block. Proxies learn of them, and of their end, later.

    ``clusters``: where they are applied, by default wherever configuration counts: in
    primary-remote only the primary's does, for the remote's workloads too. Raises LabError.
    """
    where = mesh.deployment.topology.config_clusters if clusters is None else clusters
    with ExitStack() as stack:
        for name in where:
            stack.enter_context(applied(mesh.cluster(name), objects))
        yield
