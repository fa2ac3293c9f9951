"""What is claimed of the ranges whose traffic a sidecar takes."""

from __future__ import annotations

import pytest

from meshproof.model import Mtls
from meshproof.workloads.sample import SLEEP
from suites.redirection.claims import (
    local_service_past_the_proxy,
    remote_pod_past_the_proxy,
    remote_pod_through_the_proxy,
)
from tests.claims.changes import after, answering, cut_off, logged, unlogged, unseen
from tests.claims.table import FLAT, Case, cases, fails, judge, on, passes, unclear
from tests.doubles.calls import Call

CONTROL = "the control did not go through the proxy"


def to_a_pod(call: Call) -> bool:
    return call.address is not None


def to_the_service(call: Call) -> bool:
    return call.address is None


PAST_TO_A_POD = on("east", SLEEP, topology=FLAT, mtls=Mtls.DISABLED, before=unlogged(to_a_pod))
PAST_TO_THE_SERVICE = on(
    "east",
    SLEEP,
    topology=FLAT,
    mtls=Mtls.DISABLED,
    before=after(unlogged(to_the_service), answering("v1", when=to_the_service)),
)
CASES = [
    *cases(
        remote_pod_through_the_proxy,
        on("east", SLEEP, topology=FLAT, mtls=Mtls.DISABLED),
        passes(),
        fails("5 bypassed the proxy, such as", unlogged(to_a_pod)),
        fails("upstream_host is 172.30.2.200:15443", logged(upstream_host="172.30.2.200:15443")),
        fails("0 segments", unseen()),
        unclear(CONTROL, unlogged()),
    ),
    *cases(
        remote_pod_past_the_proxy,
        PAST_TO_A_POD,
        passes(),
        fails("0 segments", unseen()),
        fails("1 did not: 1 x connection reset", cut_off()),
        unclear(CONTROL, unlogged()),
    ),
    *cases(
        remote_pod_past_the_proxy,
        on("east", SLEEP, topology=FLAT, mtls=Mtls.DISABLED),
        fails("5 went through the proxy, such as"),
    ),
    *cases(
        local_service_past_the_proxy,
        PAST_TO_THE_SERVICE,
        passes(),
        fails("answered otherwise: 5 x v2 from west", answering("v2", when=to_the_service)),
        unclear(CONTROL, unlogged()),
    ),
    *cases(
        local_service_past_the_proxy,
        on("east", SLEEP, topology=FLAT, mtls=Mtls.DISABLED),
        fails("5 went through the proxy, such as"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_redirection(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
