"""What installs a mesh from this machine: what is beside its programs' own goes to each cluster's
API server at once."""

from __future__ import annotations

from collections.abc import Sequence

from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object, apply


class Direct:
    """As ``Installer`` has it, for whoever has nothing else in between."""

    def begin(self) -> None:
        """There is nothing to be done before."""

    def give(self, cluster: RunningCluster, objects: Sequence[Object]) -> None:
        """Apply objects. Raises LabError."""
        apply(cluster, objects)
