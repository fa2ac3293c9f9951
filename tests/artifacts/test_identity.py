"""Digests and identities: they change with the inputs, and with nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.artifacts import Store, Wanted, catalog, default_wanted, provide
from meshproof.artifacts.built import Built, istio_from_modules
from meshproof.artifacts.checkout import identity, istio_from_checkout, tree_version
from meshproof.artifacts.gobuild import go_recipe
from meshproof.engine.podman import Podman
from meshproof.errors import UsageError
from meshproof.events import Recorder
from meshproof.model import Version
from meshproof.process import Shell

ENGINE = Podman(Shell())


def _node_digest(wanted: Wanted) -> str:
    recorder = Recorder()
    istios = istio_from_modules(wanted, ENGINE, recorder)
    return Built(wanted, ENGINE, recorder, Store(Path("/nowhere")), istios).node.digest


def test_a_node_is_named_by_all_that_goes_in() -> None:
    known = catalog()
    base = Wanted(known.kubernetes[-1], (known.istio[0],))
    digests = [
        _node_digest(wanted)
        for wanted in (
            base,
            replace(base, kubernetes=known.kubernetes[0]),
            replace(base, istio=known.istio),
            replace(base, istio=()),
        )
    ]
    assert len(set(digests)) == len(digests)
    assert _node_digest(base) == digests[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda recipe: replace(recipe, packages=(*recipe.packages, "./more")),
        lambda recipe: replace(recipe, variables={"x.y": "z"}),
        lambda recipe: replace(recipe, folder=recipe.folder.parents[1] / "kind" / "0.33.0"),
    ],
)
def test_programs_are_named_by_sources_and_flags(change: Callable[..., object]) -> None:
    recipe = go_recipe("workloads", "1")
    changed = change(recipe)
    assert isinstance(changed, type(recipe))
    if changed.packages == recipe.packages:
        assert changed.recipe("1.26.8").digest != recipe.recipe("1.26.8").digest
    assert recipe.recipe("1.26.8").digest != recipe.recipe("1.26.9").digest


def test_everything_in_the_catalog_has_its_recipe() -> None:
    known = catalog()
    for version in known.kubernetes:
        for name in ("etcd", "coredns"):
            assert go_recipe(name, known.companion("kubernetes", version, name)).packages
        assert go_recipe("kubernetes", version).packages
    for version in known.istio:
        assert go_recipe("istio", version).files
    for name in ("kind", "containerd", "workloads"):
        assert go_recipe(name, known.companion(name)).packages
    known.check(Wanted(known.kubernetes[0], known.istio))
    known.check(default_wanted())


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        (Wanted(Version(1, 2, 3)), "Kubernetes 1.2.3 is not in the catalog: choose one of 1.36.1"),
        (Wanted(Version(1, 36, 3), (Version(9, 9, 9),)), "Istio 9.9.9 is not"),
        (Wanted(Version(1, 36, 3), (), Version(0, 1, 0)), "Envoy 0.1.0 is not"),
    ],
)
def test_an_unknown_version_is_refused_with_those_known(
    wanted: Wanted, what: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=what):
        provide(wanted, engine=ENGINE, recorder=Recorder(), source="built", store=Store(tmp_path))


def test_an_unknown_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="published, built, checkout"):
        provide(
            default_wanted(),
            engine=ENGINE,
            recorder=Recorder(),
            source="stolen",
            store=Store(tmp_path),
        )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Something that looks like a clone of Istio."""
    (tmp_path / "go.mod").write_text("module istio.io/istio\n")
    (tmp_path / "VERSION").write_text("1.31\n")
    (tmp_path / "main.go").write_text("package main\n")
    return tmp_path


def _git(tree: Path, *words: str) -> None:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid"]
    subprocess.run(["git", "-C", str(tree), *who, *words], check=True, capture_output=True)


@pytest.mark.parametrize("with_git", [True, False])
def test_a_checkouts_identity_follows_its_sources(tree: Path, with_git: bool) -> None:
    if with_git:
        _git(tree, "init", "-q")
        _git(tree, "add", ".")
        _git(tree, "commit", "-qm", "one")
    shell = Shell()
    seen = [identity(tree, shell)]
    assert identity(tree, shell) == seen[0]
    (tree / "main.go").write_text("package main // changed\n")
    seen.append(identity(tree, shell))
    (tree / "new.go").write_text("package main\n")
    seen.append(identity(tree, shell))
    (tree / "new.go").write_text("package main // too\n")
    seen.append(identity(tree, shell))
    assert len(set(seen)) == len(seen)


def test_a_checkouts_version_and_recipe(tree: Path) -> None:
    assert str(tree_version(tree, "0123456789abcdef")) == "1.31.0-checkout.0123456789ab"
    first = istio_from_checkout(tree, default_wanted(), ENGINE, Recorder())
    (tree / "main.go").write_text("package main // changed\n")
    second = istio_from_checkout(tree, default_wanted(), ENGINE, Recorder())
    assert first.recipe.digest != second.recipe.digest


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no Istio source tree"):
        istio_from_checkout(tmp_path, default_wanted(), ENGINE, Recorder())
