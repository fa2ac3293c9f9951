"""How often a request arrived, by servers' logs; and how often it may be sent."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

from meshproof.expect import Outcome, believable
from meshproof.kube.workload import Workload
from meshproof.traffic.access_log import arrivals, read_line
from meshproof.traffic.response import Response


def logging(*ids: str) -> Workload:
    """A server whose proxy has a line for each of these requests."""
    lines = [json.dumps({"request_id": one, "status": 503, "attempts": 1}) for one in ids]
    return cast(Workload, SimpleNamespace(log=lambda **_: "\n".join(["started", *lines])))


def test_each_arrival_counts() -> None:
    one, other = logging("a", "a", "b", "somebody's"), logging("a")
    found = arrivals([one, other], {"a": 3, "b": 1, "c": 0})
    assert {name: [who for who, _ in lines] for name, lines in found.items()} == {
        "a": [one, one, other],
        "b": [one],
        "c": [],
    }


def test_those_that_are_missing_in_the_end_are_not_made_up() -> None:
    found = arrivals([logging("a")], {"a": 2}, within=0)
    assert len(found["a"]) == 1


def sent(times: int) -> Response:
    raw = {"request_id": "a", "status": 404, "attempts": times, "upstream_host": "10.0.0.5:5000"}
    line = read_line(json.dumps(raw))
    return Response("a", "east", 404, None, "", "", 0.1, log=line)


def test_a_call_may_be_sent_as_often_as_the_rule_says() -> None:
    assert believable([sent(3)], attempts=3).outcome is Outcome.PASS
    hidden = believable([sent(4)], attempts=3)
    assert hidden.outcome is Outcome.FAIL
    assert "was sent upstream 4 times: a hidden retry" in hidden.observed


def test_what_a_request_bore_is_read_off_the_answer() -> None:
    body = "Hello version: v1, instance: a\nx-route: query: yes\nx-routes: other\n"
    response = Response("a", "east", 200, None, "", body, 0.1)
    assert response.shown("x-route") == "query: yes"
    assert response.shown("x-other") == ""
