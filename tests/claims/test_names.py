"""What is claimed of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from meshproof.kube.names import NameAnswer
from meshproof.kube.workload import Workload
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from suites.names.claims import (
    resolves_by_the_dns_proxy,
    resolves_once_the_service_exists,
    resolves_only_where_it_exists,
)
from suites.names.services import NOWHERE
from tests.claims.changes import answering, failing, unlogged
from tests.claims.table import SPLIT, Case, Doing, Stage, cases, fails, judge, on, passes, unclear
from tests.claims.world import NXDOMAIN

FOUND = NameAnswer("NOERROR", (IPv4Address("240.240.0.7"),))
SILENCE = NameAnswer("SILENCE")


def named(change: Callable[[Workload, str, NameAnswer], NameAnswer]) -> Doing:
    """A pod is told something else of a name, in place of the right answer."""

    def done(stage: Stage) -> None:
        before = stage.world.names
        stage.world.names = lambda who, name: change(who, name, before(who, name))

    return done


def told_in_east(answer: NameAnswer) -> Doing:
    """The server of east says this of the other cluster's own names."""

    def other(who: Workload, name: str, right: NameAnswer) -> NameAnswer:
        theirs = "-v2." in name or "only-west" in name
        return answer if theirs and who.cluster == "east" and _by_dns(who) else right

    return named(other)


def told_by_the_proxy(answer: NameAnswer, name: str = "") -> Doing:
    """The DNS proxy says this of the other cluster's Service, or of a name that nobody has."""

    def other(who: Workload, asked: str, right: NameAnswer) -> NameAnswer:
        return answer if not _by_dns(who) and (name or "-v2.") in asked else right

    return named(other)


def _by_dns(who: Workload) -> bool:
    """Whether it is the cluster's own DNS that answers."""
    return not who.name.startswith(DNS_SLEEP)


def told_everywhere(answer: NameAnswer) -> Doing:
    return named(lambda *_: answer)


def with_dns_sleep(stage: Stage) -> None:
    """A sleep in east whose sidecar answers names."""
    sleep = stage.world.pod("sleep", "east")
    pod = replace(sleep, name=f"{DNS_SLEEP}-east", address=sleep.address + 50)
    stage.world.pods.append(pod)


CASES = [
    *cases(
        resolves_only_where_it_exists,
        on("east", "v2", topology=SPLIT),
        passes(),
        fails("exists in east", told_in_east(FOUND)),
        fails("NXDOMAIN", told_everywhere(NXDOMAIN)),
        unclear("SILENCE", told_in_east(SILENCE)),
        unclear("SILENCE", told_everywhere(SILENCE)),
    ),
    *cases(
        resolves_once_the_service_exists,
        on("east", "v2", topology=SPLIT, before=told_in_east(FOUND)),
        passes(),
        fails("NXDOMAIN", told_in_east(NXDOMAIN)),
        fails("answered otherwise: 20 x v1 from east", answering("v1")),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear("SILENCE", told_in_east(SILENCE)),
        unclear("have no line in the caller's access log", unlogged()),
    ),
    *cases(
        resolves_by_the_dns_proxy,
        on("east", "v2", topology=SPLIT, before=with_dns_sleep),
        passes(),
        fails(f"NXDOMAIN for {DNS_SLEEP} of east", told_by_the_proxy(NXDOMAIN)),
        fails(f"{NOWHERE} exists in {DNS_SLEEP} of east", told_by_the_proxy(FOUND, name=NOWHERE)),
        fails("answered otherwise: 20 x v1 from east", answering("v1")),
        unclear("the proxy was not needed", told_in_east(FOUND)),
        unclear("SILENCE without", told_in_east(SILENCE)),
        unclear("SILENCE for", told_by_the_proxy(SILENCE)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_names(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
