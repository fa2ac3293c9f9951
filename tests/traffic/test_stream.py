"""A stream from its begin to its end, over pods and nodes that are played."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof import wait
from meshproof.errors import EvidenceError
from meshproof.process import Finished, Shell
from meshproof.traffic import stream as module
from meshproof.traffic.stream import Stream, StreamPlan, streaming
from meshproof.workloads.sample import Sample


class Node:
    """A caller's node: it keeps what the program and the proxy print."""

    def __init__(self, cluster: str) -> None:
        self.name, self.cluster = f"sleep-{cluster}", cluster
        self.namespace, self.container = "sample", "sleep"
        self.node: Any = None
        self.running: Any = self
        self.stream = ""
        self.asked: list[tuple[str, ...]] = []
        self.count = 0
        self.breaks_at: int | None = None
        self.ended = False
        self.logs = True
        self.mute = False

    def run(self, *argv: str, input: str | None = None, **_: Any) -> Finished:
        self.asked.append(argv)
        if argv[1] == "start-stream":
            self.stream = json.loads(input or "")["name"]
            return Finished(argv, 0, "4711\n", "", 0.0)
        assert argv == ("probe", "end-stream", "4711")
        self.ended = True
        return Finished(argv, 0, "", "", 0.0)

    def on_node(self, _: object, *argv: str, **__: Any) -> Finished:
        """Each look finds ten more calls, due by now."""
        assert self.stream in argv
        lines = []
        if self.count == self.breaks_at:
            lines.append(self._line("probe: out of memory"))
        elif not self.ended:
            for _number in range(10):
                lines += self._call()
        elif not self.mute:
            told = {"stream": self.stream, "ended": True, "calls": self.count}
            lines.append(self._line(json.dumps(told)))
        return Finished(argv, 0, "".join(lines), "", 0.0)

    def _call(self) -> Iterator[str]:
        number, self.count = self.count, self.count + 1
        call = {"stream": self.stream, "n": number, "kind": "http-kept", "at": time.time()}
        call |= {"seconds": 0.01, "status": 200, "version": "v1", "instance": "helloworld-1"}
        yield self._line(json.dumps(call))
        if self.logs:
            told = {"request_id": f"{self.stream}-{number}", "status": 200, "attempts": 1}
            yield self._line(json.dumps(told))

    @staticmethod
    def _line(text: str) -> str:
        return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z stdout F {text}\n"


class World:
    """Two callers, and what is recorded."""

    def __init__(self) -> None:
        self.nodes = {name: Node(name) for name in ("east", "west")}
        self.events: list[tuple[str, dict[str, Any]]] = []
        emit = SimpleNamespace(emit=lambda kind, **data: self.events.append((kind, data)))
        server = SimpleNamespace(name="helloworld-1", cluster="west")
        self.sample = cast(
            Sample,
            SimpleNamespace(
                clusters=tuple(self.nodes),
                calls=50.0,
                caller=lambda name, app: self.nodes[name],
                servers=lambda: {server.name: server},
                mesh=SimpleNamespace(shell=Shell(), lab=SimpleNamespace(recorder=emit)),
            ),
        )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    def quickly(*arguments: Any, **options: Any) -> Any:
        return wait.eventually(*arguments, **{**options, "every": 0.01})

    monkeypatch.setattr(module, "eventually", quickly)
    return World()


def ended(stream: Stream) -> Any:
    assert stream.history is not None
    return stream.history


def test_a_stream_from_begin_to_end(world: World) -> None:
    with streaming(world.sample, plan=StreamPlan(rate=20)) as stream:
        stream.flow_for(0.05)
        with stream.mark("something"):
            stream.flow_for(0.05)
        assert stream.flow_until(lambda: len(stream.calls_of("east")) > 50, "calls", 5)
    history = ended(stream)
    assert [one.what for one in history.marks] == ["something"]
    assert history.counts == {name: node.count for name, node in world.nodes.items()}
    assert history.rate == 20
    assert history.lost == ()
    assert {one.cluster for one in history.calls} == {"west"}
    assert all(one.log is not None for one in history.calls)
    (kind, data) = world.events[-1]
    assert (kind, data["calls"]) == ("stream", len(history.calls))


def test_only_some_callers(world: World) -> None:
    with streaming(world.sample, ["west"]) as stream:
        stream.flow_for(0.05)
    assert set(ended(stream).counts) == {"west"}
    assert world.nodes["east"].asked == []


def test_a_stream_that_breaks_off_is_told_at_once(world: World) -> None:
    world.nodes["west"].breaks_at = 30
    with (
        pytest.raises(EvidenceError, match="calls from west broke off: probe: out of memory"),
        streaming(world.sample) as stream,
    ):
        stream.flow_for(30)
    assert all(node.ended for node in world.nodes.values())


def test_calls_end_also_when_a_test_fails(world: World) -> None:
    with pytest.raises(RuntimeError, match="the test"), streaming(world.sample):
        raise RuntimeError("the test")
    assert all(node.ended for node in world.nodes.values())


def test_what_does_not_come_is_no_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ARRIVED_WITHIN", 0.0)
    with streaming(world.sample) as stream:
        assert not stream.flow_until(lambda: False, "never", 0.05)


def test_lines_that_do_not_come_are_left_to_the_verdict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.05)
    world.nodes["east"].logs = False
    with streaming(world.sample) as stream:
        stream.flow_for(0.02)
    assert all(one.log is None for one in ended(stream).of("east"))


def test_another_pod_goes_on_with_a_callers_calls(world: World) -> None:
    first, second = world.nodes["west"], Node("west")
    with streaming(world.sample, ["west"]) as stream:
        stream.flow_for(0.03)
        stream.hand_over("west", cast(Any, second))
        read = first.count
        assert first.ended and not second.ended
        stream.flow_for(0.03)
        assert len(stream.calls_of("west")) == read + second.count
    history = ended(stream)
    assert first.count == read, "who was replaced makes no calls any more"
    assert history.counts == {"west": first.count + second.count}
    assert [one.number for one in history.calls] == list(range(first.count + second.count))
    assert all(one.log is not None for one in history.calls)


def test_a_pod_that_was_replaced_and_never_said_its_end_is_left_to_the_verdict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.05)
    with streaming(world.sample, ["west"]) as stream:
        stream.flow_for(0.02)
        world.nodes["west"].mute = True
        stream.hand_over("west", cast(Any, Node("west")))
        stream.flow_for(0.02)
    assert ended(stream).counts == {"west": None}
