"""Collects the evidence of a failure into a folder; no part of it can fail or hang the rest."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from meshproof.evidence.index import index
from meshproof.evidence.machines import machine_pieces
from meshproof.evidence.network import network_pieces
from meshproof.evidence.objects import full_name, object_pieces
from meshproof.evidence.proxies import (
    ROOT_NAMESPACE,
    is_istiod,
    istiod_pieces,
    pod_pieces,
    proxy_id,
)
from meshproof.evidence.redact import redact
from meshproof.evidence.source import Clock, Found, Object, Piece, Source, one_line
from meshproof.kube.cluster import OnNodes, RunningCluster
from meshproof.kube.foreign import LAB_LABEL
from meshproof.lab.base import Lab
from meshproof.model import Capability
from meshproof.process import Shell

INDEX = "00-index.md"
_WORKERS = 4
_FIRST_ANSWER = 5.0


@dataclass(frozen=True, slots=True)
class _Survey:
    """What must be known of a cluster before the rest can be asked for. ``failed``: why it is
    dead."""

    source: Source
    pods: tuple[Object, ...] = ()
    failed: tuple[str, ...] = ()
    dead: bool = False


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a piece. ``path``: None when there was nothing to write."""

    piece: Piece
    found: Found
    path: Path | None


def collect(
    lab: Lab, folder: Path, namespaces: Sequence[str], *, within: float = 60.0
) -> tuple[Path, ...]:
    """Write what explains a failure into ``folder``; returns the files, the index first.

    ``namespaces``: whose pods are asked for logs and proxy configuration, beside istio-system.
    ``within``: seconds after which nothing more is asked. What cannot be had is named in the
    index and raises nothing; OSError when ``folder`` cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # The lab's own shell refuses once a step beside others failed, or the run was called off.
    shell = Shell(lab.recorder, env=lab.shell.env)
    engine = lab.on_nodes(shell)
    clock = Clock(within)
    wanted = {*namespaces, ROOT_NAMESPACE}
    pool = ThreadPoolExecutor(max_workers=_WORKERS)
    try:
        with lab.recorder.step("collect evidence", folder=str(folder)):
            survey = partial(_survey, engine, clock)
            surveys = list(pool.map(survey, lab.clusters.values()))
            pieces = _pieces(lab, shell, surveys, wanted, clock)
            outcomes = list(pool.map(partial(_write, folder, clock), pieces))
            about = f"Lab {lab.id}, wiring {lab.wiring.name}, clusters {', '.join(lab.clusters)}; "
            about += f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC, "
            about += f"pods of {', '.join(sorted(wanted))}."
            return _finish(folder, about, surveys, outcomes)
    except BaseException:
        shell.cancel()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _survey(engine: OnNodes, clock: Clock, cluster: RunningCluster) -> _Survey:
    """List a cluster's pods."""
    ours = cluster.by(engine)
    try:
        spaces = _spaces(ours, clock)
        asked = Source(ours, (), clock, spaces)
        pods = asked.items("/api/v1/pods", limit=_FIRST_ANSWER)
        nodes = cluster.nodes
    except Exception as error:  # whatever it is: the other clusters are still wanted
        failed = f"cluster {cluster.name} does not answer: {one_line(error)}"
        # Nodes that are known since the cluster was brought up; asking now might hang.
        known = vars(cluster).get("nodes", ())
        return _Survey(Source(ours, known, clock), failed=(failed,), dead=True)
    return _Survey(Source(ours, nodes, clock, spaces), tuple(pods))


def _spaces(cluster: RunningCluster, clock: Clock) -> frozenset[str] | None:
    """The namespaces of somebody else's cluster that bear our label; None where all are ours."""
    if cluster.foreign is None:
        return None
    found = Source(cluster, (), clock).get("/api/v1/namespaces", limit=_FIRST_ANSWER)["items"]
    about = [one["metadata"] for one in found]
    lab = cluster.foreign.lab
    return frozenset(one["name"] for one in about if one.get("labels", {}).get(LAB_LABEL) == lab)


def _pieces(
    lab: Lab, shell: Shell, surveys: Iterable[_Survey], wanted: set[str], clock: Clock
) -> list[Piece]:
    """All files, in the order in which they are asked for: proxies take longest, and come last."""
    surveys = list(surveys)
    alive = [survey for survey in surveys if not survey.dead]
    pieces: list[Piece] = []
    for survey in alive:
        pieces += object_pieces(survey.source, list(survey.pods))
    for survey in alive:
        pieces += istiod_pieces(survey.source, list(survey.pods))
    if Capability.ROUTER in lab.capabilities:
        engine = type(lab.engine)(shell)
        pieces += network_pieces(lab, engine, [survey.source for survey in surveys], clock)
        pieces += machine_pieces(lab, engine, clock)
    for survey in alive:
        for pod in survey.pods:
            if pod["metadata"]["namespace"] in wanted and not is_istiod(pod):
                pieces += pod_pieces(survey.source, pod)
    return pieces


def _write(folder: Path, clock: Clock, piece: Piece) -> _Outcome:
    try:
        clock.left()
        found = piece.find()
        path = folder / piece.file
        path.write_text(redact(found.text), encoding="utf-8")
    except Exception as error:  # a piece may fail by itself, in whatever way
        return _Outcome(piece, Found("", failed=(one_line(error),)), None)
    return _Outcome(piece, found, path)


def _finish(
    folder: Path, about: str, surveys: Sequence[_Survey], outcomes: Sequence[_Outcome]
) -> tuple[Path, ...]:
    """Write the index; returns all files in their order."""
    outcomes = sorted(outcomes, key=lambda outcome: outcome.piece.file)
    dead = [line for survey in surveys for line in survey.failed]
    wrong = [*dead, *_unknown_proxies(surveys, outcomes)]
    for outcome in outcomes:
        cluster = outcome.piece.file.split("-")[1]
        wrong += [f"{cluster}: {line}" for line in outcome.found.wrong]
    partly = [f"{o.piece.file}: {line}" for o in outcomes for line in o.found.failed]
    paths = [outcome.path for outcome in outcomes if outcome.path is not None]
    first = folder / INDEX
    text = index(about, wrong, partly, [path.name for path in paths])
    first.write_text(redact(text), encoding="utf-8")
    return (first, *paths)


def _unknown_proxies(surveys: Sequence[_Survey], outcomes: Sequence[_Outcome]) -> list[str]:
    """Running proxies that no istiod of the lab knows; nothing when not every istiod was heard."""
    asked = [outcome for outcome in outcomes if outcome.piece.file.endswith("-syncz.json")]
    known = [outcome.found.connected for outcome in asked]
    heard = [proxies for proxies in known if proxies is not None]
    if not asked or len(heard) < len(asked) or any(survey.dead for survey in surveys):
        return []
    connected = frozenset[str]().union(*heard)
    return [
        f"{survey.source.name}: the proxy of pod {full_name(pod)} is connected to no istiod"
        for survey in surveys
        for pod in survey.pods
        if (proxy := proxy_id(pod)) is not None and proxy not in connected
    ]
