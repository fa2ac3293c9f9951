"""Verdicts: silence alone proves nothing, and an answer where none may come names the way."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_by,
    host_refused,
    kept_out,
    noticed,
    reached,
    silent,
)
from meshproof.expect.reach import goes_on, kept_inside, stays_at_home, undecided, was_reset
from meshproof.lab.network.counters import Counters, FlowKey
from meshproof.traffic import Answer, Attempt, Detour, Refusal, Target
from meshproof.traffic.attempt import Outward
from meshproof.traffic.conversation import FIRST, SECOND, Conversation
from tests.stand_ins import workload

TARGET = Target("the pod", IPv4Address("10.20.0.5"), 80)
SILENCE, REPLY = Answer(refusal=Refusal.SILENCE), Answer("west hears 10.10.0.5")


def attempt(answer: Answer, control: Answer, **counted: int) -> Attempt:
    packets = {("east_to_west", kind): count for kind, count in counted.items()}
    key = FlowKey(IPv4Address("172.30.0.2"), TARGET.address, TARGET.port)
    flows = {("east_to_west", "dropped", key): counted.get("dropped", 0)}
    caller = workload("echo", "east")
    return Attempt(caller, "west", TARGET, answer, control, Counters(packets, flows))


@pytest.mark.parametrize(
    ("answer", "control", "dropped", "outcome"),
    [
        (SILENCE, REPLY, 3, Outcome.PASS),
        (SILENCE, REPLY, 0, Outcome.INCONCLUSIVE),
        (SILENCE, SILENCE, 3, Outcome.INCONCLUSIVE),
        (REPLY, REPLY, 0, Outcome.FAIL),
        (REPLY, SILENCE, 3, Outcome.FAIL),
        (Answer(refusal=Refusal.RESET), REPLY, 3, Outcome.FAIL),
        (Answer(refusal=Refusal.NO_ROUTE), REPLY, 0, Outcome.INCONCLUSIVE),
        (SILENCE, REPLY, -3, Outcome.INCONCLUSIVE),
    ],
)
def test_kept_out(answer: Answer, control: Answer, dropped: int, outcome: Outcome) -> None:
    assert kept_out(attempt(answer, control, dropped=dropped)).outcome is outcome


def test_packets_dropped_for_others_prove_nothing() -> None:
    key = FlowKey(IPv4Address("172.30.0.2"), IPv4Address("10.20.0.99"), TARGET.port)
    counted = Counters({("east_to_west", "dropped"): 5}, {("east_to_west", "dropped", key): 5})
    one = Attempt(workload("echo", "east"), "west", TARGET, SILENCE, REPLY, counted)
    assert kept_out(one).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("answer", "refused", "outcome"),
    [
        (SILENCE, 2, Outcome.PASS),
        (SILENCE, 0, Outcome.FAIL),
        (REPLY, 2, Outcome.FAIL),
    ],
)
def test_the_host_is_no_path(answer: Answer, refused: int, outcome: Outcome) -> None:
    assert host_refused(Detour("node of east", TARGET, answer, refused)).outcome is outcome


def test_a_sabotage_is_noticed_only_if_every_verdict_fails_and_names_it() -> None:
    bad = Verdict(Outcome.FAIL, "a", "a way is open from east to west")
    good, unclear = Verdict(Outcome.PASS, "a", "b"), Verdict(Outcome.INCONCLUSIVE, "a", "b")
    assert noticed([bad, bad], "a way is open").outcome is Outcome.PASS
    assert noticed([bad, good], "a way is open").outcome is Outcome.FAIL
    assert noticed([bad, unclear], "a way is open").outcome is Outcome.INCONCLUSIVE
    assert noticed([unclear, good], "a way is open").outcome is Outcome.FAIL
    assert noticed([bad], "another culprit").outcome is Outcome.FAIL
    assert noticed([bad, unclear], "another culprit").outcome is Outcome.FAIL
    assert noticed([], "a way is open").outcome is Outcome.INCONCLUSIVE


def test_of_several_claims_one_that_failed_has_to_name_the_culprit() -> None:
    lost = Verdict(Outcome.FAIL, "a", "3 calls were lost")
    gone, vague = (Verdict(one, "a", "v2 is gone") for one in (Outcome.FAIL, Outcome.INCONCLUSIVE))
    assert noticed([all_of([lost, gone])], "v2 is gone").outcome is Outcome.PASS
    assert noticed([all_of([lost, gone])], "3 calls were lost").outcome is Outcome.PASS
    assert noticed([all_of([lost, gone])], "v1 is gone").outcome is Outcome.FAIL
    assert noticed([all_of([lost, vague])], "v2 is gone").outcome is Outcome.FAIL


def test_missing_evidence_is_asked_for_by_its_name() -> None:
    asking = Verdict(Outcome.INCONCLUSIVE, "a", "are access logs on?")
    assert undecided([asking], "are access logs on").outcome is Outcome.PASS
    assert undecided([asking], "another culprit").outcome is Outcome.FAIL
    for other in (Outcome.PASS, Outcome.FAIL):
        told = replace(asking, outcome=other)
        assert undecided([asking, told], "are access logs on").outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("culprit", "observed", "named"),
    [
        ("0 segments", "0 segments", True),
        ("0 segments", "10 segments", False),
        ("0 segments", "1.0 segments", False),
        ("20 x 200", "20 x 200; such as call mp-1", True),
        ("20 x 200", "120 x 200", False),
        ("200", "5 x 200; such as call mp-1", True),
        ("200", "5 x 503; such as call mp-ab200", False),
        ("v1 from east", "13 x v1 from east; such as", True),
        ("v1 from east", "13 x v1 from east2", False),
        ("v1 from east", "13 x v1 from east-two", False),
        ("open from east to west", "a way is open from east to west - and back", True),
        ("v2 weighing 2", "v2 weighing 2 (10.20.0.5:5000 2)", True),
        ("v2 weighing 2", "v2 weighing 20", False),
        ("10.20.0.5:5000", "10.20.0.5:50001 weighing 1", False),
        ("10.20.0.5", "the answer 'west hears 10.20.0.5'", True),
        ("10.20.0.5", "the answer 'west hears 10.20.0.51'", False),
        ("10.20.0.5", "the answer 'west hears 110.20.0.5'", False),
        ("0.0.0.0_15443", "http.outbound_0.0.0.0_15443.downstream_rq_total: 3", False),
        ("outbound_0.0.0.0_15443", "http.outbound_0.0.0.0_15443.downstream_rq_total: 3", True),
        ("HTTP/1.1 200", "'HTTP/1.1 200 OK'", True),
        ("40 x 503 [FI]", "40 did not: 40 x 503 [FI]; such as", True),
        ("40 x 503 [FI]", "140 x 503 [FI]", False),
        ("sample/helloworld", 'comment "sample/helloworld:http"', True),
        ("sample/helloworld", "service-4ZNMC2HS-sample/helloworld/tcp/http__", True),
        ("sample/helloworld", 'comment "sample/helloworld2:http"', False),
        ("router~", "3 parts, such as router~10.20.0.9~gateway", True),
        ("answered by v1: ", "calls from east, answered by v1: 9 of 20", True),
        ("are access logs on", "no line in the access log: are access logs on?", True),
        ("east hears it.", "east hears it.", True),
    ],
)
def test_a_culprit_is_named_by_whole_words_and_numbers(
    culprit: str, observed: str, named: bool
) -> None:
    bad, unclear = (Verdict(one, "a", observed) for one in (Outcome.FAIL, Outcome.INCONCLUSIVE))
    outcome = Outcome.PASS if named else Outcome.FAIL
    assert noticed([bad], culprit).outcome is outcome
    assert undecided([unclear], culprit).outcome is outcome


def test_silence_is_not_a_refusal() -> None:
    assert silent(TARGET, SILENCE).outcome is Outcome.PASS
    assert silent(TARGET, Answer(refusal=Refusal.RESET)).outcome is Outcome.FAIL
    assert silent(TARGET, REPLY).outcome is Outcome.FAIL


def test_a_hole_is_named() -> None:
    verdict = kept_out(attempt(REPLY, REPLY, anything=4))
    assert "a way is open from east to west" in verdict.observed


@pytest.mark.parametrize(
    ("answer", "control", "pod", "outcome"),
    [
        (REPLY, REPLY, 2, Outcome.PASS),
        (REPLY, REPLY, 0, Outcome.FAIL),
        (Answer("west hears 172.30.0.2"), REPLY, 2, Outcome.FAIL),
        (SILENCE, REPLY, 2, Outcome.FAIL),
        (SILENCE, SILENCE, 2, Outcome.INCONCLUSIVE),
    ],
)
def test_reached(answer: Answer, control: Answer, pod: int, outcome: Outcome) -> None:
    verdict = reached(attempt(answer, control, pod=pod), "pod", answer=REPLY.text)
    assert verdict.outcome is outcome


def test_answered_at_home_without_the_router() -> None:
    home = "east hears 10.10.0.5"
    assert answered_by(attempt(Answer(home), REPLY), home).outcome is Outcome.PASS
    assert answered_by(attempt(Answer(home), REPLY, dropped=1), home).outcome is Outcome.FAIL
    assert answered_by(attempt(Answer(home), REPLY, pod=1), home).outcome is Outcome.FAIL
    assert answered_by(attempt(REPLY, REPLY), home).outcome is Outcome.FAIL


def test_what_a_cluster_sends_elsewhere_meanwhile_is_not_the_call() -> None:
    api = FlowKey(IPv4Address("172.30.0.2"), IPv4Address("10.110.0.1"), 443)
    place = ("east_to_outside", "dropped")
    counted = Counters({place: 1}, {(*place, api): 1})
    home = Answer("east hears 10.10.0.5")
    one = Attempt(workload("echo", "east"), "west", TARGET, home, REPLY, counted)
    assert answered_by(one, home.text).outcome is Outcome.PASS


def test_the_worst_of_several_counts_and_none_is_no_pass() -> None:
    good = Verdict(Outcome.PASS, "a", "b")
    unclear = Verdict(Outcome.INCONCLUSIVE, "a", "b")
    bad = Verdict(Outcome.FAIL, "a", "b")
    assert all_of([good, unclear, bad]) == bad
    assert all_of([good, unclear, bad]).also == (unclear,)
    assert all_of([good, unclear]) == unclear
    assert all_of([good, all_of([bad, unclear]), unclear]).also == (unclear, unclear)
    assert all_of([good, good]).outcome is Outcome.PASS
    assert all_of([]).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("answer", "dropped", "outcome"),
    [
        (SILENCE, 3, Outcome.PASS),
        (SILENCE, 0, Outcome.INCONCLUSIVE),
        (Answer(refusal=Refusal.NO_ROUTE), 0, Outcome.INCONCLUSIVE),
        (REPLY, 0, Outcome.FAIL),
        (Answer(refusal=Refusal.RESET), 3, Outcome.FAIL),
    ],
)
def test_nothing_outside_is_reached(answer: Answer, dropped: int, outcome: Outcome) -> None:
    asked = Outward(workload("echo", "east"), TARGET, answer, dropped)
    verdict = kept_inside(asked)
    assert verdict.outcome is outcome
    assert ("open from east to the outside" in verdict.observed) is (outcome is Outcome.FAIL)


@pytest.mark.parametrize(
    ("answer", "control", "counted", "outcome"),
    [
        (REPLY, REPLY, {}, Outcome.PASS),
        (SILENCE, REPLY, {}, Outcome.PASS),
        (REPLY, SILENCE, {}, Outcome.INCONCLUSIVE),
        (SILENCE, REPLY, {"dropped": 2}, Outcome.FAIL),
        (REPLY, SILENCE, {"anything": 2}, Outcome.FAIL),
    ],
)
def test_what_is_for_an_address_of_both_stays_at_home(
    answer: Answer, control: Answer, counted: dict[str, int], outcome: Outcome
) -> None:
    assert stays_at_home(attempt(answer, control, **counted)).outcome is outcome


@pytest.mark.parametrize(
    ("heard", "ended", "reset", "on"),
    [
        ((FIRST,), 2, Outcome.PASS, Outcome.INCONCLUSIVE),
        ((FIRST,), 0, Outcome.FAIL, Outcome.INCONCLUSIVE),  # cut off, and nobody said so
        ((FIRST, SECOND), 0, Outcome.FAIL, Outcome.PASS),
        ((FIRST, SECOND), 1, Outcome.FAIL, Outcome.INCONCLUSIVE),
        ((), 2, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
    ],
)
def test_open_connections_go_on_or_are_reset(
    heard: tuple[str, ...], ended: int, reset: Outcome, on: Outcome
) -> None:
    seen = Conversation(heard, ended)
    assert was_reset(seen).outcome is reset
    assert goes_on(seen).outcome is on
    assert f"{ended} packets answered with a reset" in was_reset(seen).observed
