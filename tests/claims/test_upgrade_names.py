"""What is claimed of global names while a mesh is on its way to another Istio."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from suites.upgrade import global_names
from suites.upgrade.global_names import global_names_lead_on, leads_on
from tests.claims.changes import after, logged, unlogged
from tests.claims.exposing import FEDERATION, by_name, of, served_by, with_askers
from tests.claims.table import NO_LINE, Case, Setting, Stage, cases, fails, judge, passes, unclear


def made_at_once(stage: Stage) -> None:
    """The sleeps that are made are there already."""
    stage.monkeypatch.setattr(global_names, "dns_sleeps", lambda _: nullcontext())


CASES = [
    *cases(
        leads_on,
        of(),
        passes(),
        fails("v1 from east", served_by("v1", by_name)),
        fails("upstream_host is 10.0.0.9:5000", logged(upstream_host="10.0.0.9:5000")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        global_names_lead_on,
        Setting(
            lambda one: (one.world.sample,), FEDERATION, before=after(with_askers, made_at_once)
        ),
        passes(),
        fails("v1 from east", served_by("v1", by_name)),
        unclear(NO_LINE, unlogged()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_global_names(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
