"""What is claimed of the way that requests take."""

from __future__ import annotations

import pytest

from meshproof.model import Mtls
from suites.paths.claims import local_versions_by_their_pods, remote_version_by_its_way
from tests.claims.changes import answering, failing, logged, seen_as, unlogged, unseen
from tests.claims.table import FLAT, MIXED, SPLIT, Case, cases, fails, judge, on, passes, unclear

ELSEWHERE = "10.99.0.9:5000"
CASES = [
    *cases(
        local_versions_by_their_pods,
        on("west", topology=SPLIT),
        passes(),
        fails(f"upstream_host is {ELSEWHERE}", logged(upstream_host=ELSEWHERE)),
        fails("0 segments", unseen()),
        fails("0 segments", seen_as("http")),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear("have no line in the caller's access log", unlogged()),
        unclear("no calls", answering("v1")),
    ),
    *cases(
        remote_version_by_its_way,
        on("east", "v2", topology=SPLIT),
        passes(),
        fails(f"upstream_host is {ELSEWHERE}", logged(upstream_host=ELSEWHERE)),
        fails("0 segments", unseen()),
        unclear("have no line in the caller's access log", unlogged()),
        unclear("no calls", answering("v1")),
    ),
    *cases(
        remote_version_by_its_way,
        on("east", "v2", topology=FLAT),
        passes(),
        fails("upstream_host is 172.30.2.200:15443", logged(upstream_host="172.30.2.200:15443")),
    ),
    *cases(remote_version_by_its_way, on("west", "v2", topology=MIXED), passes()),
    *cases(
        remote_version_by_its_way,
        on("east", "v2", topology=FLAT, mtls=Mtls.DISABLED),
        passes(),
        fails("0 segments", seen_as("tls")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_paths(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
