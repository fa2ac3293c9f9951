"""What is claimed of machines on the way to another Istio."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.files import topology_named
from meshproof.mesh import builds
from meshproof.mesh.builds import Build
from meshproof.model import State, Version
from meshproof.model.upgrade import begin
from suites.upgrade.machines import machines_go_on
from tests.claims.changes import after, answering, failing, unlogged
from tests.claims.substitutes import everywhere
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
from tests.claims.test_machines import ENTRY, TOPOLOGY

OLD, NEW = Version(1, 31, 0), Version(1, 31, 1)


def there(entry: object = ENTRY) -> Doing:
    """What runs on machines is the new one, and each has this WorkloadEntry."""

    def done(stage: Stage) -> None:
        everywhere(
            stage.monkeypatch,
            builds.machine_build,
            lambda one: Build(one.name, str(NEW), "revision ab, Clean, go1.26"),
        )
        stage.monkeypatch.setattr("suites.upgrade.machines.workload_entry", lambda *_: entry)

    return done


def due(**machines: Version) -> Setting:
    """The new one is due on all machines, but for these."""
    state: State = begin(topology_named(TOPOLOGY), NEW)
    state = replace(state, machines={**state.machines, **machines})
    return Setting(lambda one: (one.world.sample, state), TOPOLOGY, before=there())


CASES = [
    *cases(
        machines_go_on,
        due(),
        passes(),
        fails("shop is not registered", there(None)),
        fails("v4 never answered", answering("v1", "v2", "v3")),
        fails("503", failing(503, "UH", "no_healthy_upstream")),
        unclear(NO_LINE, after(there(), unlogged())),
    ),
    *cases(machines_go_on, due(till=OLD), fails(f"till says {NEW}")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_machines_on_the_way(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
