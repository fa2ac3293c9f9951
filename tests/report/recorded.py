"""Records of runs for views to be tried on, written by the run's own Recorder: of every outcome,
with calls, gateways, shares, evidence, and with words of somebody who means ill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from meshproof.artifacts import default_wanted
from meshproof.events import Data, Recorder, read
from meshproof.files import request_data, topology_named
from meshproof.model import Deployment, Mtls, RunRequest
from meshproof.report.record import Run
from meshproof.run.described import described_topology
from meshproof.schema import SCHEMA
from meshproof.traffic.stream_timeline import timeline
from tests.doubles.streams import broken, history, within

HOSTILE = (
    "</script><script>window.hurt=1</script>\"'><img src=x onerror=window.hurt=2>"
    "{{ 7*191 }}\x1b[31m\u202e\x00\ud800"
)
TOPOLOGIES = ("primary-remote-flat", "multi-primary-split-horizon", "two-primaries-four-clusters")
BEHAVIOURS = {
    "distribution/every-version-answers": "Calls from every cluster are answered by every version.",
    "routing/header-decides": "A header decides which version answers.",
    "routing/weights-decide": "Weights decide which part of the calls a version answers.",
    "paths/remote-through-gateway": "Across networks a version is reached by its gateway.",
    "mtls/no-plain-text": "Nothing crosses the wire as plain text.",
    "resilience/retries-elsewhere": "A call that fails is made again elsewhere.",
}
GATEWAYS = {"172.30.1.200:15443": "east", "172.30.2.200:15443": "west"}
LINK = "https://github.com/istio/istio/issues/32819"
WORST = {1: "FAIL", 2: "INCONCLUSIVE", 3: "KNOWN", 4: "skipped"}


def deployed(name: str, mtls: Mtls = Mtls.STRICT) -> Deployment:
    """A deployment of a topology, with the newest versions."""
    wanted, topology = default_wanted(), topology_named(name)
    istio = dict.fromkeys(topology.names, wanted.istio[0])
    return Deployment(topology, istio, wanted.kubernetes, mtls)


def as_recorded(one: Deployment) -> Data:
    """A deployment as a test's event tells it."""
    return {
        "id": str(one),
        "topology": one.topology.name,
        "istio": {cluster: str(version) for cluster, version in one.istio.items()},
        "kubernetes": str(one.kubernetes),
        "mtls": one.mtls.value,
        "variants": [],
        "revision": "",
    }


@dataclass
class Writing:
    """A run that is being recorded. ``now``: the time, which goes on as it is told to."""

    folder: Path
    recorder: Recorder
    now: float = 1_790_000_000.0
    numbers: Iterator[int] = field(default_factory=count)

    def test(
        self, deployment: Deployment, behaviour: str, outcome: str, caller: str = "east"
    ) -> None:
        """A test from its calls to its end."""
        name = self.name(deployment, behaviour, caller)
        worker = f"gw{next(self.numbers) % 2}"
        words = {} if outcome == "skipped" else {"outcome": outcome}
        with self.recorder.marked(test=name, worker=worker):
            self.now += 1.5
            self.recorder.emit("calls", **batch(caller, outcome))
            self.recorder.emit("wire", **WIRE)
            if behaviour.endswith("weights-decide"):
                self.recorder.emit("stream", **STREAM)
            if words:
                self.recorder.emit("verdict", **verdict(behaviour, outcome, caller))
        why = "" if outcome == "PASS" else f"{outcome}: expected this; observed {HOSTILE}"
        issues = [{"link": LINK, "seen": "A retry goes to the same host.", "shows": True}]
        self.recorder.emit(
            "test",
            test=name,
            behaviour=behaviour,
            sentence=BEHAVIOURS.get(behaviour, f"It is as {behaviour} says."),
            suite=behaviour.partition("/")[0],
            level="core",
            feature="routing",
            deployment=as_recorded(deployment),
            caller=caller,
            pair=None,
            outcome=outcome,
            why=why,
            cause="cluster west is lost" if outcome == "INCONCLUSIVE" else "",
            seconds=1.5,
            evidence=[self.evidence(name)] if outcome == "FAIL" else [],
            proves=[],
            known_issues=issues if outcome == "KNOWN" else [],
            worker=worker,
        )

    @staticmethod
    def name(deployment: Deployment, behaviour: str, caller: str) -> str:
        """A test's id."""
        function = behaviour.replace("/", "/test_x.py::test_").replace("-", "_")
        return f"suites/{function}[{deployment}-{caller}]"

    def evidence(self, name: str) -> str:
        """Write evidence of a failure; returns the first page."""
        folder = self.folder / "evidence" / re.sub(r"[^\w.+-]+", "-", name.partition("::")[2])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "00-index.md").write_text(f"# Evidence\n\n{HOSTILE}", errors="replace")
        (folder / "20-east-log.txt").write_text("a line of a log\n" * 2000 + "the last line\n")
        (folder / "30-empty.txt").touch()
        return str((folder / "00-index.md").relative_to(self.folder))


WIRE: Data = {
    "packets": [{"place": "east_to_west", "kind": "gateway", "packets": 96}],
    "flows": [
        {
            "place": "east_to_west",
            "kind": "tls",
            "source": "10.10.0.7",
            "target": "172.30.2.200:15443",
            "packets": 24,
        }
    ],
}

STREAM: Data = timeline(history(within(7, 9, broken), marks=[(HOSTILE, 5.0, 6.0)]))
"""A stream of calls, some of which were lost."""


