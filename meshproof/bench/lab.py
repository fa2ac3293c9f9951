"""Measures what a lab costs, beside the same clusters made by hand with kind in the same run.

It prints figures and judges nothing: machines differ and are noisy.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from meshproof.artifacts import provide
from meshproof.bench.figure import Figure
from meshproof.bench.mesh import Timeline, first_verdict
from meshproof.bench.scale import scale_figures
from meshproof.bench.stream import stream_figures
from meshproof.bench.verify_run import measure_run
from meshproof.engine.engine import RUN_LABEL, STATE_LABEL
from meshproof.events import Event, Recorder
from meshproof.files import read_footprint
from meshproof.lab import Ingredients, KindLab
from meshproof.lab.memory import memory
from meshproof.lab.network.subnets import Leases, networks_in_use
from meshproof.lab.ownership import Claim, new_id, object_name, real_state_dir
from meshproof.lab.remove import remove_lab
from meshproof.model import Footprint, Mtls, RunRequest, flat, isolated
from meshproof.process import RUN_VARIABLE, Shell, side_by_side
from meshproof.run.session import Session
from meshproof.workloads.load import Load

FOOTPRINTS = (
    *("east", "east,west", "east,west,far", "east,west,far,north"),
    "east,west,far,north,south",
)
_GROWING = ("lab up, wired", "memory per cluster")


def measure(
    session: Session,
    rounds: int,
    output: Path,
    console: Console,
    footprints: Sequence[str] = FOOTPRINTS,
    topologies: Sequence[str] = (),
    *,
    whole_run: bool = False,
    stream: bool = False,
    load: Load | None = None,
) -> None:
    """Measure everything ``rounds`` times, print a table, and write the figures as JSON.

    ``whole_run``: also measure all the topologies in one run of verify, once; ``stream``: also
    measure streams of calls by themselves; ``load``: measure the topologies under it instead, once.
    """
    figures = [_warm_check(session, rounds)]
    if stream:
        figures += stream_figures(session.bundle.ours, rounds)
    for clusters in footprints:
        footprint = read_footprint(clusters, session.wanted.kubernetes)
        figures += _footprint(session, footprint, rounds)
    figures += growth(figures)
    for topology in topologies:
        folder = output.parent / "bench-mesh"
        if load is not None:
            figures += scale_figures(session, topology, load, folder)
        else:
            figures += _topology(session, topology, rounds, folder)
    if whole_run:
        chosen = session.choices
        request = RunRequest(
            topology=tuple(topologies),
            mtls=(Mtls.STRICT.value,),
            engine=chosen.engine,
            artifacts=chosen.source,
        )
        figures += measure_run(request, output.parent / "bench-mesh", console)
    table = Table("what", "unit", "min", "median", "max", "n", title="meshproof bench")
    for figure in figures:
        low, high = min(figure.values), max(figure.values)
        numbers = (f"{value:.2f}" for value in (low, figure.median, high))
        table.add_row(figure.what, figure.unit, *numbers, str(len(figure.values)))
    console.print(table)
    output.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")
    console.print(f"Figures: {output}")


def _warm_check(session: Session, rounds: int) -> Figure:
    _ = session.bundle  # whatever is missing is built before the clock starts

    def check() -> None:
        provide(session.wanted, engine=session.engine, recorder=Recorder())

    return Figure("artifacts, warm check", "s", tuple(_timed(check) for _ in range(rounds)))


def _footprint(session: Session, footprint: Footprint, rounds: int) -> list[Figure]:
    """By hand and by meshproof in turn, so that a drift of the machine meets both."""
    count = len(footprint.names)
    label = f"{count} cluster{'s' if count > 1 else ''}"
    by_hand: list[float] = []
    samples: list[dict[str, float]] = []
    for _ in range(rounds):
        by_hand.append(_by_hand(session.ingredients(), footprint))
        samples.append(_by_meshproof(session, footprint))
    figures = [Figure(f"{label}: kind by hand, to Ready", "s", tuple(by_hand))]
    units = {"memory per cluster": "MiB", "meshproof's own share": "%"}
    for what in samples[0]:
        values = tuple(sample[what] for sample in samples)
        figures.append(Figure(f"{label}: {what}", units.get(what, "s"), values))
    ratios = tuple(
        sample["lab up, wired"] / hand * 100 for sample, hand in zip(samples, by_hand, strict=True)
    )
    return [*figures, Figure(f"{label}: meshproof / by hand", "%", ratios)]


def growth(figures: Sequence[Figure]) -> list[Figure]:
    """What a cluster costs in the largest lab, by what one costs in the smallest of several: 100 %
    is linear, and less is better than that. None where fewer than two such labs were measured."""
    found = []
    for what in _GROWING:
        each = {
            int(match[1]): figure.median / (int(match[1]) if figure.unit == "s" else 1)
            for figure in figures
            if (match := re.fullmatch(rf"(\d+) clusters: {re.escape(what)}", figure.what))
        }
        if len(each) > 1:
            low, high = min(each), max(each)
            label = f"from {low} to {high} clusters: {what}, for each of them"
            found.append(Figure(label, "%", (100 * each[high] / each[low],)))
    return found


def _topology(session: Session, topology: str, rounds: int, folder: Path) -> list[Figure]:
    """A topology from nothing to 200 calls, by hand and by meshproof in turn, step by step."""
    lines: dict[str, list[Timeline]] = {"by hand": [], "meshproof": []}
    for _ in range(rounds):
        for how, made in lines.items():
            by_hand = how == "by hand"
            made.append(first_verdict(session, topology, folder, by_hand=by_hand))
    figures = []
    for how, made in lines.items():
        for step in made[0].steps:
            values = tuple(line.steps[step] for line in made)
            figures.append(Figure(f"{topology}, {how}: {step}", "s", values))
        totals = tuple(line.total for line in made)
        figures.append(Figure(f"{topology}, {how}: in all", "s", totals))
    ours = lines["meshproof"]
    memories = tuple(line.memory for line in ours)
    figures.append(Figure(f"{topology}: memory per cluster, with the mesh", "MiB", memories))
    shares = tuple(line.own_share for line in ours)
    figures.append(Figure(f"{topology}: meshproof's own processor time", "%", shares))
    pairs = zip(*lines.values(), strict=True)
    ratios = tuple(our.total / their.total * 100 for their, our in pairs)
    return [*figures, Figure(f"{topology}: meshproof / by hand", "%", ratios)]


def _by_meshproof(session: Session, footprint: Footprint) -> dict[str, float]:
    events: list[Event] = []
    made_with = session.ingredients()
    made_with.recorder.listeners.append(events.append)
    begin = time.time()
    lab = KindLab.create(footprint, made_with, isolated())
    up = time.time() - begin
    outside = _outside(events, begin)
    try:
        sample = {
            "lab up, wired": up,
            "DNS ready after that": _timed(lab.await_dns),
            "memory per cluster": memory(lab) / len(footprint.names),
            "meshproof's own share": (up - outside) / up * 100,
        }
        if len(footprint.names) > 1:
            sample["re-wiring"] = max(lab.rewire(flat(footprint)), lab.rewire(isolated()))
    finally:
        made_with.recorder.listeners.remove(events.append)
        deletion = _timed(lab.remove)
    return {**sample, "lab down": deletion}


def _outside(events: Iterable[Event], begin: float) -> float:
    """Seconds in which a program or a cluster was waited for, overlaps counted once."""
    spans = sorted(
        (max(event.at - event.data["seconds"], begin), event.at)
        for event in events
        if event.kind in ("command", "waited")
    )
    covered, reached = 0.0, begin
    for start, end in spans:
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def _by_hand(made_with: Ingredients, footprint: Footprint) -> float:
    """What a person would type: a network and `kind create cluster --wait` for each, at once."""
    engine, bench_id = made_with.engine, new_id()
    networks = {name: object_name(bench_id, name) for name in footprint.names}
    engine.shell.env = {**engine.shell.env, RUN_VARIABLE: bench_id}
    claim = Claim(bench_id)
    claim.take()
    taken = [*footprint.ranges, *networks_in_use(engine.shell)]
    subnets = Leases().take(bench_id, len(networks), taken)

    def create(name: str) -> None:
        options = {
            "--name": networks[name],
            "--config": footprint[name].kind_config,
            "--image": made_with.node_image,
            "--kubeconfig": str(claim.folder / name),
            "--wait": "180s",
        }
        words = [word for option in options.items() for word in option]
        engine.shell.run(
            [str(made_with.kind), "create", "cluster", *words],
            env=engine.kind_environment(networks[name]),
        )

    try:
        for name, subnet in zip(networks, subnets, strict=True):
            labels = {RUN_LABEL: bench_id, STATE_LABEL: str(real_state_dir())}
            engine.create_network(networks[name], subnet.network, subnet.containers, labels)
        return _timed(lambda: side_by_side(engine.shell, create, list(networks)))
    finally:
        remove_lab(type(engine)(Shell()), claim)


def _timed(act: Callable[[], object]) -> float:
    begin = time.monotonic()
    act()
    return time.monotonic() - begin
