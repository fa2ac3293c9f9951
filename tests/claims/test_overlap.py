"""What is claimed of calls where both clusters have pods of one address."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from suites.overlap.claims import the_right_instance_answers
from tests.claims.changes import answering, logged, unlogged
from tests.claims.table import (
    OVERLAPPING,
    Case,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)


def shared(stage: Stage) -> tuple[object, ...]:
    """The address that both versions' pods have."""
    addresses = {one.address for one in stage.world.servers()}
    assert len(addresses) == 1
    return stage.world.sample, addresses.pop()


def all_sent_to_the_shared_address(stage: Stage) -> None:
    logged(upstream_host=f"{stage.world.servers()[0].address}:5000")(stage)


CASES = [
    *cases(
        the_right_instance_answers,
        Setting(shared, OVERLAPPING),
        passes(),
        fails("40 of 80 did not, such as 200 by v2", all_sent_to_the_shared_address),
        fails("v2 never answered", answering("v1")),
        unclear("have no line in the caller's access log", unlogged()),
    ),
    *cases(
        the_right_instance_answers,
        on(IPv4Address("10.9.9.9"), topology=OVERLAPPING),
        unclear("none of 80 calls went there"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_overlap(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
