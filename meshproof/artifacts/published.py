"""The source "published": images from registries, programs from their projects' releases; what
runs in the clusters for meshproof is built here all the same, so that nothing rests on others'.

What is downloaded, and what tags mean, unit tests see by a stand-in; pulls and the bake are what
`make published` is for. The bake is the way that kind builds its own node images: containerd in a
container, import, commit.
"""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from meshproof.artifacts import digests, filters
from meshproof.artifacts.archive import write_archive
from meshproof.artifacts.bake import BUILD_LABEL, remove_abandoned, remove_leftovers
from meshproof.artifacts.bundle import Bundle, Wanted
from meshproof.artifacts.catalog import RECIPES, catalog
from meshproof.artifacts.download import answers, fetch
from meshproof.artifacts.given import Given, images_in
from meshproof.artifacts.images import USED_HERE, WORKLOAD, workload_image
from meshproof.artifacts.node import adapted_containerd_config
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.artifacts.tags import Tags
from meshproof.artifacts.workloads import workload_programs, workload_recipe
from meshproof.engine import Engine
from meshproof.environment import find_program
from meshproof.errors import ArtifactError
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.reading import file_errors
from meshproof.wait import eventually

REGISTRY_VARIABLE = "MESHPROOF_REGISTRY"
"""A mirror: put before each image's name, as in "mirror.example:5000/docker.io/istio/pilot"."""

_REGISTRY = "https://registry-1.docker.io/v2/"
_ISTIO_RELEASES = "https://github.com/istio/istio/releases/download"
_KIND_RELEASES = "https://github.com/kubernetes-sigs/kind/releases/download"
_CONFIG = "/etc/containerd/config.toml"
_PAUSE = re.compile(r'^\s*sandbox_image\s*=\s*"([^"\n]+)"', re.MULTILINE)
_ISTIOCTL = "istioctl"
_CTR = ("ctr", "-n", "k8s.io", "images")
_CHANGES = ('ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]',)
_OWN, _PLAIN = "Istio's own", "Envoy without all of Istio's filters"
_ARCHIVES = ("images.tar", "workload.tar")


def registry_answers() -> bool:
    """Whether the registry says anything within 3 s. Asked once, by HEAD."""
    mirror = os.environ.get(REGISTRY_VARIABLE)
    url = f"https://{mirror.split('/', 1)[0]}/v2/" if mirror else _REGISTRY
    return answers(url, 3)


def needed_by(wanted: Wanted) -> tuple[str, ...]:
    """The names of all images that are pulled for what is wanted."""
    return (_base(wanted), *_istios(wanted).values())


def _base(wanted: Wanted) -> str:
    """The name of kind's node image."""
    return f"docker.io/kindest/node:v{wanted.kubernetes}"


def _istios(wanted: Wanted) -> dict[str, str]:
    """By what a bundle calls them the names of Istio's images."""
    return {
        f"{name}:{version}": wanted.own.of(version).image(name, version)
        for version in wanted.istio
        for name in ("pilot", "proxyv2")
    }


