"""What is claimed of an istiod whose remote secret was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from meshproof.mesh.mesh import Settling
from suites.secrets import claims
from suites.secrets.claims import came_back, forgotten_too, is_read_once_it_is_right, not_forgotten
from tests.claims.changes import always, answering, failing
from tests.claims.table import Case, Setting, Stage, cases, fails, judge, passes, unclear

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


def all_lost(stage: Stage) -> tuple[object, ...]:
    """With the secret broken nobody answers any more."""

    @contextmanager
    def broken() -> Iterator[None]:
        failing(503, "UH", "no_healthy_upstream", always)(stage)
        yield

    return stage.world.sample, broken


def harmless(stage: Stage) -> tuple[object, ...]:
    """The secret is broken, and nothing comes of it."""
    return stage.world.sample, nullcontext


CASES = [
    *cases(
        is_read_once_it_is_right,
        Setting(harmless),
        unclear("v2 did not, so nothing can be forgotten", answering("v1")),
    ),
    *cases(
        forgotten_too,
        Setting(lambda _: ("east", "west", {"v1"})),
        fails("v1 did not answer either"),
    ),
    *cases(
        is_read_once_it_is_right,
        Setting(all_lost),
        fails("v1 did not answer either"),
    ),
    *cases(not_forgotten, Setting(lambda _: ("east", "west", 60.0)), fails("60 s later")),
    *cases(
        is_read_once_it_is_right,
        Setting(harmless),
        fails("60 s later instances in west are still called from east"),
    ),
    *cases(came_back, given(GOOD), passes()),
    *cases(came_back, given(BAD), fails("60 s after that it does not: east does not reach v2")),
    *cases(is_read_once_it_is_right, lost_then(GOOD), passes()),
    *cases(is_read_once_it_is_right, lost_then(BAD), fails("east does not reach v2")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_secrets(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
