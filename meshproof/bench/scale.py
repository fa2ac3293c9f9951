"""Measures a topology under load: push times, memory of istiods and proxies, and whether calls are
answered as they were without it."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

from meshproof.artifacts import provide_kwok
from meshproof.bench.figure import Figure
from meshproof.errors import EvidenceError
from meshproof.expect import Outcome, answered_from_home
from meshproof.files import topology_named
from meshproof.kube.workload import PodWorkload
from meshproof.lab import KindLab
from meshproof.mesh.installation import install_mesh
from meshproof.mesh.istiod import ISTIOD_PORT, istiod_of
from meshproof.mesh.mesh import Mesh
from meshproof.model import Deployment
from meshproof.run.session import Session
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import settle
from meshproof.wait import eventually
from meshproof.workloads.load import Load, loaded
from meshproof.workloads.sample import Sample, deploy_sample

_CALLS = 200
_KNOWN_WITHIN = 300.0
_SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(?:\{[^}]*\})? (?P<value>[0-9.e+-]+)$", re.MULTILINE)
_CONVERGED = "pilot_proxy_convergence_time"
"""Istiod's own histogram, in seconds: from a change to when proxies were sent it
(https://istio.io/latest/docs/reference/commands/pilot-discovery/#metrics)."""
_RESIDENT = "process_resident_memory_bytes"


def scale_figures(session: Session, topology: str, load: Load, folder: Path) -> list[Figure]:
    """Bring a topology up, and measure it without load, with it, and when it is gone. The load is
    in the first remote, or where there is none in the last cluster.

    Raises EvidenceError where calls are not answered as they should be, or a proxy that is to know
    the load does not come to.
    """
    kwok = provide_kwok(session.shell, session.recorder)
    wanted, chosen = session.wanted, topology_named(topology)
    footprint = chosen.footprint(wanted.kubernetes)
    istio = dict.fromkeys(chosen.names, wanted.istio[-1])
    deployment = Deployment(chosen, istio, wanted.kubernetes)
    with KindLab.create(footprint, session.ingredients(), chosen.wiring(footprint)) as lab:
        lab.await_dns()
        mesh = Mesh.begin(lab, deployment, session.bundle, folder)
        install_mesh(mesh)
        sample = deploy_sample(mesh)
        settle(sample)
        _judge(sample)
        where = next((one.name for one in chosen.remotes), chosen.names[-1])
        before, label = _numbers(sample), f"{topology}, {load} in {where}"
        figures = _memory(f"{topology}, without load", before)
        begin = time.monotonic()
        with loaded(mesh.cluster(where), kwok, lab.kubeconfig(where), load):
            figures.append(Figure(f"{label}: made", "s", (time.monotonic() - begin,)))
            begin = time.monotonic()
            _await_known(sample, load, known=True)
            figures.append(Figure(f"{label}: known to proxies", "s", (time.monotonic() - begin,)))
            _judge(sample)
            during = _numbers(sample)
            figures += [*_memory(label, during), *_pushes(label, before, during)]
        _await_known(sample, load, known=False)
        _judge(sample)
    return figures


def _judge(sample: Sample) -> None:
    """From every cluster, as many calls as the bench makes elsewhere."""
    for caller in sample.clusters:
        responses = call(sample, sample.caller(caller), Plan(times=_CALLS))
        verdict = answered_from_home(responses, sample.versions)
        if verdict.outcome is not Outcome.PASS:
            raise EvidenceError(f"calls from {caller} under load: {verdict.observed}")


def _await_known(sample: Sample, load: Load, *, known: bool) -> None:
    """Until each caller's proxy has the last of the Services, with endpoints, or has none."""
    name = f"|{load.service(load.services - 1)}"

    def knowing() -> set[str]:
        return {
            caller
            for caller in sample.clusters
            if _lists(sample.caller(caller).admin("clusters"), name)
        }

    due = set(sample.clusters) if known else set()
    eventually(
        knowing,
        until=lambda found: found == due,
        what=f"proxies that {'know' if known else 'have forgotten'} the load",
        within=_KNOWN_WITHIN,
        every=1.0,
    )


def _lists(clusters: str, name: str) -> bool:
    """Whether Envoy's listing has an endpoint of a cluster of this name."""
    return any(name in line and "::cx_active::" in line for line in clusters.splitlines())


def _numbers(sample: Sample) -> dict[str, Mapping[str, float]]:
    """By who it is of what istiods and callers' proxies say of themselves."""
    mesh = sample.mesh
    said: dict[str, Mapping[str, float]] = {
        f"istiod of {one.name}": numbers(_metrics(istiod_of(mesh, one.name)))
        for one in mesh.deployment.topology.control_planes
    }
    for caller in sample.clusters:
        text = sample.caller(caller).admin(
            "stats?filter=^server.memory_allocated$&format=prometheus"
        )
        said[f"proxy in {caller}"] = numbers(text)
    return said


def _metrics(istiod: PodWorkload) -> str:
    return istiod.fetch(ISTIOD_PORT, "metrics")


def numbers(text: str) -> dict[str, float]:
    """Prometheus' text, each name once: the sum over its labels."""
    found: dict[str, float] = {}
    for one in _SAMPLE.finditer(text):
        found[one["name"]] = found.get(one["name"], 0.0) + float(one["value"])
    return found


def _memory(label: str, said: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    figures = []
    for who, values in said.items():
        name = _RESIDENT if who.startswith("istiod") else "envoy_server_memory_allocated"
        if name not in values:
            raise EvidenceError(f"the {who} does not tell {name}")
        figures.append(Figure(f"{label}: memory, {who}", "MiB", (values[name] / 2**20,)))
    return figures


def _pushes(
    label: str, before: Mapping[str, Mapping[str, float]], now: Mapping[str, Mapping[str, float]]
) -> list[Figure]:
    """Of each istiod how many pushes the load took, and how long one took to arrive, on average."""
    figures = []
    for who in now:
        if not who.startswith("istiod"):
            continue
        count, total = (
            now[who].get(f"{_CONVERGED}_{part}", 0.0) - before[who].get(f"{_CONVERGED}_{part}", 0.0)
            for part in ("count", "sum")
        )
        if count <= 0:
            raise EvidenceError(f"the {who} tells of no push, though proxies know the load")
        figures.append(Figure(f"{label}: pushes, {who}", "n", (count,)))
        figures.append(Figure(f"{label}: a push, {who}", "ms", (1000 * total / count,)))
    return figures
