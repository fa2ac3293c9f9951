"""Trees with mutants in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts import Store, checkout_version, default_wanted
from meshproof.artifacts.gobuild import go_recipe
from meshproof.errors import UsageError
from meshproof.events import Recorder
from meshproof.mutants.tree import MutatedTree, from_checkout, go_mod
from meshproof.process import Shell
from tests.mutants.made import GO, edit, mutant


@pytest.fixture
def istio(tmp_path: Path) -> Path:
    tree = tmp_path / "istio"
    (tree / "lake").mkdir(parents=True)
    (tree / "out").mkdir()
    (tree / "lake/lake.go").write_text(GO, encoding="utf-8")
    (tree / "out/built").write_text("no source", encoding="utf-8")
    (tree / "go.mod").write_text("module istio.io/istio\n", encoding="utf-8")
    (tree / "VERSION").write_text("1.99\n", encoding="utf-8")
    return tree


def made(istio: Path, *mutants: str) -> MutatedTree:
    store = Store(istio.parent / "store")
    own = [mutant(id) for id in mutants]
    odd = mutant("odd", edits=[edit('"odd" @found', "nowhere()")])
    return from_checkout([*own, odd], istio, store, Shell(), Recorder())


def test_a_checkout_is_copied_and_what_does_not_fit_it_is_told(istio: Path) -> None:
    tree = made(istio, "no-print")
    assert [one.id for one in tree.fitting] == ["no-print"]
    assert tree.unfit == {"odd": "mutant odd finds 'nowhere()' nowhere in lake/lake.go"}
    assert '"no-print"' in (tree.folder / "lake/lake.go").read_text(encoding="utf-8")
    assert not (tree.folder / "out").exists()
    assert (istio / "lake/lake.go").read_text(encoding="utf-8") == GO


def test_it_is_built_from_as_any_checkout_under_a_version_of_its_own(istio: Path) -> None:
    versions = {str(checkout_version(one)) for one in (istio, made(istio, "no-print").folder)}
    assert len(versions) == 2
    assert all(one.startswith("1.99.0-checkout.") for one in versions)


def test_it_is_made_once_and_anew_for_other_mutants(istio: Path) -> None:
    first = made(istio, "no-print").folder
    assert made(istio, "no-print").folder == first
    assert made(istio, "no-print", "other").folder != first


def test_what_is_no_istio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="let --checkout name the top folder"):
        from_checkout([mutant()], tmp_path, Store(tmp_path / "store"), Shell(), Recorder())


def test_the_go_mod_of_istio_itself_neither_requires_nor_replaces_it() -> None:
    folder = go_recipe("istio", default_wanted().istio[-1]).folder
    own = go_mod((folder / "go.mod").read_text(encoding="utf-8"))
    mentioned = [line for line in own.split("\n") if "istio.io/istio " in f"{line} "]
    assert mentioned == ["module istio.io/istio"]
    assert "\n\tistio.io/api => istio.io/api " in own
    assert "\nrequire (\n" in own
