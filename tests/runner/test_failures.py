"""Evidence: of the first failures of each lab, and of no more."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.runner import failures
from meshproof.runner.stash import LABS, SESSION


def test_each_lab_has_evidence_of_its_first_three_failures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    collected: list[tuple[str, str]] = []

    def collect(lab: Any, folder: Path, _: object) -> list[Path]:
        collected.append((lab.id, folder.name))
        return [folder]

    monkeypatch.setattr("meshproof.evidence.collect", collect)
    recorder = SimpleNamespace(emit=lambda *_, **__: None)
    stash: Any = pytest.Stash()
    stash[SESSION] = SimpleNamespace(folder=tmp_path, recorder=recorder)
    labs: Any = SimpleNamespace(lab=None)
    stash[LABS] = labs
    told: list[list[str]] = []
    tests = ["a", "a", "b", "c", "d"]
    for labs.lab in (None, SimpleNamespace(id="one"), SimpleNamespace(id="two")):
        for name in tests:
            item: Any = SimpleNamespace(config=SimpleNamespace(stash=stash), nodeid=name, name=name)
            item.stash = pytest.Stash()
            failures.collect_evidence(item)
            told.append(failures.evidence_of(item))
    assert told[: len(tests)] == [[]] * len(tests)
    pages = [["evidence/a"], [], ["evidence/b"], ["evidence/c"], []]  # once for each test
    assert told[len(tests) :] == [*pages, *pages]
    assert collected == [(lab, name) for lab in ("one", "two") for name in "abc"]
