"""Verdicts on names: only NXDOMAIN from a server that knows other names means absence."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from meshproof.expect import Outcome
from meshproof.expect.names import exists, known, unknown
from meshproof.kube.names import NameAnswer

FOUND = NameAnswer("NOERROR", (IPv4Address("10.110.0.7"),))
EMPTY, NONE = NameAnswer("NOERROR"), NameAnswer("NXDOMAIN")
REFUSED, SILENT = NameAnswer("REFUSED"), NameAnswer("SILENCE")
PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(FOUND, PASS), (NONE, FAIL), (EMPTY, FAIL), (REFUSED, INCONCLUSIVE), (SILENT, INCONCLUSIVE)],
)
def test_a_name_exists_when_it_has_an_address(answer: NameAnswer, outcome: Outcome) -> None:
    assert exists("a.b", "east", answer).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "control", "outcome"),
    [
        (NONE, FOUND, PASS),
        (FOUND, FOUND, FAIL),
        (EMPTY, FOUND, FAIL),
        (NONE, NONE, INCONCLUSIVE),
        (NONE, SILENT, INCONCLUSIVE),
        (REFUSED, FOUND, INCONCLUSIVE),
        (SILENT, FOUND, INCONCLUSIVE),
    ],
)
def test_a_name_is_unknown_only_with_a_control_that_resolves(
    answer: NameAnswer, control: NameAnswer, outcome: Outcome
) -> None:
    assert unknown("a.b", "east", answer, control).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "without", "outcome"),
    [
        (FOUND, NONE, PASS),
        (NONE, NONE, FAIL),
        (FOUND, FOUND, INCONCLUSIVE),
        (FOUND, SILENT, INCONCLUSIVE),
        (SILENT, NONE, INCONCLUSIVE),
    ],
)
def test_a_dns_proxy_is_shown_by_who_lacks_it(
    answer: NameAnswer, without: NameAnswer, outcome: Outcome
) -> None:
    assert known("a.b", "sleep", answer, without).outcome is outcome
