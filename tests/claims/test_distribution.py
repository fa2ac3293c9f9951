"""What is claimed of distribution."""

from __future__ import annotations

import pytest

from suites.distribution.claims import every_version_answers
from tests.claims.changes import answering, cut_off, failing, logged, retried, unlogged
from tests.claims.table import FLAT, Case, cases, fails, judge, on, passes, unclear

CASES = [
    *cases(
        every_version_answers,
        on("east"),
        passes(),
        fails("v2 never answered", answering("v1")),
        fails("1 did not: 1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        fails("1 did not: 1 x connection reset", cut_off()),
        fails("sent upstream 2 times: a hidden retry", retried()),
        fails("its access log says 503", logged(status=503)),
        unclear("answered calls have no line in the caller's access log", unlogged()),
    ),
    *cases(every_version_answers, on("west", topology=FLAT), passes()),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_distribution(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
