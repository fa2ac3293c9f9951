"""Tokens of a machine's account, of this time and of one that is over.

The API server gives none for less than ten minutes, so both are signed as it would.
"""

from __future__ import annotations

import time

from meshproof.faults.tokens import signed_token
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.workloads.sample import NAMESPACE, Sample

AUDIENCE = "istio-ca"
"""For whom machines' tokens are."""
_HOUR = 3600.0


def token_of(sample: Sample, machine: str, *, expired: bool) -> str:
    """A token of a machine's account that lasts for an hour: from now on, or until an hour ago.
    Raises LabError."""
    one = sample.machines[machine]
    until = time.time() + (-_HOUR if expired else _HOUR)
    return signed_token(
        sample.mesh.cluster(one.cluster),
        one.account,
        NAMESPACE,
        until,
        since=until - _HOUR,
        audience=AUDIENCE,
    )


def reviewed(cluster: RunningCluster, token: str) -> str:
    """What the API server says of a token: whose it is, or why it is nobody's. Raises LabError."""
    wanted = {"spec": {"token": token, "audiences": [AUDIENCE]}}
    with lab_errors(f"review a token in {cluster.name}"):
        status = client.AuthenticationV1Api(cluster.api).create_token_review(wanted).status
    if status.authenticated:
        return str(status.user.username)
    return str(status.error or "not authenticated")
