"""What a run was made with: told from its record, as far as that says so."""

from __future__ import annotations

import json

from meshproof.events import Event
from meshproof.report import setting
from tests.cli.records import artifacts, begin, deployment


def event(line: str) -> Event:
    data = json.loads(line)
    return Event(data.pop("at"), data.pop("kind"), data)


BEGIN = "meshproof 0.1.0 on 2 cores, 8.0 GiB, Linux 6.1.0, Debian 12"
MADE_OF = (
    "podman 4.3.1; Kubernetes 1.36.3; Istio 1.31.1 with plain Envoy 1.40.0; "
    "artifacts: built (0123456789ab)"
)


def test_versions_machine_engine_artifacts_and_proxies() -> None:
    worker = event(artifacts(worker="gw1"))
    assert setting([event(begin("t")), event(artifacts()), worker]) == [BEGIN, MADE_OF]


def test_a_record_that_was_cut_off_says_less() -> None:
    assert setting([]) == []
    assert setting([event(artifacts())]) == []
    assert setting([event(begin("t"))]) == [BEGIN]


def test_each_kubernetes_is_named_once_and_nothing_is_written_to_the_terminal() -> None:
    machine = {"cores": 2, "memory": 2**33, "kernel": "6.1.0", "distribution": ""}
    runs_on = [deployment(), deployment("other"), deployment("old", kubernetes="1.35.0\x1b[2J")]
    first, second = setting(
        [event(begin("t", machine=machine, deployments=runs_on)), event(artifacts())]
    )
    assert first == "meshproof 0.1.0 on 2 cores, 8.0 GiB, Linux 6.1.0"
    assert "Kubernetes 1.36.3, 1.35.0" in second and "\x1b" not in second
