"""Credentials of remote secrets: what is written over, and put back."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from meshproof.faults import credential
from meshproof.faults.credential import expiring, rewritten, rotated
from meshproof.kube.cluster import RunningCluster

CONFIG = "users:\n- user:\n    token: own-token\n"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Core:
    """Secrets of one cluster."""

    def __init__(self, secrets: dict[str, dict[str, str]]) -> None:
        self.secrets = secrets
        self.said: list[str] = []

    def read_namespaced_secret(self, name: str, _: str) -> Any:
        return SimpleNamespace(data=self.secrets[name], metadata=SimpleNamespace())

    def patch_namespaced_secret(self, name: str, _: str, body: Any) -> None:
        self.secrets[name] = body["data"]
        self.said += [base64.b64decode(one).decode() for one in body["data"].values()]

    def create_namespaced_secret(self, _: str, body: Any) -> None:
        self.secrets[body["metadata"]["name"]] = {"token": encoded("a.new-token_1")}

    def delete_namespaced_secret(self, name: str, _: str) -> None:
        del self.secrets[name]

    def read_namespaced_service_account(self, name: str, _: str) -> Any:
        return SimpleNamespace(metadata=SimpleNamespace(uid=f"uid of {name}"))


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch) -> tuple[RunningCluster, RunningCluster]:
    """One that reads, and one that is read."""
    monkeypatch.setattr(credential, "await_read_anew", lambda *_: None)
    reader = SimpleNamespace(
        name="east", core=Core({"istio-remote-secret-west": {"west": encoded(CONFIG)}})
    )
    read = SimpleNamespace(
        name="west",
        core=Core({}),
        control_plane=None,
        on_node=lambda *_: SimpleNamespace(stdout=PEM),
    )
    return cast(RunningCluster, reader), cast(RunningCluster, read)


def test_the_same_in_other_words(clusters: tuple[RunningCluster, RunningCluster]) -> None:
    core: Any = clusters[0].core
    with rewritten(*clusters):
        assert core.said == [f"{CONFIG}\n# written anew\n"]
    assert core.said[-1] == CONFIG


def test_another_token_which_is_worthless_afterwards(
    clusters: tuple[RunningCluster, RunningCluster],
) -> None:
    core: Any = clusters[0].core
    there: Any = clusters[1].core
    with rotated(*clusters):
        assert core.said == [CONFIG.replace("own-token", "a.new-token_1")]
        assert len(there.secrets) == 1
    assert core.said[-1] == CONFIG
    assert there.secrets == {}


def test_a_token_that_expires_is_signed_by_the_cluster(
    clusters: tuple[RunningCluster, RunningCluster],
) -> None:
    core: Any = clusters[0].core
    with expiring(*clusters, 30.0) as until:
        token = core.said[0].split("token: ")[1].strip()
    said, _, signature = token.rpartition(".")
    padded = signature + "=" * (-len(signature) % 4)
    KEY.public_key().verify(
        base64.urlsafe_b64decode(padded), said.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    part = said.partition(".")[2]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["exp"] == int(until)
    assert claims["kubernetes.io"]["serviceaccount"]["uid"].startswith("uid of istio-reader")
    assert core.said[-1] == CONFIG
