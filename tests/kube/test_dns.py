"""The clusters' DNS: ready is not enough, and what cannot be waited for is said with its cause."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.kube import RunningCluster, dns
from meshproof.kube.names import NameAnswer
from meshproof.process import Shell

FOUND = NameAnswer("NOERROR", (IPv4Address("10.110.0.1"),))
NONE, SILENCE, FAILED = (NameAnswer(code) for code in ("NXDOMAIN", "SILENCE", "SERVFAIL"))


def pod(ready: str = "True", renewed: bool = True, ending: bool = False) -> SimpleNamespace:
    """A pod of CoreDNS as the API lists it."""
    annotations = {"meshproof.io/dns": "without-upstream"} if renewed else None
    deleted = "2026-11-21T15:58:21Z" if ending else None
    conditions = [SimpleNamespace(type="Ready", status=ready)]
    return SimpleNamespace(
        metadata=SimpleNamespace(annotations=annotations, deletion_timestamp=deleted),
        status=SimpleNamespace(conditions=conditions),
    )


def cluster(*pods: SimpleNamespace, trouble: str = "no pod is in trouble") -> RunningCluster:
    """One whose DNS has these pods."""
    service = SimpleNamespace(spec=SimpleNamespace(cluster_ip="10.110.0.10"))
    core = SimpleNamespace(
        list_namespaced_pod=lambda *_, **__: SimpleNamespace(items=list(pods)),
        read_namespaced_service=lambda *_: service,
    )
    stub = SimpleNamespace(name="east", core=core, trouble=lambda: trouble)
    return cast(RunningCluster, stub)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[NameAnswer, NameAnswer], None]:
    """What the DNS says of a name that exists, and of one that does not."""

    def say(known: NameAnswer, unknown: NameAnswer) -> None:
        def ask(_: object, name: str, server: IPv4Address) -> NameAnswer:
            assert server == IPv4Address("10.110.0.10")
            return known if name.startswith("kubernetes.default") else unknown

        monkeypatch.setattr(dns, "ask_name", ask)
        monkeypatch.setattr(dns, "node_probe", lambda cluster: f"inside {cluster.name}")

    return say


def awaited(one: RunningCluster) -> None:
    dns.await_dns(one, Shell(), Recorder(), within=0)


def test_a_dns_that_knows_what_there_is_and_nothing_else_is_there(told: Any) -> None:
    told(FOUND, NONE)
    awaited(cluster(pod()))


@pytest.mark.parametrize(
    ("known", "unknown", "said"),
    [
        (SILENCE, NONE, "kubernetes.default.svc.cluster.local: SILENCE"),
        (NONE, NONE, "kubernetes.default.svc.cluster.local: NXDOMAIN"),
        (FOUND, FAILED, "nowhere.example: SERVFAIL"),
        (FOUND, FOUND, "nowhere.example: NOERROR 10.110.0.1"),
        (FOUND, SILENCE, "nowhere.example: SILENCE"),
    ],
)
def test_a_dns_that_says_something_else_is_waited_for(
    known: NameAnswer, unknown: NameAnswer, said: str, told: Any
) -> None:
    told(known, unknown)
    with pytest.raises(LabError, match="the DNS of east") as raised:
        awaited(cluster(pod()))
    assert said in str(raised.value)


@pytest.mark.parametrize("one", [pod("False"), pod(renewed=False)], ids=["not ready", "of before"])
def test_only_a_ready_pod_of_the_new_configuration_counts(one: SimpleNamespace, told: Any) -> None:
    told(FOUND, NONE)
    with pytest.raises(LabError, match="CoreDNS is not ready; no pod is in trouble"):
        awaited(cluster(one))
    awaited(cluster(one, pod()))


def test_what_can_never_come_up_is_not_waited_for(told: Any) -> None:
    told(FOUND, NONE)
    trouble = "pod kube-system/coredns: ErrImageNeverPull"
    with pytest.raises(LabError, match=r"cannot come about any more.*ErrImageNeverPull"):
        dns.await_dns(cluster(trouble=trouble), Shell(), Recorder(), within=60)


def test_the_pod_of_the_dns_is_one_that_stays() -> None:
    stays = pod()
    assert dns.dns_pod(cluster(pod(ending=True), stays)) is stays
