"""Helm, and the charts of each Istio that it installs: had where a run installs something by it.

Built from modules as all else; the charts are then those of the very tree that Istio is built of.
Published, Helm is its project's release, and the charts are those in Istio's.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from meshproof.artifacts import digests
from meshproof.artifacts.bundle import Bundle, Helm, Wanted
from meshproof.artifacts.catalog import catalog
from meshproof.artifacts.download import fetch
from meshproof.artifacts.gobuild import GoRecipe, build_component, go_recipe, module_folder, take
from meshproof.artifacts.store import Entry, Recipe, Store
from meshproof.artifacts.toolchain import Toolchain, find_toolchain
from meshproof.errors import ArtifactError, UsageError
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.process import Shell
from meshproof.reading import file_errors

_PLACES = {
    "base": ("base",),
    "istiod": ("istiod", "istio-control/istio-discovery"),
    "gateway": ("gateway",),
}
"""The charts that are used, and where they may be: as Istio's repository calls them, and as its
tree has them."""
_HELM_RELEASES = "https://get.helm.sh"
_ISTIO_RELEASES = "https://github.com/istio/istio/releases/download"
_MODULE = "istio.io/istio"
_CHARTS = "manifests/charts"
_PROGRAM = "helm"


def with_helm(
    bundle: Bundle,
    wanted: Wanted,
    *,
    shell: Shell,
    recorder: Recorder,
    store: Store,
    checkout: Path | None,
) -> Bundle:
    """The bundle with Helm, and with the charts of each of its Istios. Raises ArtifactError, and
    UsageError as ``check_charts`` does."""
    maker = _Maker(wanted, shell, recorder, store, checkout)
    program = maker.downloaded() if bundle.source == "published" else maker.built()
    charts = {version: maker.charts(bundle.source, version) for version in bundle.istioctl}
    parts = {
        f"helm {program.manifest['version']}": program.digest,
        **{f"charts {version}": entry.digest for version, entry in charts.items()},
    }
    helm = Helm(program.file(_PROGRAM), {one: entry.folder for one, entry in charts.items()})
    return replace(bundle, helm=helm, parts={**bundle.parts, **parts})


def helm_there(store: Store, version: Version) -> Helm | None:
    """Helm with the charts of one Istio, as they are built, where the store holds both: nothing is
    made, and nothing verified."""
    known = catalog()
    program = store.find(_built_recipe().recipe(known.companion("go")))
    charts = store.find(_module_charts(version))
    if program is None or charts is None:
        return None
    return Helm(program.file(_PROGRAM), {version: charts.folder})


def check_charts(folder: Path) -> None:
    """Raise UsageError where a folder lacks a chart that is used."""
    for name, places in _PLACES.items():
        if _found(folder, name) is None:
            raise UsageError(
                f"{folder} holds no chart '{name}'",
                f"let --charts name a folder with {' or '.join(places)} in it, as Istio's "
                f"{_CHARTS} has them",
            )


@dataclass(frozen=True)
class _Maker:
    wanted: Wanted
    shell: Shell
    recorder: Recorder
    store: Store
    checkout: Path | None

    def built(self) -> Entry:
        recipe = _built_recipe()

        def make(folder: Path) -> None:
            build_component(recipe, folder, self._toolchain(), self.shell, self.recorder)

        return self._obtain(recipe.recipe(catalog().companion("go")), make, (_PROGRAM,))

    def downloaded(self) -> Entry:
        version = catalog().companion("helm")
        url = f"{_HELM_RELEASES}/helm-v{version}-linux-amd64.tar.gz"

        def make(folder: Path) -> None:
            with _unpacking(url, folder, "Helm") as archive:
                archive.extract(f"linux-amd64/{_PROGRAM}", folder, filter="data")
            (folder / "linux-amd64" / _PROGRAM).rename(folder / _PROGRAM)
            (folder / "linux-amd64").rmdir()
            (folder / _PROGRAM).chmod(0o755)

        return self._obtain(Recipe("helm-published", version, {"url": url}), make, (_PROGRAM,))

    def charts(self, source: str, version: Version) -> Entry:
        """The charts of a version, as the user's folder, the tree, the module or the release has
        them."""
        if self.wanted.charts is not None:
            return self._copied("charts-own", version, self.wanted.charts)
        if source == "checkout" and self.checkout is not None:
            return self._copied("charts-checkout", version, self.checkout / _CHARTS)
        return self._released(version) if source == "published" else self._of_module(version)

    def _copied(self, name: str, version: Version, folder: Path) -> Entry:
        """What becomes of the folder meanwhile changes nothing."""
        check_charts(folder)
        with file_errors(folder, "the charts"):
            told = {one: digests.of_folder(_place(folder, one, str(folder))) for one in _PLACES}
        recipe = Recipe(name, str(version), {"charts": told})
        return self._obtain(recipe, lambda into: _copy(folder, into, str(folder)))

    def _of_module(self, version: Version) -> Entry:
        istio = go_recipe("istio", version)

        def make(folder: Path) -> None:
            source = folder / "source"
            shutil.copytree(istio.folder, source)
            tree = module_folder(source, _MODULE, self._toolchain(), self.shell)
            shutil.rmtree(source)
            _copy(tree / _CHARTS, folder, f"the module of Istio {version}")

        return self._obtain(_module_charts(version), make)

    def _released(self, version: Version) -> Entry:
        url = f"{_ISTIO_RELEASES}/{version}/istio-{version}-linux-amd64.tar.gz"

        def make(folder: Path) -> None:
            tree = folder / "tree"
            with self._hinting(version), _unpacking(url, folder, "charts") as archive:
                top = PurePosixPath(f"istio-{version}", _CHARTS)
                wanted = [one for one in archive if PurePosixPath(one.name).is_relative_to(top)]
                archive.extractall(tree, wanted, filter="data")
            _copy(tree / top, folder, url)
            shutil.rmtree(tree)

        return self._obtain(Recipe("charts-published", str(version), {"url": url}), make)

    @contextmanager
    def _hinting(self, version: Version) -> Iterator[None]:
        """Of a build of one's own, what no release has is named by an option."""
        try:
            yield
        except ArtifactError as error:
            if self.wanted.own.of(version).is_named:
                raise ArtifactError(error.cause, "name the build's own by --charts") from error
            raise

    def _toolchain(self) -> Toolchain:
        return find_toolchain(self.store, self.shell, self.recorder, catalog().companion("go"))

    def _obtain(
        self, recipe: Recipe, make: Callable[[Path], None], used: tuple[str, ...] | None = None
    ) -> Entry:
        return self.store.obtain(recipe, make, self.recorder, used=used)