def batch(caller: str, outcome: str) -> Data:
    """Calls, half of which go through a gateway."""
    far = {"upstream": "172.30.2.200:15443", "cluster": "west", "version": "v2", "answer": "200"}
    near = {"upstream": "10.10.0.9:5000", "cluster": "east", "version": "v1", "answer": "200"}
    lost = {"upstream": "", "cluster": "", "version": "", "answer": "no answer in time"}
    routes = [{**near, "calls": 12}, {**(lost if outcome == "FAIL" else far), "calls": 12}]
    line = {
        "request_id": "7c1f",
        "status": 200,
        "attempts": 1,
        "upstream_host": far["upstream"],
        "details": "via_upstream",
        "sni": HOSTILE,
    }
    return {
        "caller": "sample/sleep-5d9c7-x2x4z",
        "cluster": caller,
        "sidecar": True,
        "url": "http://helloworld.sample:5000/hello",
        "headers": {},
        "calls": 24,
        "answers": {"200": 24},
        "versions": {"v1": 12, "v2": 12},
        "upstreams": {far["upstream"]: 12, near["upstream"]: 12},
        "routes": routes,
        "lines": [line],
        "seconds": 0.8,
    }


def verdict(behaviour: str, outcome: str, caller: str) -> Data:
    """A verdict; of weights with a share."""
    share = {"caller": caller, "version": "v2", "count": 180, "calls": 900, "low": 0.1}
    share |= {"high": 0.3, "expected": 0.2, "interval": [0.146, 0.263]}
    return {
        "outcome": outcome,
        "expected": "24 calls to be answered by v1 from east and v2 from west, all of them",
        "observed": "12 x v1 from east, 12 x v2 from west" if outcome == "PASS" else HOSTILE,
        "evidence": {"call 7c1f": "200 by v2 (helloworld-v2-1 of west) through 172.30.2.200:15443"},
        "shares": [share] if behaviour.endswith("weights-decide") else [],
    }


def begun(writing: Writing, deployments: list[Deployment], tests: list[str], **other: Any) -> None:
    """The beginning of a run's record."""
    proof = {
        "sabotages": ["sabotage/a-missing-route-is-noticed"],
        "mutants": [{"id": "eds-drops-remote", "what": "istiod leaves out <remote> endpoints."}],
    }
    data = {
        "schema": SCHEMA,
        "meshproof": "0.1.0",
        "request": request_data(RunRequest(topology=TOPOLOGIES)),
        "machine": {"cores": 2, "memory": 2**33, "kernel": "6.1.0", "distribution": "Debian 12"},
        "deployments": list(map(as_recorded, deployments)),
        "topologies": {str(one): described_topology(one) for one in deployments},
        "proofs": {name: proof for name in BEHAVIOURS if name != "mtls/no-plain-text"}
        | {"mtls/no-plain-text": {"sabotages": [], "mutants": []}},
        "tests": tests,
    }
    writing.recorder.emit("run-begin", **{**data, **other})
    writing.recorder.emit(
        "artifacts",
        engine={"name": "podman", "version": "4.3.1"},
        source="built",
        digest="0123456789abcdef" * 4,
        parts={"kind": "abcd", "etcd": "ef01"},
        proxies={"1.31.1": "plain Envoy 1.38.0"},
        filters_off=["istio.alpn", "istio.metadata_exchange", "istio.stats"],
    )


@contextmanager
def writing(folder: Path) -> Iterator[Writing]:
    """A run that is recorded into a folder, at a time that only goes on when it is told to."""
    folder.mkdir(parents=True)
    made = Writing(folder, Recorder(folder / "events.jsonl"))
    clock = SimpleNamespace(time=lambda: made.now, monotonic=lambda: made.now)
    with patch("meshproof.events.time", clock):
        yield made


def small_run(folder: Path, *, killed: bool = False) -> Run:
    """A run of every outcome on three topologies and a variant, which failed or was killed."""
    deployments = [*map(deployed, TOPOLOGIES), deployed(TOPOLOGIES[0], Mtls.DISABLED)]
    with writing(folder) as made:
        planned = [made.name(on, name, "east") for on in deployments for name in BEHAVIOURS]
        begun(made, deployments, [*planned, "suites/never/test_run.py::test_it[flat-east]"])
        made.recorder.emit(
            "not-applicable",
            test="suites/names/test_names.py::test_it",
            behaviour="names/remote-name-resolves",
            sentence="A name of another network resolves.",
            deployment=str(deployments[0]),
            reason=f"it has one network {HOSTILE}",
            told=True,
        )
        at = 0
        for one in deployments:
            with made.recorder.step(f"install istiod for {one.topology.name}", worker="gw0"):
                made.now += 20
            made.recorder.emit(
                "settled", deployment=str(one), seconds=2.0, missing="", gateways=GATEWAYS
            )
            for name in BEHAVIOURS:
                at += 1
                made.test(one, name, WORST.get(at % 9, "PASS"))
        if not killed:
            made.recorder.emit("run-end", exit_code=1)
    return Run(folder, read(folder / "events.jsonl"))


def large_run(folder: Path, tests: int = 1000) -> Run:
    """A run of so many tests, a few of which failed."""
    names = [f"suite-{number // 10}/behaviour-{number}" for number in range(tests // 10)]
    on = [
        *map(deployed, TOPOLOGIES),
        deployed("multi-primary-flat"),
        deployed("zones"),
    ]
    with writing(folder) as made:
        pairs = [(one, name, who) for one in on for name in names for who in ("east", "west")]
        begun(made, on, [made.name(*one) for one in pairs])
        for one in on:
            made.recorder.emit(
                "settled", deployment=str(one), seconds=2.0, missing="", gateways=GATEWAYS
            )
        for number, (one, name, who) in enumerate(pairs):
            made.test(one, name, WORST.get(number % 97, "PASS"), who)
        made.recorder.emit("run-end", exit_code=1)
    return Run(folder, read(folder / "events.jsonl"))
