"""The timeline: each deployment's steps and tests, and nobody else's."""

from __future__ import annotations

from meshproof.events import Event
from meshproof.report.timeline import spans


def step(at: float, name: str, seconds: float, **data: object) -> list[Event]:
    begin = Event(at - seconds, "step-begin", {"step": name, **data})
    return [begin, Event(at, "step-end", {"step": name, "seconds": seconds, **data})]


def judged(at: float, deployment: str, outcome: str = "PASS", **data: object) -> Event:
    return Event(at, "test", {"deployment": {"id": deployment}, "outcome": outcome, **data})


def test_steps_before_a_deployments_first_test_are_its_own() -> None:
    inner = step(29.0, "install istiod in east", 8.0)
    whole = step(30.0, "install one", 10.0)
    events = [
        *step(20.0, "create cluster east", 20.0),
        whole[0],
        *inner,
        whole[1],
        judged(32.0, "one"),
        *step(35.0, "wait until the proxies know the way", 2.0),
        judged(36.0, "one"),
        *step(50.0, "install two", 12.0),
        judged(52.0, "two"),
    ]
    one, two = spans(events)
    assert one.steps == {"clusters": 20.0, "install": 10.0}
    assert (one.first, one.tests, one.tested, one.total) == (32.0, 2, 4.0, 36.0)
    assert two.steps == {"install": 12.0}
    assert (two.begin, two.first, two.tests, two.tested) == (36.0, 16.0, 1, 0.0)


def test_workers_have_spans_of_their_own() -> None:
    events = [judged(5.0, "one", worker="gw0"), judged(6.0, "two", worker="gw1")]
    events += [judged(7.0, "one", worker="gw0")]
    assert [(span.worker, span.deployment, span.tests) for span in spans(events)] == [
        ("gw0", "one", 2),
        ("gw1", "two", 1),
    ]


def test_what_was_skipped_takes_no_time() -> None:
    assert spans([judged(5.0, "one", "skipped")]) == []
