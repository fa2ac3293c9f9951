"""Each connection by TCP has its own line of the caller's access log, or none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.kube.asking import Question, Reply
from meshproof.traffic import tcp
from meshproof.traffic.access_log import LogLine

NEAR, FAR = "10.10.0.5:9000", "10.20.0.5:9000"
SOURCES = ["10.10.0.9:40001", "10.10.0.9:40002"]
CALLER: Any = SimpleNamespace(namespace="sample", name="sleep-1", cluster="east", sidecar=True)


def line(host: str, source: str, received: int) -> LogLine:
    return LogLine("", 0, "", "", 0, host, "", "", "", "", "", "", source, received)


def upstreams(
    monkeypatch: pytest.MonkeyPatch, *written: tuple[str, str, int | None]
) -> list[str | None]:
    """Where two connections went, by lines with an upstream, a source, and how many bytes more
    than the first connection said; None where nothing of it was read."""
    lengths: list[int] = []

    def ask_all(_: object, asked: Sequence[Question], __: float) -> list[Reply]:
        lengths[:] = [len(one.payload) for one in asked]
        return [Reply(payload=b"hello v1 helloworld-1", source=one) for one in SOURCES]

    def connections(_: str, enough: Any) -> list[LogLine]:
        lines = [
            line(host, source, 0 if more is None else lengths[0] + more)
            for host, source, more in written
        ]
        seen.append(enough(lines))
        return lines

    seen: list[bool] = []
    monkeypatch.setattr(tcp, "ask_all", ask_all)
    monkeypatch.setattr(tcp, "log_from_now", lambda _: SimpleNamespace(connections=connections))
    recorder = SimpleNamespace(emit=lambda *_, **__: None)
    sample: Any = SimpleNamespace(
        mesh=SimpleNamespace(lab=SimpleNamespace(recorder=recorder)),
        servers=dict,
        numbers=count(),
    )
    logs = [one.log for one in tcp.connect(sample, CALLER, 2)]
    found = [one.upstream_host if one else None for one in logs]
    assert seen == [None not in found], "waited is until each has its own"
    return found


def test_lines_are_told_apart_by_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    written = [(FAR, SOURCES[1], 1), (NEAR, SOURCES[0], 0)]
    assert upstreams(monkeypatch, *written) == [NEAR, FAR]


def test_another_source_on_the_way_to_the_sidecar_misleads_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renamed = [(FAR, "10.10.0.9:61000", 1), (NEAR, "10.10.0.9:62000", 0)]
    assert upstreams(monkeypatch, *renamed) == [NEAR, FAR]
    # The first has the source that the second came from.
    crossed = [(NEAR, SOURCES[1], 0), (FAR, "10.10.0.9:61000", 1)]
    assert upstreams(monkeypatch, *crossed) == [NEAR, FAR]


def test_a_line_of_an_earlier_connection_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    late = [(FAR, SOURCES[0], -1), (NEAR, SOURCES[0], 0)]
    assert upstreams(monkeypatch, *late) == [NEAR, None]


def test_what_was_ended_unread_is_known_by_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    unread = [(NEAR, SOURCES[0], None), (FAR, "10.10.0.9:61000", None)]
    assert upstreams(monkeypatch, *unread) == [NEAR, None]


def test_no_two_of_many_in_a_row_say_equally_much() -> None:
    numbers = count()
    said = [*tcp._different(numbers, 500), *tcp._different(numbers, 500)]
    lengths = [len(one) for one in said]
    assert len(set(lengths)) == len(lengths)
    assert max(lengths) < 1400, "one segment on any network"
