"""What is claimed of Istio's metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from suites.telemetry.claims import counted_by_cluster
from tests.claims.changes import failing
from tests.claims.table import FLAT, Case, Doing, Stage, cases, fails, judge, on, passes, unclear
from tests.claims.world import Came
from tests.doubles.calls import Call
from tests.doubles.played import PlayedPod

Clusters = tuple[str, str]
Renamed = Callable[[str, Clusters], Clusters | None]

# A line as Istio's proxies print it (istio.io, "Visualizing Metrics"), with fewer labels.
LINE = (
    'istio_requests_total{{response_code="200",reporter="{reporter}",source_workload="sleep",'
    'source_cluster="{source}",destination_cluster="{there}",request_protocol="http",'
    'destination_service="helloworld.sample.svc.cluster.local",'
    'destination_service_name="helloworld"}} {count}'
)
OTHERS = "# TYPE istio_requests_total counter\n" + LINE.format(
    reporter="source", source="east", there="west", count=7
).replace('destination_service_name="helloworld"', 'destination_service_name="another"')


def metered(renamed: Renamed = lambda _, clusters: clusters) -> Doing:
    """Proxies count each call; ``renamed``: as what a reporter counts it, None for not at all."""

    def done(stage: Stage) -> None:
        counted: dict[tuple[str, str], Counter[Clusters]] = {}

        def note(pod: str, reporter: str, clusters: Clusters) -> None:
            if (told := renamed(reporter, clusters)) is not None:
                counted.setdefault((pod, reporter), Counter())[told] += 1

        def count(call: Call, came: Came) -> Came:
            if came.server is not None:
                clusters = call.caller.cluster, came.server.cluster
                note(call.caller.name, "source", clusters)
                note(came.server.name, "destination", clusters)
            return came

        def page(pod: PlayedPod) -> str:
            lines = [
                LINE.format(reporter=reporter, source=source, there=there, count=number)
                for (name, reporter), counts in counted.items()
                if name == pod.name
                for (source, there), number in counts.items()
            ]
            return "\n".join([OTHERS, *lines, ""])

        stage.world.changes.append(count)
        stage.world.pages["stats/prometheus"] = page

    return done


def unknown_to_callers(reporter: str, clusters: Clusters) -> Clusters:
    return (clusters[0], "unknown") if reporter == "source" else clusters


def as_the_gateways(reporter: str, clusters: Clusters) -> Clusters:
    return clusters if reporter == "source" else ("west", clusters[1])


def uncounted(*_: object) -> None:
    return None


def by_servers_alone(reporter: str, clusters: Clusters) -> Clusters | None:
    return clusters if reporter == "destination" else None


EAST = on("east")
CASES = [
    *cases(
        counted_by_cluster,
        EAST,
        passes(doing=metered()),
        fails("from 'east' to 'unknown'", metered(unknown_to_callers)),
        fails("from 'west' to", metered(as_the_gateways)),
        fails("no call at all", metered(uncounted)),
        fails("no call at all", metered(by_servers_alone)),
    ),
    *cases(counted_by_cluster, on("west", topology=FLAT), passes(doing=metered())),
    *cases(
        counted_by_cluster,
        on("east", before=metered()),
        unclear("the control did not hold", failing(503, "UF", "upstream_reset")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_telemetry(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
