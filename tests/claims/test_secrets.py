"""What is claimed of an istiod whose remote secret was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from meshproof.errors import EvidenceError
from meshproof.mesh.mesh import Settling
from meshproof.traffic import settle
from suites.secrets import claims
from suites.secrets.claims import came_back, is_read_once_it_is_right
from tests.claims.changes import answering
from tests.claims.substitutes import world
from tests.claims.table import SPLIT, Case, Setting, Stage, cases, fails, judge, passes

GOOD, BAD = Settling(2.0, ""), Settling(60.0, "east does not reach v2")


def given(settling: Settling) -> Setting:
    return Setting(lambda _: (settling, "east", "west"))


def lost_then(settling: Settling) -> Setting:
    """The other cluster is lost while the secret is broken; then this comes about."""

    def of(stage: Stage) -> tuple[object, ...]:
        @contextmanager
        def broken() -> Iterator[None]:
            answering("v1")(stage)
            yield

        stage.monkeypatch.setattr(claims, "settle", lambda *_: settling)
        return stage.world.sample, broken

    return Setting(of)


CASES = [
    *cases(came_back, given(GOOD), passes()),
    *cases(came_back, given(BAD), fails("60 s after that it does not: east does not reach v2")),
    *cases(is_read_once_it_is_right, lost_then(GOOD), passes()),
    *cases(is_read_once_it_is_right, lost_then(BAD), fails("east does not reach v2")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_secrets(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_a_secret_that_changes_nothing_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def harmless() -> Iterator[None]:
        yield

    sample = Stage(*world(monkeypatch, SPLIT), monkeypatch).world.sample
    monkeypatch.setattr(settle, "_REQUIRED_WITHIN", 0.0)
    with pytest.raises(EvidenceError, match="calls from east that west does not answer"):
        is_read_once_it_is_right(sample, harmless)