def _built_recipe() -> GoRecipe:
    return go_recipe("helm", catalog().companion("helm"))


def _module_charts(version: Version) -> Recipe:
    modules = digests.of_file(go_recipe("istio", version).folder / "go.mod")
    return Recipe("charts", str(version), {"revision": 1, "modules": modules})


@contextmanager
def _unpacking(url: str, folder: Path, what: str) -> Iterator[tarfile.TarFile]:
    """The archive at ``url``, which is fetched, read inside the block, and gone afterwards. Raises
    ArtifactError where it cannot be had, or what is looked for inside is not in it."""
    packed = folder / "packed.tar.gz"
    fetch(url, packed)
    try:
        with tarfile.open(packed) as archive:
            yield archive
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise ArtifactError(f"{url} holds no {what}", "choose another version") from error
    packed.unlink()


def _found(folder: Path, name: str) -> Path | None:
    """Where a chart is in a folder; None where it is not."""
    places = (folder / place for place in _PLACES[name])
    return next((one for one in places if (one / "Chart.yaml").is_file()), None)


def _place(folder: Path, name: str, whose: str) -> Path:
    place = _found(folder, name)
    if place is None:
        raise ArtifactError(f"{whose} holds no chart '{name}'", "choose another version")
    return place


def _copy(charts: Path, into: Path, whose: str) -> None:
    """Copy the charts that are used, each under the name that Istio's repository has for it.
    ``whose``: where they come from, in words."""
    for name in _PLACES:
        take(_place(charts, name, whose), into / name)
