"""Helm and charts, as far as nothing is compiled: downloads, a folder of the user's, a tree; and
the recipe by which Helm is built."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.artifacts import Bundle, Helm, OwnBuild, OwnBuilds, Wanted, catalog, check_charts
from meshproof.artifacts.catalog import RECIPES
from meshproof.artifacts.gobuild import go_recipe
from meshproof.artifacts.helm import with_helm
from meshproof.artifacts.store import Store
from meshproof.errors import ArtifactError, UsageError
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.process import Shell

from .outside import Outside

ISTIO = Version.parse("1.31.1")
WANTED = Wanted(Version.parse("1.36.3"), (ISTIO,), helm=True)
ISTIOS = "https://github.com/istio/istio/releases/download/1.31.1/istio-1.31.1-linux-amd64.tar.gz"
HELMS = f"https://get.helm.sh/helm-v{catalog().companion('helm')}-linux-amd64.tar.gz"
TREE = ("base", "istio-control/istio-discovery", "gateway")
CHARTS = {"base", "istiod", "gateway"}
_PINNED = re.compile(r"^(?:require )?\t?(\S+\.\S+) (v\S+)(?: // indirect)?$", re.MULTILINE)


def packed(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def laid(folder: Path, *places: str) -> Path:
    """Charts in a folder, each of which says where it was."""
    for one in places:
        (folder / one / "templates").mkdir(parents=True)
        (folder / one / "Chart.yaml").write_text(f"name: {one}\n")
        (folder / one / "templates" / "it.yaml").write_text(one)
    return folder


def had(
    store: Path,
    source: str = "published",
    charts: Path | None = None,
    tree: Path | None = None,
    own: OwnBuilds | None = None,
) -> Bundle:
    none: Mapping[str, str] = {}
    plain = Bundle(
        source,
        "node",
        store,
        {ISTIO: store},
        none,
        "",
        {"kind": "0"},
        {ISTIO: ""},
        store,
        {ISTIO: ()},
    )
    return with_helm(
        plain,
        replace(WANTED, charts=charts, own=own or OwnBuilds()),
        shell=Shell(),
        recorder=Recorder(),
        store=Store(store),
        checkout=tree,
    )


def helm_of(bundle: Bundle) -> Helm:
    assert bundle.helm is not None
    return bundle.helm


@pytest.fixture
def released(there: Outside) -> Outside:
    there.publish(HELMS, packed({"linux-amd64/helm": b"helm", "linux-amd64/LICENSE": b""}))
    files = {f"istio-1.31.1/manifests/charts/{one}/Chart.yaml": one.encode() for one in TREE}
    more = {"istio-1.31.1/bin/istioctl": b"", "istio-1.31.1/manifests/charts/ztunnel/x": b""}
    there.publish(ISTIOS, packed({**files, **more}))
    return there


def test_both_are_fetched_once_from_their_releases(released: Outside, tmp_path: Path) -> None:
    for _ in range(2):
        helm = helm_of(bundle := had(tmp_path / "store"))
        assert helm.program.read_bytes() == b"helm"
        assert helm.program.stat().st_mode & 0o111
        found = {one.name for one in helm.charts[ISTIO].iterdir() if one.is_dir()}
        assert found == CHARTS
        charts = helm.charts[ISTIO]
        assert (charts / "istiod" / "Chart.yaml").read_text() == "istio-control/istio-discovery"
    assert len(released.asked) == 4
    assert {"kind", "charts 1.31.1", f"helm {catalog().companion('helm')}"} == set(bundle.parts)


@pytest.mark.parametrize(
    ("url", "content", "said"),
    [
        (HELMS, packed({"readme": b""}), "holds no Helm"),
        (HELMS, b"no archive at all", "holds no Helm"),
        (ISTIOS, packed({"istio-1.31.1/bin/istioctl": b""}), "holds no chart 'base'"),
        (ISTIOS, b"no archive at all", "holds no charts"),
    ],
    # Not by what is packed, which says when it was: workers would know it by different names.
    ids=["Helm without Helm", "Helm that is none", "Istio without charts", "Istio that is none"],
)
def test_a_release_without_what_is_looked_for_is_told(
    url: str, content: bytes, said: str, released: Outside, tmp_path: Path
) -> None:
    released.publish(url, content)
    with pytest.raises(ArtifactError, match=said):
        had(tmp_path / "store")
    assert Store(tmp_path / "store").unfinished() == []


def test_a_build_of_ones_own_that_no_release_has_charts_for_is_told(
    there: Outside, tmp_path: Path
) -> None:
    there.publish(HELMS, packed({"linux-amd64/helm": b"helm"}))
    own = OwnBuilds(by_version=((ISTIO, OwnBuild(tag="mine")),))
    with pytest.raises(ArtifactError) as told:
        had(tmp_path / "store", own=own)
    assert told.value.remedy == "name the build's own by --charts"
    with pytest.raises(ArtifactError) as told:
        had(tmp_path / "store")
    assert told.value.remedy != "name the build's own by --charts"


@pytest.mark.parametrize("places", [TREE, tuple(CHARTS)], ids=["Istio's tree", "a repository's"])
def test_a_folder_of_the_users_is_taken_as_it_is_now(
    places: tuple[str, ...], released: Outside, tmp_path: Path
) -> None:
    mine = laid(tmp_path / "mine", *places)
    charts = helm_of(had(tmp_path / "store", charts=mine)).charts[ISTIO]
    assert {one.name for one in charts.iterdir() if one.is_dir()} == CHARTS
    before = (charts / "base" / "Chart.yaml").read_text()
    (mine / "base" / "Chart.yaml").write_text("name: other")
    assert (charts / "base" / "Chart.yaml").read_text() == before
    assert helm_of(had(tmp_path / "store", charts=mine)).charts[ISTIO] != charts
    assert not [one for one in released.asked if "istio-1.31.1" in one]


def test_a_folder_that_lacks_a_chart_is_told(tmp_path: Path) -> None:
    mine = laid(tmp_path / "mine", "base", "gateway")
    with pytest.raises(UsageError, match="holds no chart 'istiod': let --charts name a folder"):
        check_charts(mine)


def test_a_source_trees_charts_are_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("meshproof.artifacts.helm.build_component", _built)
    monkeypatch.setattr("meshproof.artifacts.helm.find_toolchain", lambda *_: None)
    tree = tmp_path / "tree"
    laid(tree / "manifests" / "charts", *TREE)
    found = helm_of(had(tmp_path / "store", "checkout", tree=tree))
    assert found.program.read_bytes() == b"built"
    assert (found.charts[ISTIO] / "gateway" / "Chart.yaml").is_file()


def test_what_is_built_takes_the_charts_of_istios_own_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = laid(tmp_path / "module" / "manifests" / "charts", *TREE).parents[1]
    asked: list[str] = []

    def folder(source: Path, name: str, *_: object) -> Path:
        asked.append(f"{name} {(source / 'go.mod').is_file()}")
        return module

    monkeypatch.setattr("meshproof.artifacts.helm.build_component", _built)
    monkeypatch.setattr("meshproof.artifacts.helm.find_toolchain", lambda *_: None)
    monkeypatch.setattr("meshproof.artifacts.helm.module_folder", folder)
    found = helm_of(had(tmp_path / "store", "built"))
    assert asked == ["istio.io/istio True"]
    assert {one.name for one in found.charts[ISTIO].iterdir() if one.is_dir()} == CHARTS


def _built(_: object, folder: Path, *__: object) -> None:
    (folder / "helm").write_bytes(b"built")


def test_helm_is_the_one_that_istioctl_has_in_itself() -> None:
    version = catalog().companion("helm")
    for istio in catalog().istio:
        pinned = dict(_PINNED.findall((go_recipe("istio", istio).folder / "go.mod").read_text()))
        assert pinned["helm.sh/helm/v4"] == f"v{version}"


def test_every_module_that_helm_is_built_of_is_known_by_its_sums() -> None:
    folder = RECIPES / "helm" / catalog().companion("helm")
    sums = {tuple(one.split()[:2]) for one in (folder / "go.sum").read_text().splitlines()}
    pinned = _PINNED.findall((folder / "go.mod").read_text())
    assert len(pinned) > 100
    for name, version in pinned:
        assert {(name, version), (name, f"{version}/go.mod")} <= sums
