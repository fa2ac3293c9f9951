"""What is claimed of helloworld by further names."""

from __future__ import annotations

import pytest

from meshproof.expect import Outcome
from meshproof.expect.known import explained
from meshproof.files import read_known_issues
from meshproof.mesh.proxy import outbound
from meshproof.workloads.sample import HOST, PORT
from suites.entries.claims import reached_by
from suites.entries.names import ALIAS_HOST, BY_ALIAS, BY_ENTRY, BY_RULE, ENTRY
from tests.claims.changes import after, always, answering, failing, logged, retried, unlogged
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
NOT_FOUND = after(failing(503, "NC", "cluster_not_found", always), logged(upstream_cluster=None))
"""A rule leads to a cluster that proxies do not have."""
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
    *cases(
        reached_by,
        on(BY_RULE, HOST, topology=SPLIT),
        passes(),
        fails("40 were sent to nowhere", NOT_FOUND),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_entries(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_a_rule_to_an_alias_that_is_not_found_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(one for one in CASES if one.told.doing is NOT_FOUND)
    issues = [one for one in read_known_issues() if one.behaviour == "entries/rule-to-an-alias"]
    assert explained(judge(case, monkeypatch), issues)[1] == tuple(issues)


def test_other_failures_of_a_rule_to_an_alias_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    issues = [one for one in read_known_issues() if one.behaviour == "entries/rule-to-an-alias"]
    others = [one for one in CASES if one.told.outcome is Outcome.FAIL]
    for case in others:
        if case.told.doing is not NOT_FOUND:
            with monkeypatch.context() as patch:
                assert explained(judge(case, patch), issues)[1] == ()
