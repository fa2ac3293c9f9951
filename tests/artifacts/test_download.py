"""What is downloaded: whole and as it was published, or one sentence with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts import download
from meshproof.artifacts.published import registry_answers
from meshproof.artifacts.store import Recipe, Store
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.telling import shown

from .outside import Answer, Outside

URL = "https://github.com/kubernetes-sigs/kind/releases/download/v1/kind-linux-amd64"
PLACE = URL.removeprefix("https://")
CONTENT = bytes(range(256)) * 4096


def refused(tmp_path: Path) -> str:
    """What a download into a store says, which leaves nothing there."""
    store, recipe = Store(tmp_path / "store"), Recipe("kind", "1", {})
    with pytest.raises(ArtifactError) as raised:
        store.obtain(recipe, lambda folder: download.fetch(URL, folder / "kind"), Recorder())
    assert store.entries() == []
    assert store.unfinished() == []
    assert raised.value.remedy
    said = str(raised.value)
    assert shown(said, lines=False) == said
    return said


def test_a_file_comes_whole_by_the_proxy_and_a_private_authority(
    there: Outside, tmp_path: Path
) -> None:
    there.publish(URL, CONTENT)
    download.fetch(URL, tmp_path / "kind")
    assert (tmp_path / "kind").read_bytes() == CONTENT
    assert there.through[0] == "github.com:443"
    assert there.asked == [f"{PLACE}.sha256sum", PLACE]


def test_where_releases_redirect_to_is_followed(there: Outside, tmp_path: Path) -> None:
    there.publish(URL, CONTENT)
    there.answers["mirror.example/file"] = there.answers[PLACE]
    there.answers[PLACE] = Answer(status=302, headers={"Location": "https://mirror.example/file"})
    download.fetch(URL, tmp_path / "kind")
    assert (tmp_path / "kind").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=429, headers={"Retry-After": "30"}), ("no more requests", "in 30 s")),
        (Answer(status=403, headers={"x-ratelimit-remaining": "0"}), ("no more requests", "hour")),
        (Answer(status=403), ("does not let us have", "asks for a login")),
        (Answer(status=401), ("does not let us have", "(401)")),
        (Answer(status=404), ("there is no", "such a version")),
        (Answer(status=500), ("cannot serve", "(500)")),
        (Answer(CONTENT, cut=1000), ("broke off midway", "try again")),
        (Answer(CONTENT, cut=0), ("broke off midway", "try again")),
        (Answer(CONTENT[1:]), ("is not what its project published", "sha256")),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_leaves_nothing(
    answer: Answer, words: tuple[str, ...], there: Outside, tmp_path: Path
) -> None:
    there.publish(URL, CONTENT)
    there.answers[PLACE] = answer
    said = refused(tmp_path)
    assert all(word in said for word in words), said


@pytest.mark.parametrize("answer", [Answer(hangs=True), Answer(CONTENT, cut=99, hangs=True)])
def test_a_server_that_hangs_is_waited_for_a_while(
    answer: Answer, there: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "SILENT", 1.0)
    there.publish(URL, CONTENT)
    there.answers[PLACE] = answer
    answer.content = CONTENT
    answer.cut = answer.cut or 0
    assert "sent nothing of" in refused(tmp_path)


def test_a_checksum_that_is_a_page_is_no_checksum(there: Outside, tmp_path: Path) -> None:
    there.publish(URL, CONTENT)
    there.answers[f"{PLACE}.sha256sum"] = Answer(b"<html>Please log in</html>")
    assert "holds no checksum" in refused(tmp_path)


def test_an_authority_that_nobody_named_is_not_trusted(
    there: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.publish(URL, CONTENT)
    monkeypatch.delenv("SSL_CERT_FILE")
    said = refused(tmp_path)
    assert "signed by nobody who is trusted here" in said
    assert "SSL_CERT_FILE" in said
    assert there.asked == []


def test_a_file_of_authorities_that_is_not_there_is_told(
    there: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    assert "SSL_CERT_FILE names /no/such/file.pem" in refused(tmp_path)


@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_that_refuses_is_told_without_its_password(
    status: int, there: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.refuses = status
    monkeypatch.setenv("HTTPS_PROXY", there.proxy.replace("//", "//user:secret@"))
    said = refused(tmp_path)
    assert "HTTPS_PROXY" in said
    assert "secret" not in said


def test_a_proxy_that_is_not_there_is_told(
    there: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert "the proxy that HTTPS_PROXY names does not lead to github.com" in refused(tmp_path)


def test_a_name_that_nobody_knows_is_told(
    there: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setattr("socket.getaddrinfo", _unknown)
    assert "github.com cannot be reached" in refused(tmp_path)


@pytest.mark.parametrize(
    ("status", "there_is"), [(200, True), (401, True), (429, False), (503, False)]
)
def test_a_registry_answers_or_asks_for_a_token(
    status: int, there_is: bool, there: Outside
) -> None:
    there.answers["registry-1.docker.io/v2/"] = Answer(status=status)
    assert registry_answers() is there_is


def test_a_mirror_is_asked_instead(there: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    there.answers["mirror.example/v2/"] = Answer(status=200)
    monkeypatch.setenv("MESHPROOF_REGISTRY", "mirror.example/docker")
    assert registry_answers()
    assert there.asked == ["mirror.example/v2/"]


def _unknown(*_: object, **__: object) -> None:
    import socket

    raise socket.gaierror(-2, "Name or service not known")
