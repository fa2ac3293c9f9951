"""A batch of calls in figures, and that every batch is recorded."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.events import Event, Recorder
from meshproof.schema import is_as_recorded
from meshproof.traffic import calls
from meshproof.traffic.access_log import LogLine
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Refused, Response

V1 = Response("a", "east", 200, None, "", "", 0.1, version="v1")
LOG = LogLine("a", 200, "", "", 1, "10.10.0.5:5000", "", "", "", "", "", "")
CALLER: Any = SimpleNamespace(namespace="sample", name="sleep-1", cluster="east", sidecar=True)


def recorded(monkeypatch: pytest.MonkeyPatch, responses: list[Response]) -> Event:
    """What a batch leaves in the record that came to these responses."""
    events: list[Event] = []
    recorder = Recorder(listeners=[events.append])
    sample: Any = SimpleNamespace(mesh=SimpleNamespace(lab=SimpleNamespace(recorder=recorder)))
    logs = {one.id: one.log for one in responses}
    monkeypatch.setattr(calls, "_called", lambda *_: [responses])
    monkeypatch.setattr(calls, "calls_of", lambda *_: logs)
    assert call(sample, CALLER, Plan(headers={"end-user": "jason"})) == responses
    (event,) = events
    return event


def test_answers_versions_and_upstreams_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    aside = replace(V1, version="v2", log=replace(LOG, upstream_host="172.30.1.200:15443"))
    refused = replace(V1, status=None, refusal=Refused.TIMEOUT, version=None)
    failed = replace(V1, status=503, version=None, log=replace(LOG, upstream_host=""))
    made = [aside, replace(V1, log=LOG), V1, refused, failed, failed]
    event = recorded(monkeypatch, [replace(one, id=str(n)) for n, one in enumerate(made)])
    assert (event.kind, event.data["calls"]) == ("calls", 6)
    assert event.data["answers"] == {"200": 3, "503": 2, "no answer in time": 1}
    assert event.data["versions"] == {"v1": 2, "v2": 1}
    assert event.data["upstreams"] == {"172.30.1.200:15443": 1, "10.10.0.5:5000": 1}
    assert (event.data["caller"], event.data["cluster"]) == ("sample/sleep-1", "east")
    assert event.data["headers"] == {"end-user": "jason"}


def test_it_is_read_again_as_it_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    event = recorded(monkeypatch, [V1])
    assert is_as_recorded(event.kind, event.data)
    assert not is_as_recorded(event.kind, {**event.data, "answers": {"200": "many"}})


def test_how_calls_went_is_told_with_a_line_of_the_log_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    through = replace(LOG, upstream_host="172.30.1.200:15443")
    west: Any = SimpleNamespace(cluster="west", version="v2")
    made = [replace(V1, id=str(n), log=through, server=west, version="v2") for n in range(3)]
    refused = replace(V1, id="4", status=None, refusal=Refused.TIMEOUT, version=None)
    event = recorded(monkeypatch, [*made, refused])
    assert event.data["routes"] == [
        {
            "upstream": "172.30.1.200:15443",
            "cluster": "west",
            "version": "v2",
            "answer": "200",
            "calls": 3,
        },
        {
            "upstream": "",
            "cluster": "",
            "version": "",
            "answer": "no answer in time",
            "calls": 1,
        },
    ]
    line = {"request_id": "a", "status": 200, "attempts": 1, "upstream_host": "172.30.1.200:15443"}
    assert event.data["lines"] == [line]
    assert is_as_recorded(event.kind, event.data)
