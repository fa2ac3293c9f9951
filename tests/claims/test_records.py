"""What is claimed of names that a host registers with its members."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from meshproof.kube.names import NameAnswer
from meshproof.kube.workload import Workload
from suites.hosts import records
from suites.hosts.records import FIRST, RECORD, SECOND, stands_for, unknown
from tests.claims.hosted import MEMBERS
from tests.claims.table import Case, Doing, Stage, cases, fails, judge, on, passes, unclear

TOPOLOGY = "host-member"
THERE = (IPv4Address("10.96.0.7"),)
NONE, SILENCE = NameAnswer("NXDOMAIN"), NameAnswer("SILENCE")
KNOWN = NameAnswer("NOERROR", THERE)


def aliased(target: str) -> NameAnswer:
    return NameAnswer("NOERROR", THERE, (target,))


def told(east: NameAnswer, west: NameAnswer, other: NameAnswer = KNOWN) -> Doing:
    """What members say of the name, and of every other."""
    said = {"east": east, "west": west}

    def ask(who: Workload, name: str, _: object) -> NameAnswer:
        return said[who.cluster] if name == RECORD else other

    def doing(stage: Stage) -> None:
        stage.monkeypatch.setattr(records, "ask_name", ask)
        stage.monkeypatch.setattr(records, "dns_address", lambda _: IPv4Address("10.96.0.10"))

    return doing


CASES: list[Case] = [
    *cases(
        stands_for,
        on(MEMBERS, FIRST, topology=TOPOLOGY),
        passes("", told(aliased(FIRST), aliased(FIRST))),
        fails("in west NXDOMAIN", told(aliased(FIRST), NONE)),
        fails(SECOND, told(aliased(SECOND), aliased(FIRST))),
        unclear("in east SILENCE", told(SILENCE, aliased(FIRST))),
    ),
    *cases(
        unknown,
        on(MEMBERS, topology=TOPOLOGY),
        passes("", told(NONE, NONE)),
        fails(FIRST, told(NONE, aliased(FIRST))),
        unclear("NXDOMAIN", told(NONE, NONE, other=NONE)),
        unclear("in east SILENCE", told(SILENCE, NONE)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_records(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
