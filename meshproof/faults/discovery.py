"""Breaks what an istiod knows of other clusters, and heals it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.account import remote_secret_name
from meshproof.mesh.manifests import SYSTEM


@contextmanager
def unread(reader: RunningCluster, cluster: str) -> Iterator[None]:
    """The istiod in ``reader`` has no remote secret of ``cluster`` inside the block, so it forgets
    the cluster's endpoints after a moment; afterwards the same secret is there again.

    Raises LabError when there is none, or the API server refuses.
    """
    name = remote_secret_name(cluster)
    with lab_errors(f"read {name} in {reader.name}"):
        secret = reader.core.read_namespaced_secret(name, SYSTEM)
    # What the server gave it would be refused in an object that is made anew.
    secret.metadata.resource_version = secret.metadata.uid = None
    with lab_errors(f"delete {name} in {reader.name}"):
        reader.core.delete_namespaced_secret(name, SYSTEM)
    try:
        yield
    finally:
        with lab_errors(f"put back {name} in {reader.name}"):
            reader.core.create_namespaced_secret(SYSTEM, secret)
