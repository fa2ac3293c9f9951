"""What is claimed of names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from itertools import count

import pytest

from meshproof.expect import Outcome, Verdict
from meshproof.expect.known import explained
from meshproof.files import read_known_issues
from meshproof.kube.asking import Question, Reply
from meshproof.kube.names import NameAnswer
from meshproof.kube.workload import Workload
from meshproof.model import Setting, applying
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from suites.names.claims import (
    resolves_by_the_dns_proxy,
    resolves_once_the_service_exists,
    resolves_only_where_it_exists,
)
from suites.names.services import NOWHERE
from suites.names.tcp import shared_address
from suites.names.tcp_claims import tcp_services_stay_apart
from tests.claims.changes import after, answering, changed, failing, unlogged
from tests.claims.substitutes import world
from tests.claims.table import (
    OVERLAPPING,
    SPLIT,
    Case,
    Doing,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.claims.told import NXDOMAIN
from tests.doubles.played import PlayedPod

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


def of_one_address(stage: Stage) -> None:
    """The TCP Services of both clusters have the same address."""
    found = NameAnswer("NOERROR", (IPv4Address("10.110.0.77"),))
    named(lambda _, name, right: found if name.startswith("tcp-") else right)(stage)


def of_their_own(stage: Stage) -> None:
    """Each has its own."""
    found = {"east": IPv4Address("10.110.0.8"), "west": IPv4Address("10.120.0.9")}

    def other(_: Workload, name: str, right: NameAnswer) -> NameAnswer:
        home = name.partition(".")[0].removeprefix("tcp-")
        return NameAnswer("NOERROR", (found[home],)) if home in found else right

    named(other)(stage)


def greeted(*by_turns: str, others: str = "v1") -> Doing:
    """Whoever connects by TCP hears these, one after the other; at the address that east's Service
    has for itself alone ``others``."""

    def done(stage: Stage) -> None:
        turns = count()

        def heard(_: PlayedPod, asked: Question) -> Reply | None:
            if asked.kind != "tcp":
                return None
            alone = asked.address.startswith("10.110.0.8:")
            said = [others] if alone else by_turns
            return Reply(payload=said[next(turns) % len(said)].encode())

        stage.world.replies = heard

    return done


V1, V2 = "hello v1 helloworld-v1-6b5", "hello v2 helloworld-v2-9dc"
NOT_KNOWN = named(
    lambda _, name, right: NameAnswer("NXDOMAIN") if name.startswith("tcp-west") else right
)
UNANSWERED = named(lambda _, name, right: SILENCE if name.startswith("tcp-west") else right)
OWN_SINCE = "30 of 30 connections from east to tcp-west.sample.svc.cluster.local at 10.110.0.77"

CASES = [
    *cases(
        tcp_services_stay_apart,
        on("east", "v2", before=after(with_dns_sleep, of_their_own, greeted(V2, others=V1))),
        passes(),
        fails("15 x v1", greeted(V2, V1, others=V1)),
        fails("30 x nobody", greeted("", others=V1)),
        fails("30 x 'welcome'", greeted("welcome", others=V1)),
        fails("tcp-east.sample.svc.cluster.local at 10.110.0.8", greeted(V2, others=V2)),
        fails("NXDOMAIN", NOT_KNOWN),
        unclear("SILENCE", UNANSWERED),
    ),
    *cases(
        tcp_services_stay_apart,
        on("east", "v2", topology=OVERLAPPING, before=after(with_dns_sleep, of_one_address)),
        fails(
            f"{OWN_SINCE} were answered otherwise: 30 x v1, whose "
            "tcp-east.sample.svc.cluster.local has the same address",
            greeted(V1),
        ),
    ),
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


def verdict_on(
    monkeypatch: pytest.MonkeyPatch, topology: str, *doings: Doing
) -> tuple[Verdict, Setting]:
    """What is said of TCP Services, and where."""
    made, tls = world(monkeypatch, topology)
    stage = Stage(made, tls, monkeypatch)
    after(with_dns_sleep, *doings)(stage)
    setting = Setting(made.deployment, "east", "west")
    return tcp_services_stay_apart(made.sample, "east", "v2"), setting


def known(verdict: Verdict, setting: Setting) -> list[str]:
    issues = applying(read_known_issues(), "names/dns-proxy-keeps-tcp-services-apart", setting)
    return [one.name for one in explained(verdict, issues)[1]]


def test_one_service_that_answers_for_both_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    found = verdict_on(monkeypatch, OVERLAPPING, of_one_address, greeted(V1))
    assert known(*found) == ["istio/istio#32819"]
    found = verdict_on(monkeypatch, OVERLAPPING, of_one_address, greeted(V2))
    assert known(*found) == ["istio/istio#32819"]


@pytest.mark.parametrize("said", [(V1, ""), (V1, V2), ("",), ("hello v3",)])
def test_anything_else_is_not(monkeypatch: pytest.MonkeyPatch, said: tuple[str, ...]) -> None:
    verdict, setting = verdict_on(monkeypatch, OVERLAPPING, of_one_address, greeted(*said))
    assert verdict.outcome is Outcome.FAIL
    assert known(verdict, setting) == []


def test_with_addresses_of_their_own_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert known(*verdict_on(monkeypatch, SPLIT, of_their_own, greeted(V1, others=V1))) == []


def test_services_share_an_address_where_ranges_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert shared_address(world(monkeypatch, SPLIT)[0].sample) is None
    assert str(shared_address(world(monkeypatch, OVERLAPPING)[0].sample)) == "10.110.0.77"


def test_a_trust_domain_that_is_mistaken_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are those of docs/topologies.md: ``SAN_matcher`` in the caller's log."""
    issues = [one for one in read_known_issues() if one.name == "istio/istio#59474"]
    why = "TLS_error:|268435581:SSL_routines:CERTIFICATE_VERIFY_FAILED:_SAN_matcher"

    def told(attempts: int) -> Verdict:
        made, tls = world(monkeypatch, SPLIT)
        stage = Stage(made, tls, monkeypatch)
        fail, pod = made.failed, made.servers("v2")[0]
        refused = changed(
            lambda call, _: fail(
                call, 503, "UF,URX", "upstream_reset", pod, upstream_failure=why
            ).logged(attempts=attempts)
        )
        after(with_dns_sleep, refused)(stage)
        return resolves_by_the_dns_proxy(made.sample, "east", "v2")

    for attempts in (1, 3):
        verdict = told(attempts)
        assert "SAN_matcher" in verdict.observed
        assert [one.name for one in explained(verdict, issues)[1]] == ["istio/istio#59474"], verdict
