"""What is claimed of namespaces that discovery selectors pass over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import pytest

from meshproof.errors import EvidenceError
from meshproof.mesh.proxy import Endpoint
from suites.selectors.aside import ASIDE, HOST_ASIDE, due
from suites.selectors.claims import known_where_selected
from tests.claims.changes import after, answering, failing, unlogged
from tests.claims.substitutes import world
from tests.claims.table import (
    FLAT,
    SPLIT,
    Case,
    Doing,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod


def aside(call: Call) -> bool:
    return call.host.startswith(f"helloworld.{ASIDE}")


def there(stage: Stage) -> None:
    """helloworld is in the namespace aside as well, at the addresses of its other pods."""
    made = stage.world
    made.pods += [
        replace(one, name=f"helloworld-aside-{one.cluster}", namespace=ASIDE, version="")
        for one in made.servers()
    ]


def passing_over(*clusters: str) -> Doing:
    """Proxies know the instances of all clusters but these."""

    def known(stage: Stage, pod: PlayedPod, passed: Collection[str]) -> list[Endpoint]:
        ways = due(stage.world.sample, pod.cluster, passed)
        return [Endpoint(str(one.address), one.port, 1, True) for one in sorted(ways)]

    def done(stage: Stage) -> None:
        stage.world.further[HOST_ASIDE] = lambda pod: known(stage, pod, clusters)

    return done


EVERYWHERE = ("east", "west")
WEST_PASSED = after(there, passing_over("west"), answering("v1", when=aside))

CASES = [
    *(
        line
        for topology in (SPLIT, FLAT)
        for line in cases(
            known_where_selected,
            on(EVERYWHERE, topology=topology, before=after(there, passing_over(*EVERYWHERE))),
            passes(),
            fails("in east it knows 10.10.0.", passing_over()),
            unclear("v2 never answered", answering("v1")),
        )
    ),
    *cases(
        known_where_selected,
        on((), before=after(there, passing_over())),
        passes(),
        fails("in east it knows nobody", passing_over(*EVERYWHERE)),
        fails("x 503 [UH]", failing(503, "UH", "no_healthy_upstream", aside)),
    ),
    *cases(
        known_where_selected,
        on(("west",), topology=FLAT, before=WEST_PASSED),
        passes(),
        fails("2 did not, such as call", answering("v2", when=aside)),
        fails("in east it knows nobody", passing_over(*EVERYWHERE)),
        unclear("without a line in the caller", unlogged()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_selectors(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_nothing_to_be_known_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = world(monkeypatch, SPLIT)
    with pytest.raises(EvidenceError, match="nothing runs in aside of east, west"):
        known_where_selected(made.sample, EVERYWHERE)
