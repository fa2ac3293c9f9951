"""Who asked what: read from lines that an API server of a lab wrote."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import EvidenceError
from meshproof.kube.audit import parse, requests_since
from meshproof.kube.cluster import RunningCluster
from meshproof.process import Finished

# Recorded, but for what no reader looks at.
TOKEN = (
    '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata",'
    '"auditID":"3a31cdef-d09a-4669-b6a2-8a19fa74d8a9","stage":"ResponseComplete",'
    '"requestURI":"/api/v1/namespaces/kube-system/serviceaccounts/coredns/token",'
    '"verb":"create","user":{"username":"system:node:mp-b8c72c80-west-worker2",'
    '"groups":["system:nodes","system:authenticated"]},"sourceIPs":["172.29.0.3"],'
    '"userAgent":"kubelet/v1.36.3 (linux/amd64) kubernetes/$Format",'
    '"objectRef":{"resource":"serviceaccounts","namespace":"kube-system","name":"coredns",'
    '"apiVersion":"v1","subresource":"token"},"responseStatus":{"metadata":{},"code":201},'
    '"requestReceivedTimestamp":"2026-11-28T19:53:30.115529Z",'
    '"stageTimestamp":"2026-11-28T19:53:30.163647Z"}'
)
WATCH = (
    '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata",'
    '"auditID":"40d73836-db3b-44ce-954b-921321320432","stage":"%s",'
    '"requestURI":"/api/v1/secrets?allowWatchBookmarks=true\\u0026watch=true","verb":"watch",'
    '"user":{"username":"system:kube-controller-manager","groups":["system:authenticated"]},'
    '"sourceIPs":["172.29.0.2","10.20.0.7"],"objectRef":{"resource":"secrets","apiVersion":"v1"},'
    '"responseStatus":{"metadata":{},"code":200},'
    '"requestReceivedTimestamp":"2026-11-28T20:00:01.321815Z",'
    '"stageTimestamp":"2026-11-28T20:00:01.323064Z"}'
)
DENIED = (
    '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"1",'
    '"stage":"ResponseComplete","requestURI":"/metrics","verb":"get",'
    '"user":{"username":"system:anonymous"},"sourceIPs":["172.29.1.4"],'
    '"responseStatus":{"metadata":{},"status":"Failure","code":403},'
    '"requestReceivedTimestamp":"2026-11-28T19:53:31.000000Z"}'
)


def line(text: str, stream: str = "stdout", whole: str = "F") -> str:
    return f"2026-11-28T19:53:30.166131011Z {stream} {whole} {text}"


LOG = [
    line("I1128 19:52:58.154 1 audit.go:1] something else", "stderr"),
    line(TOKEN),
    line(WATCH % "ResponseStarted"),
    line(WATCH % "ResponseComplete"),
    line(DENIED[:120], whole="P"),
    line("klog in between", "stderr"),
    line(DENIED[120:]),
]


def cluster(log: str, returncode: int = 0) -> tuple[RunningCluster, list[tuple[str, ...]]]:
    asked: list[tuple[str, ...]] = []

    def on_node(node: object, *argv: str, **_: Any) -> Finished:
        asked.append(argv)
        return Finished(argv, returncode, log, "find: no such file", 0.0)

    made = SimpleNamespace(name="west", control_plane=object(), on_node=on_node)
    return cast(RunningCluster, made), asked


def test_lines_are_read_and_each_request_is_told_once() -> None:
    assert [str(one) for one in parse(LOG)] == [
        "system:node:mp-b8c72c80-west-worker2 from 172.29.0.3: "
        "create serviceaccounts/token kube-system/coredns (201)",
        "system:kube-controller-manager from 172.29.0.2, 10.20.0.7: watch secrets (200)",
        "system:anonymous from 172.29.1.4: get /metrics (403)",
    ]


def test_what_is_no_event_is_passed_over() -> None:
    lines = [
        "",
        "x",
        line(""),
        line("{"),
        line("[]"),
        line("null"),
        line('{"kind":"Event"}'),
        line('{"kind":"Policy","auditID":"2","stage":"ResponseComplete"}'),
        line(TOKEN.replace("ResponseComplete", "RequestReceived")),
    ]
    assert list(parse(lines)) == []


def test_what_came_in_before_the_moment_is_not_told() -> None:
    first, *_, last = sorted(parse(LOG), key=lambda one: one.at)
    west, asked = cluster("\n".join(LOG))
    assert [one.at for one in requests_since(west, first.at)] == sorted(p.at for p in parse(LOG))
    assert requests_since(west, first.at + 0.001)[0].path == "/metrics"
    assert requests_since(west, last.at + 0.001) == []
    assert float(asked[0][-1]) < first.at  # a log's date may lag behind


def test_an_event_that_lacks_most_is_still_told() -> None:
    event = {
        "kind": "Event",
        "auditID": "3",
        "stage": "Panic",
        "requestReceivedTimestamp": "2026-11-28T19:53:31Z",
    }
    (one,) = parse([line(json.dumps(event))])
    assert (one.user, one.sources, one.code) == ("", (), 0)


def test_a_server_that_writes_nothing_down_is_no_absence() -> None:
    west, _ = cluster("", returncode=1)
    with pytest.raises(EvidenceError, match=r"API server of west: .* cannot be read"):
        requests_since(west, 0.0)
