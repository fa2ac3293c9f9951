"""Changes the credential by which an istiod reads another cluster: written anew, replaced, or one
that expires."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.faults.discovery import READER, remote_secret, with_token, write_over
from meshproof.faults.tokens import signed_token, user_of
from meshproof.kube.audit import requests_since
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.account import remote_secret_name
from meshproof.mesh.manifests import SYSTEM
from meshproof.wait import eventually

_USER = user_of(READER, SYSTEM)
_READ_WITHIN = 60.0


@contextmanager
def rewritten(reader: RunningCluster, cluster: RunningCluster) -> Iterator[None]:
    """The remote secret of a cluster says the same in other words inside the block, with the same
    token, as after a new `istioctl create-remote-secret`; afterwards it says what it said before.
    In force, and healed, when whoever has it has read the cluster anew. Raises LabError."""
    name = remote_secret_name(cluster.name)
    own = remote_secret(reader, name).data
    config = base64.b64decode(own[cluster.name]).decode() + "\n# written anew\n"
    other = {cluster.name: base64.b64encode(config.encode()).decode()}
    with _instead(reader, cluster, own, other):
        yield


@contextmanager
def rotated(reader: RunningCluster, cluster: RunningCluster) -> Iterator[None]:
    """The remote secret of a cluster has another token of the same account inside the block, and
    its own again afterwards, when the other one is made worthless. In force, and healed, when
    whoever has it has read the cluster anew. Raises LabError."""
    name = remote_secret_name(cluster.name)
    own = remote_secret(reader, name).data
    with ExitStack() as stack:
        token = stack.enter_context(_another_token(cluster))
        other = with_token(own, cluster.name, token)
        stack.enter_context(_instead(reader, cluster, own, other))
        yield


@contextmanager
def expiring(reader: RunningCluster, cluster: RunningCluster, seconds: float) -> Iterator[float]:
    """The remote secret of a cluster has a token that expires after so many seconds inside the
    block, and its own again afterwards. It is signed with the cluster's own key; API servers go on
    with a token that they have seen for ten seconds more. Gives the moment at which it expires, in
    seconds since the epoch. Raises LabError."""
    name = remote_secret_name(cluster.name)
    own = remote_secret(reader, name).data
    until = time.time() + seconds
    token = signed_token(cluster, READER, SYSTEM, until)
    with _instead(reader, cluster, own, with_token(own, cluster.name, token)):
        yield until


@contextmanager
def _instead(
    reader: RunningCluster, cluster: RunningCluster, own: dict[str, str], other: dict[str, str]
) -> Iterator[None]:
    name = remote_secret_name(cluster.name)
    try:
        begin = time.time()
        write_over(reader, name, other)
        await_read_anew(cluster, begin)
        yield
    finally:
        begin = time.time()
        write_over(reader, name, own)
        await_read_anew(cluster, begin)


def await_read_anew(cluster: RunningCluster, begin: float) -> None:
    """Wait until the reader's account has begun to read a cluster's endpoints since a moment, as an
    istiod does that was given a secret. Raises WaitTimeoutError."""

    def read() -> bool:
        asked = requests_since(cluster, begin)
        return any(one.user == _USER and one.resource == "endpointslices" for one in asked)

    what = f"a reader of the endpoints of {cluster.name}"
    eventually(read, what=what, within=_READ_WITHIN, every=0.5)


@contextmanager
def _another_token(cluster: RunningCluster) -> Iterator[str]:
    """A further token of the reader's account, which is worth nothing afterwards."""
    name = f"{READER}-{secrets.token_hex(3)}"
    body = {
        "metadata": {
            "name": name,
            "annotations": {"kubernetes.io/service-account.name": READER},
        },
        "type": "kubernetes.io/service-account-token",
    }
    doing = f"make a token of {READER} in {cluster.name}"

    def token() -> str:
        with lab_errors(doing):
            made = cluster.core.read_namespaced_secret(name, SYSTEM).data or {}
        return base64.b64decode(made.get("token", "")).decode()

    with lab_errors(doing):
        cluster.core.create_namespaced_secret(SYSTEM, body)
    try:
        yield eventually(token, what=f"a token in {name} of {cluster.name}", within=30)
    finally:
        with lab_errors(f"remove a token of {READER} in {cluster.name}"):
            cluster.core.delete_namespaced_secret(name, SYSTEM)
