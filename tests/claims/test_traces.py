"""What is claimed of traces through the gateway."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from meshproof.kube.asking import Question, Reply
from meshproof.workloads.trace_sink import Span, TraceSinks
from suites.traces.claims import the_gateway_is_in_no_trace
from tests.claims.table import SPLIT, Case, Setting, Stage, cases, fails, judge, passes, unclear
from tests.doubles.played import PlayedPod


class PlayedSinks(TraceSinks):
    """What proxies reported of the calls that were made. ``nodes``: by which ids."""

    def __init__(self, stage: Stage, nodes: Callable[[Stage], Sequence[str]]) -> None:
        super().__init__(())
        made: list[int] = []
        self.__dict__["made"] = made

        def play(pod: PlayedPod, asked: Question) -> Reply | None:
            if "x-request-id" in asked.headers:
                return None
            made.append(len(made))
            return Reply(status=200)

        stage.world.replies = play
        self.__dict__["nodes"] = nodes(stage)

    def spans(self) -> list[Span]:
        made, nodes = self.__dict__["made"], self.__dict__["nodes"]
        return [Span(str(number), node, {}) for number in range(len(made)) for node in nodes]


def sidecars(stage: Stage) -> list[str]:
    pods = [stage.world.pod("sleep", "east"), stage.world.servers("v2")[0]]
    return [f"sidecar~{one.address}~{one.name}.sample~sample.svc.cluster.local" for one in pods]


def another_pod_of_the_version(stage: Stage) -> list[str]:
    calling, serving = sidecars(stage)
    first, other = stage.world.servers("v2")
    return [calling, serving.replace(first.name, other.name)]


def and_the_gateway(stage: Stage) -> list[str]:
    gateway = stage.world.gateway("west")
    return [*sidecars(stage), f"router~{gateway.address}~{gateway.name}.istio-system~x"]


def the_caller_alone(stage: Stage) -> list[str]:
    return sidecars(stage)[:1]


def reported_by(nodes: Callable[[Stage], Sequence[str]], topology: str = SPLIT) -> Setting:
    """Calls from east to v2, of which these proxies report."""
    return Setting(
        lambda stage: (stage.world.sample, "east", "v2", PlayedSinks(stage, nodes)), topology
    )


CASES = [
    *cases(the_gateway_is_in_no_trace, reported_by(sidecars), passes()),
    *cases(the_gateway_is_in_no_trace, reported_by(another_pod_of_the_version, "zones"), passes()),
    *cases(the_gateway_is_in_no_trace, reported_by(and_the_gateway), fails("such as router~")),
    *cases(the_gateway_is_in_no_trace, reported_by(the_caller_alone), unclear("0 such traces")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_traces(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
