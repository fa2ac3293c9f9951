"""Verdicts on calls: an answer alone proves nothing, and no calls never pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from meshproof.expect import (
    Outcome,
    Verdict,
    agreed_version,
    answered_from_home,
    believable,
    none_served_by,
    refused_with,
    served_by_exactly,
    succeeded,
    went_through,
)
from meshproof.kube.workload import Workload
from meshproof.traffic.access_log import LogLine
from meshproof.traffic.response import Refused, Response
from tests.stand_ins import workload

V1 = workload("helloworld-v1-a", "east", "v1", "10.10.0.5")
V2 = workload("helloworld-v2-b", "west", "v2", "10.20.0.5")
HOMES = {"v1": "east", "v2": "west"}
GATEWAY = "172.30.0.9"


def line(name: str, host: str, **other: object) -> LogLine:
    plain = LogLine(name, 200, "", "via_upstream", 1, host, "outbound", "", "", "", "", "")
    return replace(plain, **other)  # type: ignore[arg-type]


def served(name: str, server: Workload = V1, **other: object) -> Response:
    """A call that ``server`` answered, as it should be."""
    host = f"{server.address}:5000" if server.cluster == "east" else f"{GATEWAY}:15443"
    said = f"Hello version: {server.version}, instance: {server.name}"
    plain = Response(name, "east", 200, None, "", said, 0.01, server.version, server.name, server)
    return replace(plain, log=line(name, host), **other)  # type: ignore[arg-type]


def unhealthy(name: str) -> Response:
    """A call for which Envoy had no endpoint."""
    log = line(name, "", status=503, flags="UH", details="no_healthy_upstream", attempts=0)
    return Response(name, "east", 503, None, "", "no healthy upstream", 0.01, log=log)


def refused(name: str, how: Refused = Refused.CONNECTION, said: str = "refused") -> Response:
    return Response(name, "east", None, how, said, "", 0.01)


def relogged(response: Response, **other: object) -> Response:
    assert response.log is not None
    return replace(response, log=replace(response.log, **other))  # type: ignore[arg-type]


GOOD = [served("a"), served("b", V2), served("c"), served("d", V2)]


@pytest.mark.parametrize(
    "judge",
    [
        believable,
        succeeded,
        lambda calls: served_by_exactly(calls, HOMES),
        lambda calls: answered_from_home(calls, HOMES),
        lambda calls: none_served_by(calls, "v2"),
        lambda calls: went_through(calls, [f"{GATEWAY}:15443"], "the gateway"),
        lambda calls: refused_with(calls, status=503),
    ],
)
def test_no_calls_prove_nothing(judge: Callable[[list[Response]], Verdict]) -> None:
    assert judge([]).outcome is Outcome.INCONCLUSIVE


def test_calls_that_caller_log_and_api_agree_on_are_believable() -> None:
    verdict = believable([*GOOD, unhealthy("e"), refused("f")])
    assert verdict.outcome is Outcome.PASS
    assert "5 answered, 5 in the access log" in verdict.observed


def test_without_its_line_in_the_log_an_answer_is_no_evidence() -> None:
    for lost in (replace(GOOD[1], log=None), relogged(GOOD[1], request_id="another")):
        verdict = believable([GOOD[0], lost])
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert "1 of 2 answered calls" in verdict.observed
        assert "are access logs on?" in verdict.observed


def test_refusals_alone_are_believable_only_with_a_line() -> None:
    gone = refused("a", Refused.TIMEOUT)
    assert believable([gone]).outcome is Outcome.INCONCLUSIVE
    assert believable([replace(gone, log=line("a", "", status=0))]).outcome is Outcome.PASS


def test_repeated_ids_cannot_be_matched() -> None:
    verdict = believable([served("a"), served("a", V2)])
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "a (2 times)" in verdict.observed


@pytest.mark.parametrize(
    ("response", "named"),
    [
        (relogged(GOOD[0], attempts=3), "call a was sent upstream 3 times: a hidden retry"),
        (relogged(unhealthy("a"), attempts=2), "call a was sent upstream 2 times"),
        (relogged(GOOD[0], attempts=0), "although 10.10.0.5:5000 was chosen"),
        (relogged(GOOD[0], status=503), "the caller saw 200, its access log says 503"),
        (replace(GOOD[0], version="v2"), "claims v2 in pod helloworld-v1-a, which the API of east"),
        (replace(GOOD[0], server=None), "claims v1 in pod helloworld-v1-a, which no cluster's API"),
    ],
    ids=["retry", "retry for nobody", "never sent", "status", "other version", "unknown pod"],
)
def test_contradictions_fail_and_are_named(response: Response, named: str) -> None:
    verdict = believable([response, *GOOD[1:]])
    assert verdict.outcome is Outcome.FAIL
    assert named in verdict.observed
    assert named in verdict.evidence["contradiction 1"]


def test_a_contradiction_outweighs_a_missing_line() -> None:
    verdict = believable([replace(GOOD[0], log=None), relogged(GOOD[1], attempts=2)])
    assert verdict.outcome is Outcome.FAIL


def test_what_came_instead_of_success_is_counted() -> None:
    assert succeeded(GOOD).outcome is Outcome.PASS
    verdict = succeeded([*GOOD, unhealthy("e"), unhealthy("f"), refused("g")])
    assert verdict.outcome is Outcome.FAIL
    assert "3 did not: 2 x 503 [UH], 1 x connection refused" in verdict.observed
    assert "call e: 503" in verdict.observed


def test_each_version_answers_from_its_own_cluster() -> None:
    verdict = served_by_exactly(GOOD, HOMES)
    assert verdict.outcome is Outcome.PASS
    assert verdict.observed == "2 x v1 from east, 2 x v2 from west"


@pytest.mark.parametrize(
    ("calls", "outcome", "named"),
    [
        (GOOD, Outcome.PASS, "all of it"),
        (GOOD[:1], Outcome.INCONCLUSIVE, "too few for 2 versions"),
        ([replace(GOOD[0], log=None), *GOOD[1:]], Outcome.INCONCLUSIVE, "are access logs on?"),
        ([relogged(GOOD[0], attempts=2), *GOOD[1:]], Outcome.FAIL, "a hidden retry"),
        ([*GOOD, unhealthy("e")], Outcome.FAIL, "1 did not: 1 x 503 [UH]"),
        ([GOOD[0], GOOD[2]], Outcome.FAIL, "v2 never answered"),
    ],
    ids=["well", "too few", "unlogged", "retried", "failed", "one version"],
)
def test_answers_from_home_are_believed_succeed_and_come_from_there(
    calls: list[Response], outcome: Outcome, named: str
) -> None:
    verdict = answered_from_home(calls, HOMES)
    assert verdict.outcome is outcome
    assert named in verdict.observed


@pytest.mark.parametrize(
    ("stray", "named"),
    [
        (served("e", replace(V2, running=V1.running)), "v2 from east"),
        (served("e", replace(V1, version="v3")), "v3 from east"),
        (unhealthy("e"), "503 [UH] by nobody known"),
        (replace(served("e"), version=None), "200 by nobody known"),
        (replace(served("e"), server=None), "v1 by its own claim only"),
        (replace(served("e"), version="v2"), "labels v1"),
    ],
    ids=["wrong cluster", "another", "nobody", "nameless", "unknown pod", "lying pod"],
)
def test_an_answer_from_elsewhere_is_found_and_named(stray: Response, named: str) -> None:
    verdict = served_by_exactly([*GOOD, stray], HOMES)
    assert verdict.outcome is Outcome.FAIL
    assert named in verdict.observed
    assert "call e" in verdict.observed


def test_a_version_that_never_answers_is_missed() -> None:
    verdict = served_by_exactly([served("a"), served("b")], HOMES)
    assert verdict.outcome is Outcome.FAIL
    assert "v2 never answered" in verdict.observed
    assert served_by_exactly([served("a")], HOMES).outcome is Outcome.INCONCLUSIVE
    assert served_by_exactly(GOOD, {}).outcome is Outcome.INCONCLUSIVE


def test_a_version_that_may_not_answer() -> None:
    ones = [served("a"), served("b")]
    assert none_served_by(ones, "v2").outcome is Outcome.PASS
    assert none_served_by(GOOD, "v2").outcome is Outcome.FAIL
    lying = replace(served("c", V2), version="v1")
    assert none_served_by([*ones, lying], "v2").outcome is Outcome.FAIL
    claimed = replace(served("c", V2), server=None)
    assert none_served_by([*ones, claimed], "v2").outcome is Outcome.FAIL


def test_calls_that_nobody_served_may_have_been_meant_for_the_version() -> None:
    for lost in (unhealthy("b"), refused("b"), replace(served("b"), server=None)):
        verdict = none_served_by([served("a"), lost], "v2")
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert "call b" in verdict.observed


def test_the_path_is_the_log_s_upstream_host() -> None:
    remote = [served("b", V2), served("d", V2)]
    verdict = went_through(remote, [f"{GATEWAY}:15443"], "the gateway of west")
    assert verdict.outcome is Outcome.PASS
    assert f"2 x {GATEWAY}:15443" in verdict.observed


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("10.20.0.5:5000", "call x: upstream_host is 10.20.0.5:5000"),
        (f"{GATEWAY}:5000", f"call x: upstream_host is {GATEWAY}:5000"),
        ("", "call x: upstream_host is none"),
        ("envoy://internal_client_address/", "upstream_host is envoy://"),
    ],
)
def test_another_path_is_named(host: str, named: str) -> None:
    stray = replace(served("x", V2), log=line("x", host))
    verdict = went_through([served("b", V2), stray], [f"{GATEWAY}:15443"], "the gateway")
    assert verdict.outcome is Outcome.FAIL
    assert named in verdict.observed


def test_a_path_without_evidence_is_unclear() -> None:
    lost = replace(served("b", V2), log=None)
    gateway = ([f"{GATEWAY}:15443"], "the gateway")
    assert went_through([served("d", V2), lost], *gateway).outcome is Outcome.INCONCLUSIVE
    assert went_through([served("a"), lost], *gateway).outcome is Outcome.FAIL
    assert went_through(GOOD, [], "the gateway").outcome is Outcome.INCONCLUSIVE


def test_ipv6_hosts_are_written_in_brackets() -> None:
    six = replace(served("a"), log=line("a", "[fd00::9]:15443"))
    assert went_through([six], ["[fd00::9]:15443"], "the gateway").outcome is Outcome.PASS


def test_how_all_calls_are_refused() -> None:
    dead = [unhealthy("a"), unhealthy("b")]
    assert refused_with(dead, status=503, flags="UH").outcome is Outcome.PASS
    assert refused_with(dead, status=503, detail="no_healthy_upstream").outcome is Outcome.PASS
    assert refused_with(dead, flags="UF").outcome is Outcome.FAIL
    assert refused_with(dead, status=403).outcome is Outcome.FAIL
    assert refused_with(dead, status=503, detail="TLS_error").outcome is Outcome.FAIL
    more = relogged(unhealthy("c"), flags="URX,UF")
    assert refused_with([more], flags="UF").outcome is Outcome.PASS
    assert refused_with([more], flags="F").outcome is Outcome.FAIL


def test_refusals_without_a_status() -> None:
    cut = [refused("a", Refused.RESET, "connection reset by peer")]
    assert refused_with(cut, refusal=Refused.RESET, detail="by peer").outcome is Outcome.PASS
    assert refused_with(cut, refusal=Refused.TLS).outcome is Outcome.FAIL
    assert refused_with(cut, status=503).outcome is Outcome.FAIL


def test_one_success_among_refusals_fails_and_is_named() -> None:
    verdict = refused_with([unhealthy("a"), served("b")], detail="no_healthy")
    assert verdict.outcome is Outcome.FAIL
    assert "1 x 200" in verdict.observed
    assert "call b: 200 by v1" in verdict.observed
    assert refused_with([replace(served("b"), log=None)], flags="UH").outcome is Outcome.FAIL


def test_what_only_the_log_can_tell_needs_a_line() -> None:
    lost = replace(unhealthy("b"), log=None)
    dead = [unhealthy("a"), lost]
    assert refused_with(dead, status=503).outcome is Outcome.PASS
    assert refused_with(dead, status=503, flags="UH").outcome is Outcome.INCONCLUSIVE
    assert refused_with(dead, detail="no_healthy").outcome is Outcome.INCONCLUSIVE
    assert refused_with(dead).outcome is Outcome.INCONCLUSIVE


def test_the_api_has_to_confirm_a_version() -> None:
    assert agreed_version(served("a")) == "v1"
    assert agreed_version(replace(served("a"), version="v2")) is None
    assert agreed_version(replace(served("a"), server=None)) is None
