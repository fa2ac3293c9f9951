"""Measures what a stream of calls can do by itself, against a plain server on this machine: what it
loses, or is late with, there, it would lose or be late with anywhere."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from meshproof.bench.figure import Figure
from meshproof.errors import MeshproofError
from meshproof.process import Shell
from meshproof.traffic.stream import StreamPlan
from meshproof.wait import eventually

RATES = (50, 200, 1000, 4000)
"""Calls a second: of a cluster by default, of a run with one worker, and what is beyond both."""
_SECONDS = 10.0
_NAME = "mp-bench"


def stream_figures(programs: Path, rounds: int) -> list[Figure]:
    """Of each rate what part of the calls was answered, how late they set out, and how long they
    took, 99 of 100 of them. ``programs``: the folder of our own. Raises MeshproofError when the
    server does not begin, CommandError when the stream does not."""
    figures = []
    with _serving(programs) as (http, tcp):
        for rate in RATES:
            plan = StreamPlan(
                rate=rate, longest=_SECONDS, url=f"http://{http}/hello", to=tcp, patience=2.0
            )
            runs = [_run(programs, plan) for _ in range(rounds)]
            what = f"stream of {rate} calls a second to a plain server"
            figures += [
                Figure(f"{what}: made", "%", tuple(_made(one, rate) for one in runs)),
                Figure(f"{what}: answered", "%", tuple(map(_answered, runs))),
                Figure(f"{what}: late, 99 of 100", "ms", tuple(_late(one) for one in runs)),
                Figure(f"{what}: took, 99 of 100", "ms", tuple(_took(one) for one in runs)),
            ]
    return figures


def _run(programs: Path, plan: StreamPlan) -> list[dict[str, Any]]:
    done = Shell().run(
        [str(programs / "probe"), "stream"], input=plan.line(_NAME), timeout=plan.longest + 60
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    return [one for one in told if not one.get("ended")]


def _made(calls: Sequence[dict[str, Any]], rate: int) -> float:
    made = sum(not one.get("unmade") for one in calls)
    return 100 * made / (rate * _SECONDS)


def _answered(calls: Sequence[dict[str, Any]]) -> float:
    return 100 * sum(bool(one.get("version")) for one in calls) / max(len(calls), 1)


def _late(calls: Sequence[dict[str, Any]]) -> float:
    return 1000 * _most(one["late"] for one in calls)


def _took(calls: Sequence[dict[str, Any]]) -> float:
    return 1000 * _most(one["seconds"] for one in calls)


def _most(values: Iterator[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) * 99 // 100] if ordered else 0.0


@contextmanager
def _serving(programs: Path) -> Iterator[tuple[str, str]]:
    """helloworld serves on this machine alone inside the block: HTTP and TCP, "host:port" each."""
    ports = {name: _free_port() for name in ("HTTP_PORT", "GRPC_PORT", "TCP_PORT")}
    shell, environment = Shell(), {name: str(port) for name, port in ports.items()}
    with ThreadPoolExecutor(max_workers=1) as pool:
        program = str(programs / "helloworld")
        ended = pool.submit(shell.run, [program], env={**environment, "HOSTNAME": "bench"})
        try:
            eventually(
                lambda: _listens(ports["HTTP_PORT"]) and _listens(ports["TCP_PORT"]),
                what="helloworld on this machine",
                within=10,
                fail_if=lambda _: str(ended.exception()) if ended.done() else None,
            )
            yield f"127.0.0.1:{ports['HTTP_PORT']}", f"127.0.0.1:{ports['TCP_PORT']}"
        finally:
            shell.cancel()
            with suppress(MeshproofError):
                ended.result()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
