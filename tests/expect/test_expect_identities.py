"""Verdicts on who proxies took each other for in calls."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.expect import Outcome
from meshproof.expect.identities import peers_are
from meshproof.traffic.response import Response
from meshproof.workloads.sample import Sample
from tests.expect.test_expect_calls import relogged, served

CLIENT, SERVER, OTHER = (f"spiffe://cluster.local/ns/sample/sa/{name}" for name in "abc")
SAMPLE = cast(
    Sample,
    SimpleNamespace(caller_identity=lambda _: CLIENT, server_identity=lambda _: SERVER),
)


def called(**other: Any) -> Response:
    """A call in which each side knew the other."""
    known = relogged(served("a"), upstream_peer=SERVER)
    return replace(known, **{"identity": CLIENT, "served_as": SERVER, **other})


@pytest.mark.parametrize(
    ("responses", "outcome", "named"),
    [
        ([called(), called()], Outcome.PASS, f"2 with client {CLIENT}, server {SERVER}"),
        ([called(), called(identity=OTHER)], Outcome.FAIL, f"1 with client {OTHER}"),
        ([called(served_as=OTHER)], Outcome.FAIL, f"server {OTHER}"),
        ([relogged(called(), upstream_peer=OTHER)], Outcome.FAIL, f"caller's log {OTHER}"),
        ([relogged(called(), upstream_peer="")], Outcome.FAIL, "caller's log None"),
        # A call that is not in the log is for another claim; with nothing else there is nothing.
        ([called(), called(log=None, identity=OTHER)], Outcome.PASS, "1 with client"),
        ([called(log=None)], Outcome.INCONCLUSIVE, "no call is in the caller's log"),
        ([], Outcome.INCONCLUSIVE, "no call is in the caller's log"),
    ],
)
def test_each_side_knows_the_other(responses: list[Response], outcome: Outcome, named: str) -> None:
    verdict = peers_are(SAMPLE, "east", responses)
    assert (verdict.outcome, named in verdict.observed) == (outcome, True), str(verdict)
