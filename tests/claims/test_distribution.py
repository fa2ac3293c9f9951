"""What is claimed of distribution."""

from __future__ import annotations

import pytest

from meshproof.mesh.mesh import Settling
from suites.distribution.claims import every_version_answers, settles_in_time
from tests.claims.changes import answering, cut_off, failing, logged, retried, unlogged
from tests.claims.table import FLAT, Case, Setting, cases, fails, judge, on, passes, unclear


def settled(settling: Settling | None) -> Setting:
    """What is known of how a mesh came to rest."""
    return Setting(lambda _: (settling,))


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
    *cases(settles_in_time, settled(Settling(2.0, "")), passes()),
    *cases(
        settles_in_time,
        settled(Settling(60.1, "east: other mTLS mode")),
        fails("after 60 s still: east: other mTLS mode"),
    ),
    *cases(settles_in_time, settled(None), unclear("nobody has waited for it")),
    *cases(every_version_answers, on("west", topology=FLAT), passes()),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_distribution(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
