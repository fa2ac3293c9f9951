"""Images out of archives: read whole or not at all, and taken instead of being pulled."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.artifacts import OwnBuild, OwnBuilds, Wanted
from meshproof.artifacts.archive import Image, Item, Layer, write_archive
from meshproof.artifacts.given import check_given, images_in, whole_name
from meshproof.artifacts.published import Published
from meshproof.artifacts.store import Store
from meshproof.artifacts.tags import Tags
from meshproof.errors import ArtifactError, MeshproofError, UsageError
from meshproof.events import Recorder
from meshproof.model import Version

from .registry import Registry

PILOT, PROXY = "docker.io/istio/pilot:1.31.1", "docker.io/istio/proxyv2:1.31.1"
RELEASED = Wanted(Version.parse("1.36.3"), (Version.parse("1.31.1"),))


def image(name: str, content: bytes = b"program" * 500) -> Image:
    return Image((name,), (Layer({"bin/program": Item(content=content)}),))


def written(file: Path, *names: str, content: bytes = b"program" * 500) -> Path:
    write_archive([image(name, content) for name in names], file)
    return file


def told(error: pytest.ExceptionInfo[MeshproofError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("istio/pilot:1.31.1", PILOT),
        ("kind:1", "docker.io/library/kind:1"),
        ("localhost/me/pilot:x", "localhost/me/pilot:x"),
        ("registry:5000/me/pilot:x", "registry:5000/me/pilot:x"),
        (PILOT, PILOT),
    ],
)
def test_names_are_whole(name: str, whole: str) -> None:
    assert whole_name(name) == whole


@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_says_what_it_holds(packed: bool, tmp_path: Path) -> None:
    file = written(tmp_path / "a.tar", "istio/pilot:1.31.1", PROXY)
    if packed:
        file.write_bytes(gzip.compress(file.read_bytes()))
    found = images_in([file])
    assert set(found) == {PILOT, PROXY}
    assert all(len(one.id) == 71 and one.archive == file for one in found.values())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("packed", [False, True])
def test_half_an_archive_is_refused(share: float, packed: bool, tmp_path: Path) -> None:
    file = written(tmp_path / "a.tar", PILOT)
    data = gzip.compress(file.read_bytes()) if packed else file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UsageError) as error:
        images_in([file])
    assert "not a whole one" in told(error)


def changed(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Write an archive anew, with its members changed."""
    with tarfile.open(file) as tar:
        members = {
            one.name: read.read() for one in tar if (read := tar.extractfile(one)) is not None
        }
    change(members)
    with tarfile.open(file, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def _without(part: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        for name in [one for one in members if part in one]:
            del members[name]

    return change


def _another_configuration(members: dict[str, bytes]) -> None:
    for name in [one for one in members if one.endswith(".json") and one != "manifest.json"]:
        members[name] += b" "


@pytest.mark.parametrize(
    "change",
    [
        _without("layer.tar"),
        _without("manifest.json"),
        _another_configuration,
        lambda members: members.update({"manifest.json": b"[{}]"}),
        lambda members: members.update({"manifest.json": b"hello"}),
    ],
)
def test_an_archive_that_lacks_something_is_refused(
    change: Callable[[dict[str, bytes]], None], tmp_path: Path
) -> None:
    file = written(tmp_path / "a.tar", PILOT)
    changed(file, lambda _: None)
    assert set(images_in([file])) == {PILOT}
    changed(file, change)
    with pytest.raises(UsageError) as error:
        images_in([file])
    assert "no archive of images in Docker's format" in told(error)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "photo.png"
    for content in (b"", b"hello" * 1000):
        file.write_bytes(content)
        with pytest.raises(UsageError, match=r"photo\.png is no archive"):
            images_in([file])
    with pytest.raises(UsageError, match="cannot read"):
        images_in([tmp_path / "none"])


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    one, same = (written(tmp_path / name, PILOT) for name in ("a.tar", "b.tar"))
    assert set(images_in([one, same])) == {PILOT}
    written(same, PILOT, content=b"other")
    with pytest.raises(UsageError, match="hold different images called"):
        images_in([one, same])


def test_an_archive_holds_what_is_needed(tmp_path: Path) -> None:
    file = written(tmp_path / "a.tar", PILOT, "registry.example/other:1")
    check_given([file], [PILOT, PROXY])  # of what is not needed nothing is asked
    with pytest.raises(
        UsageError, match=r"and what is needed is docker\.io/istio/proxyv2"
    ) as error:
        check_given([file], [PROXY])
    assert PILOT in told(error)


def test_one_image_by_two_names_is_refused(tmp_path: Path) -> None:
    """As podman writes it that was not told of several images."""
    file = tmp_path / "a.tar"
    write_archive([replace(image(PILOT), references=(PILOT, PROXY))], file)
    with pytest.raises(UsageError, match="holds one image called both") as error:
        check_given([file], [PILOT, PROXY])
    assert "multi-image-archive" in told(error)


def test_what_an_archive_holds_is_loaded_and_no_registry_is_asked(tmp_path: Path) -> None:
    file = written(tmp_path / "a.tar", PILOT)
    engine, store = Registry(), Store(tmp_path / "store")
    engine.means = {PROXY: ["sha256:" + "a" * 64]}
    tags = Tags(engine, store, Recorder(), given=images_in([file]))
    number = images_in([file])[PILOT].id
    assert tags.pin(PILOT) == tags.follow(PILOT) == number
    assert engine.images[PILOT] == number.removeprefix("sha256:")
    tags.pin(PROXY)
    assert engine.pulled == [PROXY]
    # What a registry's tag means is not known by it.
    assert [entry.manifest["version"] for entry in store.entries()] == [PROXY]


def test_an_archive_that_the_engine_does_not_take_is_a_sentence(tmp_path: Path) -> None:
    file = written(tmp_path / "a.tar", PILOT)
    engine = Registry()
    engine.says = "Error: no space left on device"
    with pytest.raises(ArtifactError, match=r"podman does not take .*a\.tar") as error:
        Tags(engine, Store(tmp_path / "store"), Recorder(), given=images_in([file])).pin(PILOT)
    told(error)


def test_a_node_image_is_named_by_what_the_archives_hold(tmp_path: Path) -> None:
    def node(content: bytes, wanted: Wanted = RELEASED) -> str:
        file = written(tmp_path / "a.tar", PILOT, "registry.example/other:1", content=content)
        wanted = replace(wanted, archives=(file,))
        return Published(wanted, Registry(), Recorder(), Store(tmp_path / "store")).reference

    plain = Published(RELEASED, Registry(), Recorder(), Store(tmp_path / "store")).reference
    assert len({plain, node(b"a"), node(b"b")}) == 3
    assert node(b"a") == node(b"a")
    mine = OwnBuilds(OwnBuild(hub="registry.example/me", tag="x"))
    names = [f"registry.example/me/{one}:x" for one in ("pilot", "proxyv2")]
    engine = Registry({name: ["sha256:1"] for name in names})
    own = replace(RELEASED, own=mine, archives=(tmp_path / "a.tar",))
    assert Published(own, engine, Recorder(), Store(tmp_path / "store")).reference != plain
