"""What is claimed of clusters whose roots are unrelated."""

from __future__ import annotations

import pytest

from meshproof.model import UNRELATED_ROOTS, Mtls
from suites.roots.claims import (
    nobody_needs_vouching_for,
    nobody_vouches_for_others,
    roots_are_unrelated,
)
from tests.claims.changes import answering, failing, unlogged
from tests.claims.table import FLAT, SPLIT, Case, Stage, cases, fails, judge, on, passes, unclear
from tests.doubles.calls import Call

UNRELATED = (UNRELATED_ROOTS,)


def to_other_clusters(call: Call) -> bool:
    return "only-v2" in call.url


def one_root(stage: Stage) -> None:
    """All authorities are below one root, whatever the variant says."""
    authority = stage.tls.authorities["east"]
    assert authority.issuer is not None
    stage.tls.authorities["west"] = authority.issuer.intermediate("west")


CASES = [
    *cases(
        nobody_vouches_for_others,
        on("east", topology=SPLIT, variants=UNRELATED),
        passes(),
        fails("20 x 503 [UH]", failing(503, "UH", "no_healthy_upstream", to_other_clusters)),
        fails(
            "20 did not: 20 x 503 [UF]", answering("v2", when=lambda call: "only-v1" in call.url)
        ),
        unclear("1 roots", one_root),
        unclear("access log", unlogged()),
    ),
    *cases(nobody_vouches_for_others, on("east", topology=SPLIT), fails("20 x 200")),
    *cases(
        nobody_needs_vouching_for,
        on("east", topology=FLAT, mtls=Mtls.DISABLED, variants=UNRELATED),
        passes(),
        fails("v2 never answered", answering("v1")),
        unclear("1 roots", one_root),
        unclear("access log", unlogged()),
    ),
    *cases(
        roots_are_unrelated,
        on(topology=SPLIT, variants=UNRELATED),
        passes("2 roots"),
        unclear("1 roots", one_root),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_roots(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
