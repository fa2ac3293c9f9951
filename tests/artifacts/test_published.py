"""The source "published", as far as it is not the engine's: programs that are downloaded or given,
and what a node image is named by."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.artifacts import OwnBuild, OwnBuilds, Wanted, catalog
from meshproof.artifacts.images import USED_HERE
from meshproof.artifacts.published import Published
from meshproof.artifacts.store import Store
from meshproof.artifacts.workloads import workload_recipe
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.mesh.blueprint import images_of
from meshproof.model import Version

from .outside import Answer, Outside
from .registry import Registry

ISTIO = Version.parse("1.31.1")
PACKED = "https://github.com/istio/istio/releases/download/{0}/istioctl-{0}-linux-amd64.tar.gz"
KIND = "https://github.com/kubernetes-sigs/kind/releases/download/v{}/kind-linux-amd64"
HUB = "registry.example/me"
RELEASED = Wanted(Version.parse("1.36.3"), (ISTIO,))
OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def packed(name: str = "istioctl", content: bytes = b"release") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o755
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Baked(Published):
    """With a node image that is there, of what it was made of."""

    def __init__(self, wanted: Wanted, root: Path, means: str = OLD) -> None:
        engine = Registry({f"{HUB}/{name}:mine": [means] for name in ("pilot", "proxyv2")})
        super().__init__(wanted, engine, Recorder(), Store(root))
        engine.images[self.reference] = "cafe"
        facts = {
            "reference": self.reference,
            "image_id": "cafe",
            "images": self._images(),
            "filters_off": {str(one): ["istio.stats"] for one in wanted.istio},
        }
        self.store.obtain(self.node, lambda _: facts, Recorder())
        self.store.obtain(workload_recipe(), _programs, Recorder())


def _programs(folder: Path) -> None:
    for name in USED_HERE:
        (folder / name).write_text(name)


@pytest.fixture
def released(there: Outside) -> Outside:
    there.publish(PACKED.format(ISTIO), packed())
    there.publish(KIND.format(catalog().companion("kind")), b"kind")
    return there


def test_programs_are_fetched_once(released: Outside, tmp_path: Path) -> None:
    for _ in range(2):
        bundle = Baked(RELEASED, tmp_path / "store").bundle()
        assert bundle.istioctl[ISTIO].read_bytes() == b"release"
        assert bundle.istioctl[ISTIO].stat().st_mode & 0o111
        assert bundle.kind.read_bytes() == b"kind"
    assert len(released.asked) == 4
    assert len(bundle.parts["istioctl 1.31.1"]) == 64
    # As the proxy said when the node image was made, wherever it came from.
    assert bundle.filters_off == {ISTIO: ("istio.stats",)}


def test_a_release_without_an_istioctl_in_it_is_told(released: Outside, tmp_path: Path) -> None:
    released.publish(PACKED.format(ISTIO), packed("readme"))
    with pytest.raises(ArtifactError, match="holds no istioctl"):
        Baked(RELEASED, tmp_path / "store").bundle()
    released.publish(PACKED.format(ISTIO), b"no archive at all")
    with pytest.raises(ArtifactError, match="holds no istioctl"):
        Baked(RELEASED, tmp_path / "store").bundle()
    assert Store(tmp_path / "store").unfinished() == []


def test_a_private_build_comes_from_its_hub_with_its_istioctl(
    released: Outside, tmp_path: Path
) -> None:
    program = tmp_path / "mine"
    program.write_bytes(b"mine")
    own = OwnBuilds(OwnBuild(HUB, "mine", program))
    baked = Baked(replace(RELEASED, own=own), tmp_path / "store")
    bundle = baked.bundle()
    images = images_of(bundle, ISTIO)
    assert (images.hub, images.tag, images.proxy) == (HUB, "mine", f"{HUB}/proxyv2:mine")
    program.write_bytes(b"built anew meanwhile")
    assert bundle.istioctl[ISTIO].read_bytes() == b"mine"
    assert bundle.istioctl[ISTIO].stat().st_mode & 0o111
    assert not [one for one in released.asked if "istioctl" in one]
    assert Baked(baked.wanted, tmp_path / "store").bundle().istioctl != bundle.istioctl


def test_a_private_build_without_an_istioctl_is_told_to_bring_one(
    there: Outside, tmp_path: Path
) -> None:
    there.answers["nothing"] = Answer()
    own = OwnBuilds(OwnBuild(HUB, "mine"))
    with pytest.raises(ArtifactError, match=r"there is no .*name the build's own by --istioctl"):
        Baked(replace(RELEASED, own=own), tmp_path / "store").bundle()


def test_a_node_image_is_named_by_what_a_private_tag_means_now(tmp_path: Path) -> None:
    wanted = replace(RELEASED, own=OwnBuilds(OwnBuild(HUB, "mine")))
    first, again, moved = (Baked(wanted, tmp_path / "store", one) for one in (OLD, OLD, NEW))
    assert first.reference == again.reference != moved.reference
    unreached = Registry()
    unreached.says = "no such host"
    last = Published(wanted, unreached, Recorder(), Store(tmp_path / "store"))
    assert last.reference == moved.reference


def test_what_is_released_is_named_without_asking_anybody(tmp_path: Path) -> None:
    baked = Baked(RELEASED, tmp_path / "store")
    assert isinstance(baked.engine, Registry)
    assert baked.engine.pulled == []
    named = Baked(replace(RELEASED, own=OwnBuilds(OwnBuild(istioctl=tmp_path))), tmp_path / "store")
    assert named.reference == baked.reference
