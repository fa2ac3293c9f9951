"""What is claimed of gateways that are announced by host names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.kube.dns import load_balancer_name
from meshproof.kube.names import NameAnswer
from meshproof.mesh.proxy import Endpoint
from suites.gateways.hostnames import names_are_resolved
from tests.claims.table import Case, Doing, Stage, cases, fails, judge, on, passes, unclear
from tests.claims.test_weight import ill, known

NAMES = "hostname-gateways"
WEST = "172-30-2-200.lb.example"


def announced(**west: str) -> Doing:
    """What the status of each gateway's Service says; ``west``: in west, in place of the name."""

    def done(stage: Stage) -> None:
        for name, cluster in stage.world.clusters.items():
            host = load_balancer_name(stage.world.way(name).address)
            said = west if west and name == "west" else {"hostname": host}
            ingress = SimpleNamespace(**{"ip": None, "hostname": None, **said})
            listed = [] if said.get("ip") == "" else [ingress]
            status = SimpleNamespace(load_balancer=SimpleNamespace(ingress=listed))
            core = SimpleNamespace(
                read_namespaced_service_status=lambda *_, found=status: SimpleNamespace(
                    status=found
                )
            )
            cluster.__dict__["core"] = core

    return done


def resolved(stage: Stage) -> None:
    """As it should be: a name for each gateway, and DNS that knows it."""
    announced()(stage)
    ways = (stage.world.way(name) for name in stage.world.clusters)
    names: Mapping[str, Any] = {load_balancer_name(way.address): way.address for way in ways}
    stage.world.names = lambda _, name: NameAnswer("NOERROR", (names[name],))


def unknown(answer: NameAnswer) -> Doing:
    """What DNS says of each name."""

    def done(stage: Stage) -> None:
        stage.world.names = lambda *_: answer

    return done


def by_pods(stage: Stage) -> None:
    """Where istiod knows no gateway of a network, it tells the pods' own addresses."""
    pods = {"east": stage.world.servers("v2")[0], "west": stage.world.servers("v1")[0]}

    def instead(pod: Any, *of: str) -> list[Endpoint]:
        own, far = stage.world.endpoints(pod, *of), pods[pod.cluster]
        return [
            replace(one, address=str(far.address), port=5000) if one.port != 5000 else one
            for one in own
        ]

    stage.world.known = instead
    stage.world.debug["networkz"] = lambda _: None


CASES = cases(
    names_are_resolved,
    on(topology=NAMES, before=resolved),
    passes(),
    fails("the istiod in east has resolved nothing", by_pods),
    fails("in east it goes by 10.20.0.5:5000", by_pods),
    fails("in east it goes by nothing", known(ill)),
    fails("in west it goes by nothing", known(lambda all_: [o for o in all_ if o.port != 15443])),
    unclear("in west is announced as 172.30.2.200", announced(ip="172.30.2.200")),
    unclear("in west is announced as nothing", announced(ip="")),
    unclear(f"the DNS of east says of {WEST}: NXDOMAIN", unknown(NameAnswer("NXDOMAIN"))),
    unclear("the DNS of east says of", unknown(NameAnswer("SILENCE"))),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_host_names(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
