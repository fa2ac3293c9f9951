"""What is claimed of callers whose servers fail or are slow, and of faults that are injected."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.kube.asking import Reply
from meshproof.mesh.proxy import Endpoint
from suites.resilience.absent import tried_again, tried_once
from suites.resilience.claims import ejected, ends_in_time, retried_elsewhere, told_at_once
from suites.resilience.injection import aborted_alone, delayed_alone
from suites.resilience.rules import ABORTED, WISH
from tests.claims.changes import (
    When,
    after,
    always,
    answering,
    changed,
    failing,
    logged,
    retried,
    unheard,
    unlogged,
)
from tests.claims.table import NO_LINE, Case, Doing, Stage, cases, fails, judge, on, passes, unclear
from tests.claims.world import Came
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod

SENT_AGAIN = "x-faulty"
EXTRA = "was sent 1 times and arrived 2 times: a hidden retry"


def by_faults(*, sent_again: int = 0) -> Doing:
    """Servers fail what asks them to; ``sent_again``: how often such calls come to another."""

    def done(stage: Stage) -> None:
        world = stage.world

        def fail(call: Call, came: Came) -> Came:
            server = came.server
            if server is None or server.version != call.headers.get(SENT_AGAIN) or not came.line:
                return came
            heard = [(who, {**line, "status": 503}) for who, line in came.heard] * max(
                sent_again, 1
            )
            if sent_again:
                other = next(one for one in world.servers() if one.version != server.version)
                again = world.served(call, other).logged(attempts=sent_again + 1)
                return replace(again, heard=(*heard, *again.heard))
            told = Reply(status=503, body="fault filter abort")
            return replace(came.logged(status=503), reply=told, heard=tuple(heard))

        changed(fail)(stage)

    return done


def heard_twice(stage: Stage) -> None:
    """Each call arrives once more than its caller knows."""
    changed(lambda _, came: replace(came, heard=came.heard * 2))(stage)


def by_wish(stage: Stage) -> None:
    by_version = {one.version: one for one in stage.world.servers()}

    def chosen(call: Call, pods: list[PlayedPod]) -> list[PlayedPod]:
        return [by_version[call.headers[WISH]]] if WISH in call.headers else pods

    stage.world.chosen = chosen


def asked_for(*versions: str) -> When:
    return lambda call: call.headers.get(WISH) in versions


def asked_to_be_late(call: Call) -> bool:
    return "x-envoy-fault-delay-request" in call.headers


def lasting(seconds: float, when: When = asked_to_be_late) -> Doing:
    def later(_: Call, came: Came) -> Came:
        return replace(came, reply=replace(came.reply, seconds=seconds))

    return changed(later, when)


def delayed(*versions: str) -> Doing:
    """Calls for these versions are delayed, and their caller's log says so."""
    when = asked_for(*versions)
    return after(lasting(1.01, when), logged(when, flags="DI"))


def ejecting(stage: Stage) -> None:
    """Whoever fails is called no more, and proxies say so."""
    world, failed = stage.world, set[str]()
    known, chosen = world.known, world.chosen

    def note(call: Call, came: Came) -> Came:
        if came.reply.status == 503:
            failed.add(call.headers[SENT_AGAIN])
        return came

    def healthy(call: Call, pods: list[PlayedPod]) -> list[PlayedPod]:
        # As many calls as it takes have failed by then.
        out = failed if SENT_AGAIN not in call.headers else set()
        return [one for one in chosen(call, pods) if one.version not in out]

    def endpoints(pod: PlayedPod, service: str, version: str) -> list[Endpoint]:
        return [replace(one, healthy=not failed) for one in known(pod, service, version)]

    changed(note)(stage)
    world.chosen, world.known = healthy, endpoints


def refused_after(attempts: int) -> Doing:
    """Nobody listens, and each call is tried so many times."""
    return after(
        failing(503, "UF", "upstream_reset{connection_refused}", always),
        logged(attempts=attempts),
    )


TIMED_OUT = failing(504, "UT", "response_timeout", asked_to_be_late)
CASES = [
    *cases(
        retried_elsewhere,
        on("v2"),
        passes(doing=by_faults(sent_again=1)),
        fails("15 x 503", by_faults()),
        fails("was sent upstream 8 times: a hidden retry", by_faults(sent_again=7)),
        fails(EXTRA, after(by_faults(sent_again=1), heard_twice)),
        fails("15 x v2 from west"),
        unclear("none did", after(by_faults(sent_again=1), answering("v1"))),
        unclear(NO_LINE, after(by_faults(sent_again=1), unlogged())),
        unclear("none did", after(by_faults(sent_again=1), unheard())),
    ),
    *cases(
        told_at_once,
        on("v2", before=by_faults()),
        passes(),
        fails("was sent upstream 2 times: a hidden retry", retried()),
        fails(EXTRA, heard_twice),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear("none did", answering("v1")),
        unclear("30 without all lines in servers' logs", unheard()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        ends_in_time,
        on("v2", before=answering("v2")),
        passes(doing=after(TIMED_OUT, lasting(2.01))),
        fails("2 x 200", lasting(6.01)),
        fails("one after 6.5 s", after(TIMED_OUT, lasting(6.5))),
        fails("one after 0.0 s", TIMED_OUT),
        unclear("answered otherwise", after(answering("v1"), TIMED_OUT, lasting(2.01))),
        unclear(NO_LINE, after(TIMED_OUT, lasting(2.01), unlogged())),
    ),
    *cases(
        ejected,
        on("v2", before=by_faults()),
        passes(doing=ejecting),
        fails("20 x v2 from west"),
        fails("20 x v2 from west", by_faults()),
        unclear("v2 never answered", after(answering("v1"), ejecting)),
        unclear("0 did", by_faults(sent_again=1)),
        unclear(NO_LINE, after(ejecting, unlogged())),
    ),
    *cases(
        tried_once,
        on(before=refused_after(1)),
        passes(),
        fails("was sent upstream 3 times: a hidden retry", refused_after(3)),
        fails("6 x 503 [UH]", failing(503, "UH", "no_healthy_upstream", always)),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(tried_once, on(), fails("6 x 200")),
    *cases(
        tried_again,
        on(before=refused_after(3)),
        passes(),
        unclear("tried 1 times", refused_after(1)),
        unclear("without a line in the caller's access log", unlogged()),
    ),
    *cases(tried_again, on(), unclear("6 x 200")),
    *cases(
        aborted_alone,
        on("v2", before=by_wish),
        passes(doing=failing(ABORTED, "FI", "fault_filter_abort", asked_for("v2"))),
        fails("4 x 200"),
        fails("4 x 418 [FI]", failing(ABORTED, "FI", "fault_filter_abort", asked_for("v1", "v2"))),
        unclear(
            "without a line in the caller's access log",
            after(failing(ABORTED, "FI", "fault_filter_abort", asked_for("v2")), unlogged()),
        ),
    ),
    *cases(
        delayed_alone,
        on("v2", before=by_wish),
        passes(doing=delayed("v2")),
        fails("4 were not, such as one of 0.0 s: 200 by v2"),
        fails("4 for v1 were delayed", delayed("v1", "v2")),
        fails("the quickest for v1 took 1.2 s", after(delayed("v2"), lasting(1.2, always))),
        unclear(
            "calls without a line in the caller's log",
            after(lasting(1.01, asked_for("v2")), unlogged()),
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_resilience(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
