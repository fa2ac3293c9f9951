"""Verdicts on what passes a proxy by: a log line that is missing proves nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from meshproof.expect import Outcome
from meshproof.expect.bypass import bypassed, redirected
from meshproof.traffic.access_log import LogLine
from meshproof.traffic.bypass import Tried
from meshproof.traffic.response import Response
from meshproof.traffic.wire import Watched
from tests.stand_ins import workload

SERVER = workload("helloworld-v2-b", "west", "v2", "10.20.0.5")
WATCHED = cast(Watched, SimpleNamespace(caller=workload("sleep-a", "east")))


def logged(name: str) -> Response:
    line = LogLine(name, 200, "", "", 1, "10.20.0.5:5000", "outbound", "", "", "", "", "")
    return replace(unlogged(name), log=line)


def unlogged(name: str) -> Response:
    return Response(name, "east", 200, None, "", "", 0.01, "v2", SERVER.name, SERVER)


def tried(calls: Sequence[Response], control: Sequence[Response]) -> Tried:
    return Tried(WATCHED, calls, control)


def test_no_line_counts_only_when_a_later_one_came() -> None:
    assert bypassed(tried([unlogged("a")], [logged("z")])).outcome is Outcome.PASS
    assert bypassed(tried([unlogged("a")], [unlogged("z")])).outcome is Outcome.INCONCLUSIVE
    assert bypassed(tried([unlogged("a")], [])).outcome is Outcome.INCONCLUSIVE
    assert bypassed(tried([], [logged("z")])).outcome is Outcome.INCONCLUSIVE


def test_a_line_shows_that_the_proxy_was_not_bypassed() -> None:
    verdict = bypassed(tried([unlogged("a"), logged("b")], [logged("z")]))
    assert verdict.outcome is Outcome.FAIL
    assert "b: a log line to 10.20.0.5:5000" in verdict.observed


def test_a_bypassing_call_must_be_answered() -> None:
    lost = replace(unlogged("a"), status=503)
    assert bypassed(tried([lost], [logged("z")])).outcome is Outcome.FAIL


def test_a_call_is_redirected_when_it_is_logged() -> None:
    assert redirected(tried([logged("a")], [logged("z")])).outcome is Outcome.PASS
    verdict = redirected(tried([logged("a"), unlogged("b")], [logged("z")]))
    assert verdict.outcome is Outcome.FAIL
    assert "bypassed the proxy" in verdict.observed
    assert redirected(tried([unlogged("a")], [unlogged("z")])).outcome is Outcome.INCONCLUSIVE