@dataclass(frozen=True)
class Published:
    """Fetches what is wanted, and bakes it into kind's node image."""

    wanted: Wanted
    engine: Engine
    recorder: Recorder
    store: Store

    @cached_property
    def node(self) -> Recipe:
        """The node image's recipe: the references that go in, and what is changed."""
        inputs = {
            "revision": 3,
            "engine": self.engine.name,
            "images": self._images(),
            **self._followed,
            **self._taken,
            "workloads": workload_recipe().digest,
            "cni": digests.of_file(RECIPES / "cni-template.conflist"),
        }
        return Recipe("node", f"{self.wanted.kubernetes} published", inputs, 8 * 2**30)

    @property
    def reference(self) -> str:
        """The node image's name in the engine."""
        return f"localhost/meshproof/node:{self.node.digest[:16]}"

    def is_there(self) -> bool:
        """Whether the store says that the node image was made."""
        return self.store.find(self.node) is not None

    def bundle(self) -> Bundle:
        """Everything, verified; fetched where it is not there. Raises ArtifactError."""
        node = self.store.obtain(
            self.node, self._make_node, self.recorder, still_good=self._in_engine
        )
        programs = {version: self._istioctl(version) for version in self.wanted.istio}
        facts = node.manifest["facts"]
        off = {one: tuple(facts["filters_off"][str(one)]) for one in self.wanted.istio}
        return Bundle(
            "published",
            self.reference,
            self._kind(catalog().companion("kind")),
            {version: entry.file(_ISTIOCTL) for version, entry in programs.items()},
            facts["images"],
            node.digest,
            {
                **facts.get("digests", {}),
                "node image": str(facts["image_id"]),
                **{
                    f"istioctl {version}": str(entry.manifest["files"][_ISTIOCTL]["sha256"])
                    for version, entry in programs.items()
                },
            },
            {version: _PLAIN if off[version] else _OWN for version in self.wanted.istio},
            self._workload_programs(USED_HERE).folder,
            off,
        )

    def for_clusters(self) -> Bundle:
        """The same for clusters that are there, without a node image and kind: images are named as
        their nodes pull them. Proxies are asked here which filters they have, so they are pulled
        here too. Raises ArtifactError."""
        images = self._images()
        programs = {version: self._istioctl(version) for version in self.wanted.istio}
        digests_of = {name: self._tags.pin(image) for name, image in images.items()}
        off = {version: self._filters_off(version) for version in self.wanted.istio}
        return Bundle(
            source="published",
            node_image="",
            kind=Path(),
            istioctl={version: entry.file(_ISTIOCTL) for version, entry in programs.items()},
            images={"workload": WORKLOAD, **images},
            digest=digests.of_inputs(digests_of),
            parts=digests_of,
            proxies={version: _PLAIN if off[version] else _OWN for version in self.wanted.istio},
            ours=self._workload_programs(USED_HERE).folder,
            filters_off=off,
        )

    def _images(self) -> dict[str, str]:
        return _istios(self.wanted)

    @cached_property
    def _followed(self) -> dict[str, dict[str, str]]:
        """Of a build of one's own the images by digest: its tag may be given to the next build at
        any time, which is another node image then. What is released stays what it is."""
        own = [
            image
            for version in self.wanted.istio
            if (build := self.wanted.own.of(version)).hub or build.tag
            for image in (build.image("pilot", version), build.image("proxyv2", version))
        ]
        return {"digests": {one: self._tags.follow(one) for one in own}} if own else {}

    @cached_property
    def _tags(self) -> Tags:
        mirror = os.environ.get(REGISTRY_VARIABLE, "").rstrip("/")
        return Tags(self.engine, self.store, self.recorder, mirror, self._given_images)

    @cached_property
    def _given_images(self) -> dict[str, Given]:
        return images_in(self.wanted.archives)

    @property
    def _taken(self) -> dict[str, dict[str, str]]:
        """The images that are taken out of archives, by id: one of that name that was pulled may be
        another."""
        given = self._given_images
        taken = {one: given[one].id for one in needed_by(self.wanted) if one in given}
        return {"given": taken} if taken else {}

    def _workload_programs(self, used: tuple[str, ...] | None = None) -> Entry:
        return workload_programs(self.store, self.engine, self.recorder, used)

    def _in_engine(self, node: Entry) -> bool:
        return bool(self.engine.image_id(self.reference) == node.manifest["facts"]["image_id"])

    def _make_node(self, folder: Path) -> dict[str, Any]:
        remove_abandoned(self.store, self.engine)
        images = self._images()
        base = _base(self.wanted)
        pulled = {base: self._pinned_base(base)}
        followed = self._followed.get("digests", {})
        for reference in images.values():
            at_hand = reference in followed and reference not in self._given_images
            pulled[reference] = followed[reference] if at_hand else self._tags.pin(reference)
        off = {str(one): self._filters_off(one) for one in self.wanted.istio}
        programs = self._workload_programs().folder
        archives = [folder / name for name in _ARCHIVES]
        write_archive([workload_image(programs)], archives[-1])
        if images:
            self.engine.save(sorted(set(images.values())), archives[0])
        name = f"meshproof-bake-{folder.name[:12]}"
        remove_leftovers(folder.name, self.engine)
        try:
            options = ["--privileged", "--network", "none", "--entrypoint", "sleep"]
            options += ["--label", f"{BUILD_LABEL}={folder.name}", "-v", f"{folder}:/bake"]
            self.engine.run_detached(name, base, options, "infinity")
            self._bake(name, [one.name for one in archives if one.is_file()])
            image = self.engine.commit(name, self.reference, _CHANGES)
        finally:
            remove_leftovers(folder.name, self.engine)
        for archive in archives:
            archive.unlink(missing_ok=True)
        self.recorder.emit("artifact-image", image=image, reference=self.reference)
        return {
            "reference": self.reference,
            "image_id": self.engine.image_id(self.reference),
            "images": {"workload": WORKLOAD, **images},
            "filters_off": off,
            "digests": {
                **{name: pulled[one] for name, one in images.items()},
                "kindest/node": pulled[base],
                "workloads": workload_recipe().digest,
            },
        }

    def _pinned_base(self, base: str) -> str:
        try:
            return self._tags.pin(base)
        except ArtifactError as error:
            known = catalog()
            if self.wanted.kubernetes in known.nodes:
                raise
            raise ArtifactError(
                error.cause,
                f"choose by --kubernetes one that kind {known.companion('kind')} publishes a node "
                f"image of: {', '.join(map(str, known.nodes))}",
            ) from error

    def _filters_off(self, version: Version) -> tuple[str, ...]:
        """Which of Istio's filters the proxy of a version lacks, asked of its image."""
        proxy = self.wanted.own.of(version).image("proxyv2", version)
        return filters.filters_off(
            f"the proxy in {proxy}",
            lambda options: self.engine.run_once(proxy, filters.PROGRAM, options),
        )

    def _bake(self, container: str, archives: Sequence[str]) -> None:
        """Change a kindest/node container into a node of ours, with the archives' images."""
        read = self.engine.exec(container, ["cat", _CONFIG]).stdout
        pause = _PAUSE.search(read)
        if pause is None:
            raise ArtifactError(
                f"{_base(self.wanted)} names no pause image in {_CONFIG}: its containerd's "
                "configuration is not the one that kind's releases have",
                "choose another --kubernetes, or '--artifacts built'",
            )
        template = RECIPES / "cni-template.conflist"
        self.engine.copy_in(template, container, "/etc/cni/template.conflist")
        self.engine.exec(
            container,
            ["tee", _CONFIG],
            input=adapted_containerd_config(read, pause[1]),
        )
        self.engine.command("exec", "-d", container, "containerd")
        eventually(
            lambda: self.engine.exec(container, ["ctr", "version"], check=False).returncode == 0,
            what="containerd in the bake container",
            within=60,
        )
        load = [*_CTR, "import", "--label=io.cri-containerd.pinned=pinned", "--no-unpack"]
        for archive in archives:
            self.engine.exec(container, [*load, f"/bake/{archive}"], timeout=1200)
        self.engine.exec(container, ["pkill", "-x", "containerd"])

    def _kind(self, version: str) -> Path:
        url = f"{_KIND_RELEASES}/v{version}/kind-linux-amd64"

        def make(folder: Path) -> None:
            fetch(url, folder / "kind")
            (folder / "kind").chmod(0o755)

        recipe = Recipe("kind-published", version, {"url": url})
        try:
            return self.store.obtain(recipe, make, self.recorder).file("kind")
        except ArtifactError:
            # Where there is no way out somebody may have brought it by hand.
            installed = find_program("kind")
            if installed is None or not self._is_kind(installed, version):
                raise
            return self._given("kind", version, Path(installed)).file("kind")

    def _is_kind(self, program: str, version: str) -> bool:
        said = self.engine.shell.run([program, "version"], check=False, timeout=20)
        return f"v{version}" in said.stdout.split()

    def _istioctl(self, version: Version) -> Entry:
        own = self.wanted.own.of(version).istioctl
        if own is None:
            return self._downloaded(version)
        return self._given(_ISTIOCTL, str(version), own)

    def _given(self, name: str, version: str, program: Path) -> Entry:
        """A program of the user's, as it is now: what becomes of it meanwhile changes nothing."""
        with file_errors(program, name):
            recipe = Recipe(f"{name}-own", version, {"sha256": digests.of_file(program)})

        def make(folder: Path) -> None:
            with file_errors(program, name):
                shutil.copyfile(program, folder / name)
            (folder / name).chmod(0o755)

        return self.store.obtain(recipe, make, self.recorder)

    def _downloaded(self, version: Version) -> Entry:
        url = f"{_ISTIO_RELEASES}/{version}/istioctl-{version}-linux-amd64.tar.gz"

        def make(folder: Path) -> None:
            packed = folder / "packed.tar.gz"
            try:
                fetch(url, packed)
                with tarfile.open(packed) as archive:
                    archive.extract(_ISTIOCTL, folder, filter="data")
            except ArtifactError as error:
                if self.wanted.own.of(version).is_named:
                    raise ArtifactError(
                        error.cause, "name the build's own by --istioctl"
                    ) from error
                raise
            except (tarfile.TarError, KeyError, EOFError) as error:
                raise ArtifactError(f"{url} holds no istioctl", "choose another version") from error
            packed.unlink()

        recipe = Recipe("istioctl-published", str(version), {"url": url})
        return self.store.obtain(recipe, make, self.recorder)
