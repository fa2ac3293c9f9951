"""Tokens of service accounts are signed as a cluster's API server would, for any time."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meshproof.errors import LabError
from meshproof.faults.tokens import ISSUER, signed_token
from meshproof.kube.cluster import RunningCluster
from tests.faults.test_credential import KEY, PEM


def cluster(pem: str = PEM) -> RunningCluster:
    account = SimpleNamespace(metadata=SimpleNamespace(uid="17"))
    core = SimpleNamespace(read_namespaced_service_account=lambda *_: account)
    made = SimpleNamespace(
        name="east",
        core=core,
        control_plane="node",
        on_node=lambda *_: SimpleNamespace(stdout=pem),
    )
    return cast(RunningCluster, made)


def decoded(part: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(base64.urlsafe_b64decode(part + "==")))


def test_a_token_says_whose_it_is_for_whom_and_when() -> None:
    token = signed_token(cluster(), "shop", "sample", 5000.0, since=1400.0, audience="istio-ca")
    header, body, signature = token.split(".")
    claims = decoded(body)
    assert decoded(header) == {"alg": "RS256", "typ": "JWT"}
    assert (claims["nbf"], claims["exp"]) == (1399, 5000)
    assert claims["aud"] == ["istio-ca"] and claims["iss"] == ISSUER
    assert claims["sub"] == "system:serviceaccount:sample:shop"
    assert claims["kubernetes.io"]["serviceaccount"] == {"name": "shop", "uid": "17"}
    KEY.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="),
        f"{header}.{body}".encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


def test_a_key_of_another_kind_is_said() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with pytest.raises(LabError, match="tokens of east is none of RSA"):
        signed_token(cluster(other.decode()), "shop", "sample", 5000.0)
