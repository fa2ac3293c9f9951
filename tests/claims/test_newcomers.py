"""What is claimed of callers that came after installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from meshproof.traffic.calls import call
from suites.newcomers.claims import done_and_ended, plan, root_is_told, served_as_any_other
from suites.newcomers.setting import LATE, Errand
from tests.claims.changes import answering, changed, failing, unlogged
from tests.claims.table import (
    NO_LINE,
    Case,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)
from tests.claims.world import Came
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod


def latecomer(stage: Stage, *, sidecar: bool = True) -> PlayedPod:
    """East's sleep, as if it were in the new namespace."""
    return replace(stage.world.pod("sleep", "east"), namespace=LATE, sidecar=sidecar)


def caller(*, sidecar: bool = True) -> Callable[[Stage], tuple[object, ...]]:
    return lambda stage: (stage.world.sample, latecomer(stage, sidecar=sidecar))


def errand(*, ended: bool, sidecar: bool = True) -> Callable[[Stage], tuple[object, ...]]:
    """A Job of the new namespace, whose calls were made."""

    def of(stage: Stage) -> tuple[object, ...]:
        sample, pod = stage.world.sample, latecomer(stage, sidecar=sidecar)
        made = call(sample, pod, plan(sample))
        return sample, Errand(pod, ended, tuple(made))

    return of


def as_another(_: Call, came: Came) -> Came:
    body = came.reply.body.replace(f"ns/{LATE}/", "ns/sample/")
    return replace(came, reply=replace(came.reply, body=body))


CASES = [
    *cases(
        served_as_any_other,
        Setting(caller()),
        passes(),
        fails("as spiffe://cluster.local/ns/sample/sa/sleep", changed(as_another)),
        fails("v2 never answered", answering("v1")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(root_is_told, Setting(lambda _: ("east", {"east", "west"})), passes()),
    *cases(
        root_is_told,
        Setting(lambda _: ("west", {"east"})),
        fails("latecomers of west has no istio-ca-root-cert"),
    ),
    *cases(served_as_any_other, Setting(caller(sidecar=False)), fails("has no sidecar")),
    *cases(
        done_and_ended,
        Setting(errand(ended=True)),
        passes(),
        fails("503", failing(503, "UH", "no_healthy_upstream")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(done_and_ended, Setting(errand(ended=False)), fails("still runs three minutes later")),
    *cases(done_and_ended, Setting(errand(ended=True, sidecar=False)), fails("has no sidecar")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_newcomers(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
