"""Image archives: deterministic, complete, each layer once."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from meshproof.artifacts.archive import Image, Item, Layer, write_archive
from meshproof.artifacts.debian import folder_items
from meshproof.artifacts.node import adapted_containerd_config
from meshproof.errors import ArtifactError


def _images(program: Path) -> list[Image]:
    common = Layer({"lib/x.so": Item(content=b"x"), "lib64": Item(link="lib")})
    top = Layer({"usr/local/bin/program": Item(source=program), "data": Item(owner=1337)})
    return [
        Image(("localhost/a:1",), (common, top), ("/usr/local/bin/program",), "1337:1337"),
        Image(("localhost/b:1",), (common,), environment={"SERVICE_VERSION": "v1"}),
    ]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"binary")
    write_archive(_images(program), tmp_path / "one.tar")
    os.utime(program, (1, 1))
    write_archive(_images(program), tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    program.write_bytes(b"other.")
    write_archive(_images(program), tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() != (tmp_path / "two.tar").read_bytes()


def test_an_archive_is_what_its_manifest_says(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"binary")
    write_archive(_images(program), tmp_path / "images.tar")
    with tarfile.open(tmp_path / "images.tar") as tar:
        names = tar.getnames()

        def content(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member is not None
            return member.read()

        first, second = json.loads(content("manifest.json"))
        assert first["RepoTags"] == ["localhost/a:1"]
        assert first["Layers"][0] == second["Layers"][0]
        assert len(names) == len(set(names))
        config = json.loads(content(first["Config"]))
        assert config["config"]["User"] == "1337:1337"
        diff_ids = [hashlib.sha256(content(name)).hexdigest() for name in first["Layers"]]
        assert config["rootfs"]["diff_ids"] == [f"sha256:{one}" for one in diff_ids]


def test_folders_come_before_what_is_in_them(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"binary")
    write_archive(_images(program)[:1], tmp_path / "images.tar")
    with tarfile.open(tmp_path / "images.tar") as tar:
        layers = [name for name in tar.getnames() if name.endswith("layer.tar")]
        with tarfile.open(fileobj=tar.extractfile(layers[1])) as layer:
            assert layer.getnames() == [
                "data",
                "usr",
                "usr/local",
                "usr/local/bin",
                "usr/local/bin/program",
            ]
            assert layer.getmember("data").uid == 1337
            assert layer.getmember("usr/local/bin/program").mode == 0o755


def test_files_are_found_through_links_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "usr/lib/real.so").write_bytes(b"x")
    (tmp_path / "usr/lib/name.so").symlink_to("/lib/real.so")
    items = folder_items(tmp_path, "usr/lib")
    assert items["usr/lib/name.so"].link == "/lib/real.so"
    assert items["lib"].link == "usr/lib"
    assert items["usr/lib/real.so"].source == tmp_path / "usr/lib/real.so"


def test_containerds_configuration_is_changed_or_refused() -> None:
    text = '  sandbox_image = "registry.example/pause:1"\n  restrict_oom_score_adj = false\n'
    changed = adapted_containerd_config(text, "pause:2")
    assert '  sandbox_image = "pause:2"\n  restrict_oom_score_adj = true\n' in changed
    assert "conf_template" in changed
    with pytest.raises(ArtifactError):
        adapted_containerd_config("something else", "pause:2")
