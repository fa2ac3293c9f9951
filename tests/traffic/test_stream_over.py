"""A mesh over which calls went is seen to heal, or is marked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError, LabError
from meshproof.traffic import stream_over as module
from meshproof.traffic.stream_over import over
from meshproof.workloads.sample import Sample


@pytest.mark.parametrize(
    ("ends", "done"),
    [
        (None, ["healed", "renewed"]),
        (LabError("refused"), ["healed", "renewed"]),
        (KeyboardInterrupt(), ["interrupted while it was changed, and not seen to heal"]),
    ],
)
def test_a_mesh_heals_or_is_marked(
    monkeypatch: pytest.MonkeyPatch, ends: BaseException | None, done: list[str]
) -> None:
    seen: list[str] = []

    def streamed(*_: object) -> str:
        if ends is not None:
            raise ends
        return "what came of it"

    monkeypatch.setattr(module, "_over", streamed)
    monkeypatch.setattr(module, "healed", lambda _: seen.append("healed"))
    monkeypatch.setattr(module, "renew_connections", lambda _: seen.append("renewed"))
    sample = Sample(cast(Any, SimpleNamespace(mark_dirty=seen.append)))
    try:
        assert cast(object, over(sample, lambda *_: None)) == "what came of it"
    except (LabError, KeyboardInterrupt) as error:
        assert error is ends
    assert seen == done


def test_a_mesh_that_nobody_can_look_at_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    def unanswered(_: object) -> None:
        raise EvidenceError("no answer")

    seen: list[str] = []
    monkeypatch.setattr(module, "_over", lambda *_: "what came of it")
    monkeypatch.setattr(module, "healed", lambda _: None)
    monkeypatch.setattr(module, "renew_connections", unanswered)
    over(Sample(cast(Any, SimpleNamespace(mark_dirty=seen.append))), lambda *_: None)
    assert seen == ["nobody knows whether connections are passed on: no answer"]
