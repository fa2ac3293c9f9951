"""What is claimed of a Service that has another port in each cluster."""

from __future__ import annotations

import pytest

from meshproof.mesh.proxy import outbound
from meshproof.mesh.routes import host_of
from meshproof.workloads.sample import NAMESPACE
from suites.ports.own import SERVICE, own_port_is_served
from tests.claims.changes import failing, retried
from tests.claims.table import FLAT, Case, Doing, Stage, cases, fails, judge, on, passes, unclear


def known(*ports: int) -> Doing:
    """The proxy in west knows these ports of the Service."""

    def done(stage: Stage) -> None:
        names = [outbound(host_of(SERVICE, NAMESPACE), port) for port in ports]
        stage.world.dumps["sleep-west"] = [{"cluster": {"name": name}} for name in names]

    return done


CASES = cases(
    own_port_is_served,
    on("west", 5001, topology=FLAT, before=known(5001)),
    passes(),
    passes(doing=known(5000, 5001)),
    fails("in west 5001, which own-port has there, is not known, but 5000", known(5000)),
    fails("1 did not: 1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
    fails("a hidden retry", retried()),
    unclear("own-port is not known in west", known()),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_own_ports(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
