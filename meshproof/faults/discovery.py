"""Breaks what an istiod knows of other clusters, and heals it at the end."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from meshproof.errors import LabError
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.account import remote_secret_name
from meshproof.mesh.manifests import SYSTEM

_TOKEN = re.compile(r"^( *token: ).*$", re.MULTILINE)


@contextmanager
def unread(reader: RunningCluster, cluster: str) -> Iterator[None]:
    """The istiod in ``reader`` has no remote secret of ``cluster`` inside the block, so it forgets
    the cluster's endpoints after a moment; afterwards the same secret is there again.

    Raises LabError when there is none, or the API server refuses.
    """
    with _instead(reader, cluster, lambda data: None):
        yield


@contextmanager
def known_as(reader: RunningCluster, cluster: str, name: str) -> Iterator[None]:
    """The istiod in ``reader`` knows ``cluster`` by another name than its own proxies do, inside
    the block. Raises as ``unread`` does."""
    with _instead(reader, cluster, lambda data: {name: data[cluster]}):
        yield


@contextmanager
def revoked(reader: RunningCluster, cluster: str) -> Iterator[None]:
    """The token in the remote secret of ``cluster`` is one that its API server does not know,
    inside the block. Raises as ``unread`` does."""

    def with_another(data: dict[str, str]) -> dict[str, str]:
        config, changed = _TOKEN.subn(r"\g<1>revoked", base64.b64decode(data[cluster]).decode())
        if not changed:
            raise LabError(f"the secret of {cluster} in {reader.name} has no token")
        return {cluster: base64.b64encode(config.encode()).decode()}

    with _instead(reader, cluster, with_another):
        yield


@contextmanager
def _instead(
    reader: RunningCluster,
    cluster: str,
    changed: Callable[[dict[str, str]], dict[str, str] | None],
) -> Iterator[None]:
    """Another remote secret, or none, stands in the place of the one that is there; afterwards
    that one does again."""
    name = remote_secret_name(cluster)
    with lab_errors(f"read {name} in {reader.name}"):
        secret = reader.core.read_namespaced_secret(name, SYSTEM)
    # What the server gave it would be refused in an object that is made anew.
    secret.metadata.resource_version = secret.metadata.uid = None
    other = deepcopy(secret)
    data = changed(secret.data)
    other.data = data
    _put(reader, name, other if data is not None else None)
    try:
        yield
    finally:
        _put(reader, name, secret)


def _put(reader: RunningCluster, name: str, secret: Any) -> None:
    """Let a secret, or none, be what lies under a name, whether one does or not."""
    with lab_errors(f"replace {name} in {reader.name}"):
        present = reader.core.list_namespaced_secret(
            SYSTEM, field_selector=f"metadata.name={name}"
        ).items
        if present:
            reader.core.delete_namespaced_secret(name, SYSTEM)
        if secret is not None:
            reader.core.create_namespaced_secret(SYSTEM, secret)
