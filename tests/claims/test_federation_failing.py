"""What is claimed of meshes that are lost, gateways that move, and instances that are gone."""

from __future__ import annotations

import pytest

from meshproof.mesh.proxy import Endpoint
from meshproof.model import JOINED_ROOTS
from suites.federation.claims import has_another_root
from suites.federation.failover import answered_at_home
from suites.federation.moving import nobody_answers
from suites.federation.nearby import goes_on_without, known_beside
from suites.federation.shares import shared_by_weight
from tests.claims.changes import after, always, answering, failing, unlogged
from tests.claims.exposing import by_name, of, plainly, served_by, with_askers
from tests.claims.table import (
    NO_LINE,
    Case,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)

GONE = failing(503, "UF", "upstream_reset", by_name)
"""Nobody answers by the global name."""


def lost_far(*, more: int = 0) -> Setting:
    """The far mesh of a hybrid is lost. ``more``: how many endpoints callers knew beside those that
    they know."""

    def given(stage: Stage) -> tuple[object, ...]:
        sample = stage.world.sample
        known = known_beside(sample, "far")
        others = frozenset(Endpoint(f"10.0.0.{one}", 5000, 1, True) for one in range(more))
        return sample, "far", {name: one | others for name, one in known.items()}

    return Setting(given, "hybrid", before=with_askers)


def every(count: int) -> Doing:
    """Every so-manieth call by the global name is answered at home."""
    return served_by("v1", lambda call: by_name(call) and call.number % count == 0)


CASES = [
    *cases(
        goes_on_without,
        lost_far(),
        passes(doing=GONE),
        fails("v2 never answered", after(GONE, answering("v1", when=plainly))),
        unclear("the control did not hold"),
    ),
    *cases(goes_on_without, lost_far(more=1), fails("east knows 2, 2 of those", GONE)),
    *cases(
        nobody_answers,
        of(),
        passes("503", GONE),
        fails("5 of 5 were"),
        unclear("the control did not hold", failing(503, "UF", "upstream_reset", always)),
    ),
    *cases(
        answered_at_home,
        of(),
        passes(doing=served_by("v1", by_name)),
        fails("v2 from west"),
        unclear(NO_LINE, after(served_by("v1", by_name), unlogged())),
    ),
    *cases(
        shared_by_weight,
        of(80),
        passes(doing=every(5)),
        fails("answered by v2", every(2)),
        fails("v1 never answered"),
        unclear(NO_LINE, after(every(5), unlogged())),
    ),
    *cases(has_another_root, of(variant=JOINED_ROOTS), passes("2 roots")),
    *cases(has_another_root, of(), unclear("1 roots")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_failing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
