"""What is claimed of helloworld by further names."""

from __future__ import annotations

import pytest

from meshproof.mesh.proxy import outbound
from meshproof.workloads.sample import HOST, PORT
from suites.entries.claims import reached_by
from suites.entries.names import ALIAS_HOST, BY_ALIAS, BY_ENTRY, ENTRY
from tests.claims.changes import after, answering, failing, logged, retried, unlogged
from tests.claims.table import (
    FLAT,
    NO_LINE,
    SPLIT,
    Case,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)

SENT = logged(upstream_cluster=outbound(ENTRY, PORT))
ALIASED = logged(upstream_cluster=outbound(HOST, PORT))
CASES = [
    *cases(
        reached_by,
        on(BY_ENTRY, ENTRY, topology=SPLIT),
        passes(doing=SENT),
        fails(f"40 were sent to {outbound(HOST, PORT)}"),
        fails("v2 never answered", after(SENT, answering("v1"))),
        fails("1 x 503 [UH]", after(failing(503, "UH", "no_healthy_upstream"), SENT)),
        fails("a hidden retry", after(SENT, retried())),
        fails("upstream_host is 10.0.0.9:5000", after(SENT, logged(upstream_host="10.0.0.9:5000"))),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(reached_by, on(BY_ENTRY, ENTRY, topology=FLAT), passes(doing=SENT)),
    *cases(
        reached_by,
        on(BY_ALIAS, HOST, topology=SPLIT),
        passes(doing=ALIASED),
        fails(f"40 were sent to {outbound(ALIAS_HOST, PORT)}"),
        fails("40 were sent to PassthroughCluster", logged(upstream_cluster="PassthroughCluster")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_entries(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
