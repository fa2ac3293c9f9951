"""Which remote secret is a cluster's, and which opens nothing."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.kube import RunningCluster
from meshproof.mesh import account
from meshproof.mesh.account import UnusableSecretError, remote_account

CONFIG = "users:\n- name: west\n  user:\n    token: secret\n"


def secret(name: str, **kubeconfigs: str) -> Any:
    data = {key: base64.b64encode(text.encode()).decode() for key, text in kubeconfigs.items()}
    return SimpleNamespace(metadata=SimpleNamespace(name=name), data=data)


def clusters(*secrets: Any) -> tuple[RunningCluster, RunningCluster]:
    listed = SimpleNamespace(items=list(secrets))
    core = SimpleNamespace(list_namespaced_secret=lambda *_, **__: listed)
    settings = SimpleNamespace(host="https://127.0.0.1:6443", ssl_ca_cert=None)
    holder = SimpleNamespace(name="east", core=core)
    west = SimpleNamespace(name="west", api=SimpleNamespace(configuration=settings))
    return cast(RunningCluster, holder), cast(RunningCluster, west)


def answering(status: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "_send", lambda *_: (status, text))


def test_a_secret_is_known_by_the_cluster_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    said = '{"status": {"userInfo": {"username": "system:serviceaccount:istio-system:reader"}}}'
    answering(201, said, monkeypatch)
    found = remote_account(*clusters(secret("by-hand", west=CONFIG)))
    assert (found.holder, found.user) == ("east", "system:serviceaccount:istio-system:reader")


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        ((), "east has no remote secret of west; those that it has: none"),
        (
            (secret("istio-remote-secret-far", far=CONFIG),),
            "those that it has: istio-remote-secret-far",
        ),
        (
            (secret("istio-remote-secret-west", **{"west-one": CONFIG}),),
            "east's secret of west calls it west-one, and its own proxies call it west",
        ),
        ((secret("istio-remote-secret-west", west="{}"),), "is no kubeconfig with a token"),
        ((secret("istio-remote-secret-west", west="]"),), "is no kubeconfig with a token"),
        ((secret("istio-remote-secret-west", west=""),), "is no kubeconfig with a token"),
    ],
)
def test_a_secret_that_opens_nothing_is_a_finding(secrets: tuple[Any, ...], words: str) -> None:
    with pytest.raises(UnusableSecretError, match=words):
        remote_account(*clusters(*secrets))


def test_a_token_that_is_not_known_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(401, '{"message": "Unauthorized"}', monkeypatch)
    words = "east's secret of west is for does not know its token: 401 Unauthorized"
    with pytest.raises(UnusableSecretError, match=words):
        remote_account(*clusters(secret("istio-remote-secret-west", west=CONFIG)))
