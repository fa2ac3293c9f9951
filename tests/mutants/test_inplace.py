"""Mutants in the mesh of a test: in force inside the block, and gone afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError, LabError
from meshproof.mutants import inplace, views
from meshproof.mutants.catalogue import catalogue
from meshproof.mutants.inplace import in_place
from meshproof.workloads.sample import Sample

PROGRAM = Path("/store/0123456789abcdef/pilot-discovery")
ONE = catalogue()[0].id


class Mesh:
    """A sample's mesh in memory, which is its own sample."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, shown: Sequence[str]) -> None:
        self.done: list[str] = []
        self.shown = list(shown)
        self.refuses: str | None = "nothing"
        monkeypatch.setattr(inplace, "switch", self.switch)
        monkeypatch.setattr(inplace, "restore", lambda _: self.done.append("own program"))
        monkeypatch.setattr(inplace, "healed", lambda _: self.done.append("at rest"))
        monkeypatch.setattr(inplace, "await_drained", lambda _: True)
        for name in ("steady", "seen_until"):
            monkeypatch.setattr(views, name, lambda *_: {"east": self.shown.pop(0)})

    @property
    def mesh(self) -> Any:
        return self

    def switch(self, _: object, program: Path, mutant: str | None) -> None:
        assert program == PROGRAM
        if mutant == self.refuses:
            raise LabError("istiod does not come up")
        self.done.append(f"switch {mutant}")

    def mark_dirty(self, why: str) -> None:
        self.done.append(why)


def test_it_is_on_inside_the_block_and_the_own_program_runs_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Mesh(monkeypatch, ["off", "on", "off"])
    with in_place(cast(Sample, played), PROGRAM) as mutants, mutants.switched_on(ONE):
        played.done.append("claim")
    assert played.done == [
        "switch None",
        f"switch {ONE}",
        "claim",
        "switch None",
        "own program",
        "at rest",
    ]


def test_of_one_that_changes_nothing_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Mesh(monkeypatch, ["same", "same", "same"])
    with (
        in_place(cast(Sample, played), PROGRAM) as mutants,
        pytest.raises(EvidenceError, match=f"{ONE} does not change the listeners of helloworld"),
        mutants.switched_on(ONE),
    ):
        played.done.append("claim")
    assert "claim" not in played.done
    assert played.done[-3:] == ["switch None", "own program", "at rest"]


def test_a_mesh_in_which_it_stays_on_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Mesh(monkeypatch, ["off", "on"])
    with in_place(cast(Sample, played), PROGRAM) as mutants:
        played.refuses = None
        with pytest.raises(LabError), mutants.switched_on(ONE):
            played.done.append("claim")
    assert "a mutant could not be switched off: istiod does not come up" in played.done


def test_a_mesh_that_is_not_as_before_when_it_is_off_is_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Mesh(monkeypatch, ["off", "on", "on"])
    with in_place(cast(Sample, played), PROGRAM) as mutants, mutants.switched_on(ONE):
        played.done.append("claim")
    assert f"the listeners of helloworld are not as before without {ONE}" in played.done
