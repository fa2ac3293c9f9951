"""What tags mean: noted when they are first used, and said when they mean something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts.store import Store
from meshproof.artifacts.tags import Tags
from meshproof.errors import ArtifactError, CommandTimeoutError
from meshproof.events import Event, Recorder
from meshproof.telling import shown

from .registry import Registry

PILOT, MINE = "docker.io/istio/pilot:1.31.1", "registry.example/me/pilot:mine"
OLD, NEW, LIST = ("sha256:" + letter * 64 for letter in "abc")


class Setting:
    """Tags of a registry in memory, and what was said."""

    def __init__(self, root: Path, mirror: str = "") -> None:
        self.engine, self.events, self.store = Registry(), list[Event](), Store(root)
        recorder = Recorder(listeners=[self.events.append])
        self.tags = Tags(self.engine, self.store, recorder, mirror)

    @property
    def said(self) -> str:
        return " ".join(str(one.data["text"]) for one in self.events if one.kind == "notice")


def test_a_tag_is_pinned_when_it_is_first_used(tmp_path: Path) -> None:
    one = Setting(tmp_path)
    one.engine.means = {PILOT: [OLD]}
    assert [one.tags.pin(PILOT), one.tags.pin(PILOT)] == [OLD, OLD]
    (entry,) = one.store.entries()
    assert entry.manifest["facts"]["digest"] == OLD
    assert one.said == ""


def test_a_tag_that_moved_is_said_and_what_it_meant_is_used(tmp_path: Path) -> None:
    one = Setting(tmp_path)
    one.engine.means = {PILOT: [OLD]}
    one.tags.pin(PILOT)
    one.engine.means = {PILOT: [NEW]}
    assert one.tags.pin(PILOT) == OLD
    assert f"{PILOT} has moved" in one.said
    assert OLD in one.said
    assert NEW in one.said
    assert one.engine.pulled[-1] == f"docker.io/istio/pilot@{OLD}"
    assert one.engine.image_digests(PILOT) == [OLD]


def test_the_digest_of_a_list_and_of_its_part_are_one_image(tmp_path: Path) -> None:
    one = Setting(tmp_path)
    one.engine.means = {PILOT: [OLD]}
    one.tags.pin(PILOT)
    one.engine.means = {PILOT: [LIST, OLD]}
    assert one.tags.pin(PILOT) == OLD
    assert one.said == ""


def test_what_a_tag_meant_may_be_gone_from_the_registry(tmp_path: Path) -> None:
    one = Setting(tmp_path)
    one.engine.means = {PILOT: [OLD]}
    one.tags.pin(PILOT)
    one.engine.means = {PILOT: [NEW]}
    pull = one.engine.pull

    def pull_by_tag(reference: str) -> None:
        one.engine.says = "manifest unknown" if "@" in reference else ""
        pull(reference)

    one.engine.pull = pull_by_tag  # type: ignore[method-assign]
    with pytest.raises(ArtifactError, match="forgets what tags meant"):
        one.tags.pin(PILOT)


def test_a_mirror_is_asked_and_the_image_has_its_own_name(tmp_path: Path) -> None:
    one = Setting(tmp_path, "mirror.example:5000")
    one.engine.means = {f"mirror.example:5000/{PILOT}": [OLD]}
    assert one.tags.pin(PILOT) == OLD
    assert one.engine.image_digests(PILOT) == [OLD]


def test_the_tag_of_a_private_build_is_followed_and_said_to_move(tmp_path: Path) -> None:
    one = Setting(tmp_path)
    means = []
    for digest in (OLD, NEW, NEW, OLD):
        one.engine.means = {MINE: [digest]}
        before = len(one.events)
        means.append(one.tags.follow(MINE))
        said = any(event.kind == "notice" for event in one.events[before:])
        assert said == (len(means) in (2, 4))
    assert means == [OLD, NEW, NEW, OLD]
    assert "what it means now is used" in one.said


def test_a_private_build_that_nobody_can_be_asked_for_is_what_it_was_last(tmp_path: Path) -> None:
    one = Setting(tmp_path)
    for digest in (NEW, OLD):
        one.engine.means = {MINE: [digest]}
        one.tags.follow(MINE)
    one.engine.says = "dial tcp: lookup registry.example: no such host"
    assert one.tags.follow(MINE) == OLD
    assert f"what {MINE} meant last is used, {OLD}" in one.said
    assert "cannot be reached" in one.said


def test_a_build_of_this_machine_is_not_pulled(tmp_path: Path) -> None:
    one = Setting(tmp_path)
    with pytest.raises(ArtifactError, match="podman has no image localhost/me/pilot:dev"):
        one.tags.follow("localhost/me/pilot:dev")
    one.engine.images = {"localhost/me/pilot:dev": "a" * 64}
    assert one.tags.follow("localhost/me/pilot:dev") == OLD
    assert one.engine.pulled == []


def test_a_registry_that_falls_silent_is_a_sentence(tmp_path: Path) -> None:
    one = Setting(tmp_path)

    def pull(reference: str) -> None:
        raise CommandTimeoutError(["podman", "pull", reference], 180)

    one.engine.pull = pull  # type: ignore[method-assign]
    with pytest.raises(ArtifactError, match="since the registry does not answer"):
        one.tags.pin(PILOT)
    assert one.store.entries() == []


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("toomanyrequests: You have reached your pull rate limit", ("more images", "podman login")),
        ("received unexpected HTTP status: 429 Too Many Requests", ("more images", "mirror")),
        ("unauthorized: authentication required", ("does not let us", "podman login")),
        ("denied: requested access to the resource is denied", ("does not let us",)),
        ("manifest unknown: manifest unknown", ("no such image", "hub and tag")),
        ("x509: certificate signed by unknown authority", ("nobody whom the engine", "certs.d")),
        ("proxyconnect tcp: dial tcp 10.0.0.1:3128: i/o timeout", ("proxy", "HTTPS_PROXY")),
        (
            'Get "https://registry-1.docker.io/v2/": Proxy Authentication Required',
            ("proxy does not lead", "login"),
        ),
        (
            f"writing blob: Digest did not match, expected {OLD}, got {NEW}",
            ("not what its digest names", "a mirror"),
        ),
        (f"filesystem layer verification failed for digest {OLD}", ("not what its digest",)),
        ("net/http: TLS handshake timeout", ("does not answer", "network")),
        ("dial tcp: lookup docker.io: no such host", ("cannot be reached",)),
        ("writing blob: unexpected EOF", ("broke off midway", "try again")),
        ("something of which nobody has heard", ("nobody has heard",)),
    ],
)
def test_a_pull_that_fails_is_a_sentence_and_notes_nothing(
    said: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    one = Setting(tmp_path)
    one.engine.says = f"Trying to pull {PILOT}...\nError: {said}"
    with pytest.raises(ArtifactError) as raised:
        one.tags.pin(PILOT)
    assert all(word in str(raised.value) for word in words), str(raised.value)
    assert shown(str(raised.value), lines=False) == str(raised.value)
    assert raised.value.remedy
    assert one.store.entries() == []
