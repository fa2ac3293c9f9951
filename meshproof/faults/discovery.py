"""Breaks what an istiod knows of other clusters, and heals it at the end."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from http import HTTPStatus

from meshproof.errors import LabError
from meshproof.kube import client
from meshproof.kube.audit import requests_since
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.account import remote_secret_name
from meshproof.mesh.manifests import SYSTEM
from meshproof.wait import eventually

READER = "istio-reader-service-account"
"""The account that remote secrets carry."""
_MISTAKEN = "mistaken"
_KIND = "kubernetes.io/service-account-token"
_OF = "kubernetes.io/service-account.name"
_WORD = re.compile(r"^( *token: ).*$", re.MULTILINE)


@contextmanager
def unread(reader: RunningCluster, cluster: RunningCluster) -> Iterator[None]:
    """The istiod in ``reader`` has no remote secret of ``cluster`` inside the block, so it forgets
    the cluster's endpoints after a moment; afterwards the same secret is there again.

    Raises LabError when there is none, or the API server refuses.
    """
    with _instead(reader, cluster.name, lambda data: None):
        yield


@contextmanager
def known_as(reader: RunningCluster, cluster: RunningCluster, name: str) -> Iterator[None]:
    """The istiod in ``reader`` knows ``cluster`` by another name than its own proxies do, inside
    the block. Raises as ``unread`` does."""
    with _instead(reader, cluster.name, lambda data: {name: data[cluster.name]}):
        yield


@contextmanager
def revoked(cluster: RunningCluster) -> Iterator[None]:
    """The API server of ``cluster`` does not know the token that remote secrets of it have, inside
    the block; afterwards it does again. API servers go on for ten seconds with a token that they
    have seen, and watches that are open go on as well.

    Raises LabError when the reader's account has no such token, or the API server refuses.
    """
    core = cluster.core
    with lab_errors(f"find the reader's token in {cluster.name}"):
        found = core.list_namespaced_secret(SYSTEM, field_selector=f"type={_KIND}").items
    tokens = [one for one in found if (one.metadata.annotations or {}).get(_OF) == READER]
    if not tokens:
        raise LabError(f"the account {READER} of {cluster.name} has no token of its own")
    with lab_errors(f"revoke the reader's token of {cluster.name}"):
        for one in tokens:
            core.delete_namespaced_secret(one.metadata.name, SYSTEM)
    try:
        yield
    finally:
        # A token is known as long as a secret of its name holds it, whoever put it there.
        with lab_errors(f"put back the reader's token of {cluster.name}"):
            for one in tokens:
                one.metadata.resource_version = one.metadata.uid = None
                core.create_namespaced_secret(SYSTEM, one)


@contextmanager
def mistaken(reader: RunningCluster, cluster: RunningCluster) -> Iterator[None]:
    """The istiod in ``reader`` has forgotten ``cluster``, has been given a remote secret of it with
    a token that nobody knows, and has tried that, inside the block; then it is written over with
    the right one, as by `kubectl apply`: whoever gives a secret wrongly at first does just that.
    Raises as ``overwritten`` does."""
    name = remote_secret_name(cluster.name)
    secret = remote_secret(reader, name)
    own = secret.data
    secret.data = with_token(own, cluster.name, _MISTAKEN)
    begin = time.time()
    _put(reader, name, secret)
    try:
        _await_tried(cluster, begin)
        yield
    finally:
        write_over(reader, name, own)


@contextmanager
def overwritten(reader: RunningCluster, cluster: RunningCluster) -> Iterator[None]:
    """The remote secret of ``cluster`` in ``reader`` is written over with one whose token nobody
    knows, and istiod has tried that, inside the block; then it is written over with its own again.

    An istiod that is given a new secret goes on with the old one until the new one serves. Raises
    WaitTimeoutError when nobody tries it within a minute, LabError as ``unread`` does.
    """
    name = remote_secret_name(cluster.name)
    own = remote_secret(reader, name).data
    begin = time.time()
    write_over(reader, name, with_token(own, cluster.name, _MISTAKEN))
    try:
        _await_tried(cluster, begin)
        yield
    finally:
        write_over(reader, name, own)


def _await_tried(cluster: RunningCluster, begin: float) -> None:
    """Wait until the API server of a cluster has refused a token since ``begin``."""

    def tried() -> bool:
        asked = requests_since(cluster, begin)
        return any(one.code == HTTPStatus.UNAUTHORIZED for one in asked)

    eventually(tried, what=f"a request with the wrong token in {cluster.name}", within=60)


def with_token(own: Mapping[str, str], cluster: str, token: str) -> dict[str, str]:
    """What a remote secret says, but for its token. Raises LabError where it has none."""
    config, changed = _WORD.subn(rf"\g<1>{token}", base64.b64decode(own[cluster]).decode())
    if not changed:
        raise LabError(f"the remote secret of {cluster} has no token")
    return {cluster: base64.b64encode(config.encode()).decode()}


def write_over(reader: RunningCluster, name: str, data: Mapping[str, str]) -> None:
    """Let a remote secret say something else, as by `kubectl apply`. Raises LabError."""
    with lab_errors(f"write over {name} in {reader.name}"):
        reader.core.patch_namespaced_secret(name, SYSTEM, {"data": dict(data)})


@contextmanager
def _instead(
    reader: RunningCluster,
    cluster: str,
    changed: Callable[[dict[str, str]], dict[str, str] | None],
) -> Iterator[None]:
    """Another remote secret, or none, stands in the place of the one that is there; afterwards
    that one does again."""
    name = remote_secret_name(cluster)
    secret = remote_secret(reader, name)
    other = deepcopy(secret)
    other.data = changed(secret.data)
    _put(reader, name, other if other.data is not None else None)
    try:
        yield
    finally:
        _put(reader, name, secret)


def remote_secret(reader: RunningCluster, name: str) -> client.V1Secret:
    """A secret of Istio's, as it can be made anew. Raises LabError."""
    with lab_errors(f"read {name} in {reader.name}"):
        secret = reader.core.read_namespaced_secret(name, SYSTEM)
    # What the server gave it would be refused in an object that is made anew.
    secret.metadata.resource_version = secret.metadata.uid = None
    return secret


def _put(reader: RunningCluster, name: str, secret: client.V1Secret | None) -> None:
    """Let a secret, or none, be what lies under a name, whether one does or not."""
    with lab_errors(f"replace {name} in {reader.name}"):
        present = reader.core.list_namespaced_secret(
            SYSTEM, field_selector=f"metadata.name={name}"
        ).items
        if present:
            reader.core.delete_namespaced_secret(name, SYSTEM)
        if secret is not None:
            reader.core.create_namespaced_secret(SYSTEM, secret)
