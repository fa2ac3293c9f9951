"""What is claimed of the programs that run."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from meshproof.mesh.builds import Build
from suites.versions import claims
from suites.versions.claims import (
    envoys_are,
    runs_the_envoy_of_the_record,
    runs_what_was_asked,
)
from tests.claims.table import (
    REMOTE,
    Case,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)

GOOD = Build("sleep of east", "1.31.1", "revision x, Clean, go1.26", "1.40.0")
OTHER = Build("sleep of west", "1.30.0", "revision x, Clean, go1.26", "1.39.0")
PLAIN = {"1.31.1": "plain Envoy 1.40.0"}


def said(
    *builds: Build, istiods: Sequence[Build] = (GOOD,), proxies: dict[str, str] = PLAIN
) -> Doing:
    """What programs say when they are asked."""

    def done(stage: Stage) -> None:
        monkeypatch = stage.monkeypatch
        monkeypatch.setattr(claims, "istiod_builds", lambda *_: list(istiods))
        for name in ("gateway_builds", "proxy_builds"):
            monkeypatch.setattr(claims, name, lambda *_: list(builds))
        stage.world.mesh.bundle.__dict__["proxies"] = proxies

    return done


def given(*arguments: object) -> Setting:
    return Setting(lambda _: arguments)


CASES = [
    *cases(
        runs_what_was_asked,
        on(topology=REMOTE),
        passes(doing=said(GOOD)),
        fails("sleep of west says 1.30.0", said(GOOD, OTHER)),
        fails("sleep of west says 1.30.0", said(GOOD, istiods=[OTHER])),
        unclear("there are none", said(GOOD, istiods=[])),
    ),
    *cases(
        runs_the_envoy_of_the_record,
        on(),
        passes(doing=said(GOOD)),
        fails("sleep of west runs Envoy 1.39.0", said(OTHER, proxies={"1.30.0": "plain Envoy 1"})),
        unclear("nothing is noted for sleep of west", said(OTHER)),
    ),
    *cases(envoys_are, given(PLAIN, [GOOD]), passes()),
    *cases(envoys_are, given({"1.30.0": "Istio's own"}, [OTHER]), passes()),
    *cases(envoys_are, given({"1.30.0": "plain Envoy 1.40.0"}, [OTHER]), fails("Envoy 1.39.0")),
    *cases(envoys_are, given({}, [GOOD]), unclear("nothing is noted")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_versions(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
