"""Programs with mutants in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshproof.artifacts import Store, checkout_version
from meshproof.artifacts.toolchain import Toolchain
from meshproof.errors import UsageError
from meshproof.events import Recorder
from meshproof.mutants import program
from meshproof.mutants.program import Mutated, from_checkout
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


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the compiler was given: lake.go as it was then, and the linker's flags. It gives that
    back as the program."""
    given: list[str] = []

    def compile_programs(
        source: Path, target: Path, packages: object, flags: str, *_: object
    ) -> None:
        assert packages == ("./pilot/cmd/pilot-discovery",)
        assert not (source / "out").exists()
        given[:] = [(source / "lake/lake.go").read_text(encoding="utf-8"), flags]
        (target / "pilot-discovery").write_text(given[0], encoding="utf-8")

    monkeypatch.setattr(program, "compile_programs", compile_programs)
    monkeypatch.setattr(program, "find_toolchain", lambda *_: Toolchain("go", {}))
    return given


def made(istio: Path, *mutants: str) -> Mutated:
    store = Store(istio.parent / "store")
    own = [mutant(id) for id in mutants]
    odd = mutant("odd", edits=[edit('"odd" @found', "nowhere()")])
    return from_checkout([*own, odd], istio, store, Shell(), Recorder())


def test_a_checkout_is_copied_and_what_does_not_fit_it_is_told(
    istio: Path, compiled: list[str]
) -> None:
    found = made(istio, "no-print")
    assert [one.id for one in found.fitting] == ["no-print"]
    assert found.unfit == {"odd": "mutant odd finds 'nowhere()' nowhere in lake/lake.go"}
    assert '"no-print"' in compiled[0]
    assert [path.name for path in found.program.parent.iterdir() if path.is_dir()] == []
    assert (istio / "lake/lake.go").read_text(encoding="utf-8") == GO


def test_the_program_says_that_it_is_what_the_ordinary_one_would(
    istio: Path, compiled: list[str]
) -> None:
    version = made(istio, "no-print").version
    assert version == checkout_version(istio)
    assert compiled[1].endswith(f"buildVersion={version}")


def test_it_is_compiled_once_and_anew_for_other_mutants(istio: Path, compiled: list[str]) -> None:
    first = made(istio, "no-print").program
    compiled.clear()
    assert made(istio, "no-print").program == first
    assert compiled == []
    assert made(istio, "no-print", "other").program != first
    assert '"other"' in compiled[0]


def test_what_is_no_istio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="let --checkout name the top folder"):
        from_checkout([mutant()], tmp_path, Store(tmp_path / "store"), Shell(), Recorder())
