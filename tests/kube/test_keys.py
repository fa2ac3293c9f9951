"""Files of keys and certificates: in a folder of this process's own, and gone when that is said."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
import yaml

from meshproof.kube import client
from meshproof.kube.cluster import api_client


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that holds keys as text; temporary files are made beside it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    text = base64.b64encode(b"a key").decode()
    known = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "users": [
            {"name": "u", "user": {"client-key-data": text, "client-certificate-data": text}}
        ],
    }
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(known), encoding="utf-8")
    return path


def test_keys_are_in_a_folder_of_ours_and_go_when_they_are_forgotten(kubeconfig: Path) -> None:
    client.forget_keys()  # those of tests before this
    configuration = client.Configuration()
    client.load_kube_config(
        str(kubeconfig), None, configuration, temp_file_path=client.keys_folder()
    )
    key = Path(configuration.key_file)
    assert key.parent == Path(client.keys_folder())
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert key.read_bytes() == b"a key"
    client.forget_keys()
    assert list((kubeconfig.parent / "tmp").iterdir()) == []


def test_clients_are_made_anew_after_that(
    kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    class Api:
        def __init__(self, configuration: client.Configuration) -> None:
            made.append(Path(configuration.key_file))
            self.rest_client = type("Rest", (), {"request": None})()

    monkeypatch.setattr(client, "ApiClient", Api, raising=False)
    for _ in range(2):
        api_client(kubeconfig)
        assert made[-1].read_bytes() == b"a key"
        client.forget_keys()
    assert made[0].parent != made[1].parent
