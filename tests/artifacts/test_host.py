"""What a host manages its members by: the recipes, and the images that are made of them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import yaml

from meshproof.artifacts.archive import write_archive
from meshproof.artifacts.catalog import RECIPES, catalog
from meshproof.artifacts.host import CONTROLLERS, REGISTRY, host_images, references


def test_the_images_are_called_by_the_versions_of_the_catalog() -> None:
    known = catalog()
    assert set(references()) == {*CONTROLLERS, REGISTRY}
    for name in CONTROLLERS:
        assert references()[name] == f"localhost/meshproof/{name}:{known.companion('flux')}"
    assert references()[REGISTRY].endswith(f":{known.companion('registry')}")


def test_both_controllers_are_of_the_version_that_the_catalog_names() -> None:
    version = catalog().companion("flux")
    folder = RECIPES / "flux" / version
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    assert [one.rsplit("/", 1)[-1] for one in recipe["packages"]] == list(CONTROLLERS)
    modules = (folder / "go.mod").read_text(encoding="utf-8")
    for package in recipe["packages"]:
        assert f"\t{package} v{version}\n" in modules


def test_each_image_has_its_program_alone_and_room_to_unpack_into(tmp_path: Path) -> None:
    flux, registry = tmp_path / "flux", tmp_path / "registry"
    for folder, names in ((flux, CONTROLLERS), (registry, (REGISTRY,))):
        folder.mkdir()
        for name in names:
            (folder / name).write_text(f"program {name}", encoding="utf-8")
    archive = tmp_path / "images.tar"
    write_archive(host_images(flux, registry), archive)
    with tarfile.open(archive) as tar:
        found = tar.extractfile("manifest.json")
        assert found is not None
        images = {one["RepoTags"][0]: one for one in json.load(found)}
        assert set(images) == set(references().values())
        for name, reference in references().items():
            (layer,) = images[reference]["Layers"]
            blob = tar.extractfile(layer)
            assert blob is not None
            with tarfile.open(fileobj=blob) as inside:
                assert inside.getnames() == [name, "tmp"] or inside.getnames() == ["tmp", name]
                assert inside.getmember("tmp").mode == 0o1777
            config = tar.extractfile(images[reference]["Config"])
            assert config is not None
            said = json.load(config)["config"]
            assert said["Entrypoint"] == [f"/{name}"] and said["User"] == "65534:65534"
