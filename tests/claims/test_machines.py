"""What is claimed of machines outside Kubernetes: calls, membership, rules."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.kube.asking import Reply
from meshproof.kube.names import NameAnswer
from meshproof.mesh import istiod
from suites.machines import membership
from suites.machines.claims import (
    a_version_answers,
    every_version_answers,
    peers_know_each_other,
)
from suites.machines.membership import NOBODY
from suites.machines.membership_claims import (
    NOT_AUTHENTICATED,
    entry_goes,
    names_are_answered,
    nobody_is_led_there,
    refused_for_its_group,
    refused_for_its_token,
    registered,
)
from suites.machines.rules import POLICY
from suites.machines.rules_claims import denied_to_sleep, shared_by_weight
from tests.claims.changes import (
    answering,
    changed,
    failing,
    forbidden,
    logged,
    seen_as,
    unheard,
    unlogged,
    unseen,
)
from tests.claims.substitutes import everywhere
from tests.claims.table import (
    NO_LINE,
    Case,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)
from tests.claims.world import Came
from tests.doubles.calls import Call

TOPOLOGY = "vm-expansion"
ELSEWHERE = "10.99.0.9:5000"
ENTRY: dict[str, Any] = {
    "metadata": {"annotations": {"istio.io/connectedAt": "now"}},
    "spec": {
        "address": "172.30.9.2",
        "network": "net-east",
        "locality": "r1/r1-a",
        "serviceAccount": "shop",
        "labels": {"app": "helloworld", "version": "v3"},
    },
}


def by(machine: str, *more: object) -> Setting:
    """A claim of calls that a machine makes."""
    return Setting(
        lambda one: (one.world.sample, one.world.sample.machines[machine], *more), TOPOLOGY
    )


def by_pod(cluster: str, *more: object) -> Setting:
    """A claim of calls that a pod makes."""
    return Setting(
        lambda one: (one.world.sample, one.world.sample.caller(cluster), *more), TOPOLOGY
    )


def about(*arguments: object) -> Setting:
    """A claim about a machine by its name."""
    return Setting(lambda one: (one.world.sample, *arguments), TOPOLOGY, before=entries(ENTRY))


def entries(*found: dict[str, Any] | None) -> Doing:
    """The machine's WorkloadEntry is one after the other of these, the last for good."""

    def done(stage: Stage) -> None:
        left = list(found)
        answer = lambda *_: left.pop(0) if len(left) > 1 else left[0]  # noqa: E731
        everywhere(stage.monkeypatch, membership.entry_of, answer)
        stage.monkeypatch.setattr("suites.machines.membership_claims.entry_of", answer)

    return done


def changed_entry(**spec: object) -> Doing:
    return entries({**ENTRY, "spec": {**ENTRY["spec"], **spec}})


def said_on(machine: str, line: str) -> Doing:
    """A machine's agent says something."""
    return lambda stage: stage.world.say(stage.world.sample.machines[machine], line)


def said_by_istiod(line: str) -> Doing:
    """What the istiods have logged."""

    def done(stage: Stage) -> None:
        pod = SimpleNamespace(log=lambda *_, **__: line)
        everywhere(stage.monkeypatch, istiod.istiod_of, lambda *_: pod)

    return done


def named(answer: NameAnswer, nowhere: NameAnswer | None = None) -> Doing:
    """The DNS proxy's answers, and the Service's address."""

    def done(stage: Stage) -> None:
        service = SimpleNamespace(spec=SimpleNamespace(cluster_ip="10.110.0.7"))
        core = SimpleNamespace(read_namespaced_service=lambda *_: service)
        for cluster in stage.world.clusters.values():
            vars(cluster)["core"] = core
        none = nowhere or NameAnswer("SERVFAIL")
        stage.world.names = lambda _, name: none if name.startswith("nowhere") else answer

    return done


def also_plain(_: Call, came: Came) -> Came:
    """The first segment of each call passes in plain text as well."""
    return replace(came, crossed=(*came.crossed, *((at, "http", on) for at, _, on in came.crossed)))


def other_account(_: Call, came: Came) -> Came:
    body = came.reply.body.replace("sa/till", "sa/other").replace("sa/shop", "sa/other")
    return replace(came, reply=replace(came.reply, body=body))


def unanswered(_: Call, came: Came) -> Came:
    return replace(came, reply=Reply(status=503, body="no"), server=None)


def denied(*but: str) -> Doing:
    """The machine's proxy denies all calls, but those of some callers."""

    def done(stage: Stage) -> None:
        answering("v3")(stage)
        refuse = forbidden(POLICY)
        before = len(stage.world.changes)
        refuse(stage)
        (change,) = stage.world.changes[before:]
        stage.world.changes[before:] = [
            lambda call, came: came if call.caller.name in but else change(call, came)
        ]

    return done


KNOWN = NameAnswer("NOERROR", (IPv4Address("10.110.0.7"),))
OTHERS = ("till", "depot")
CASES = [
    *cases(
        every_version_answers,
        by("shop"),
        passes(),
        fails(f"upstream_host is {ELSEWHERE}", logged(upstream_host=ELSEWHERE)),
        fails("v4 never answered", answering("v1", "v2", "v3")),
        fails("0 segments", unseen()),
        fails("http: ", changed(also_plain)),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(every_version_answers, by("depot"), passes(), fails("0 segments", unseen())),
    *cases(every_version_answers, by("till"), passes()),
    *cases(
        a_version_answers,
        by_pod("east", "v3"),
        passes(),
        fails(f"upstream_host is {ELSEWHERE}", logged(upstream_host=ELSEWHERE)),
        fails("0 segments", seen_as("http")),
        unclear("no calls", answering("v1")),
    ),
    *cases(a_version_answers, by_pod("west", "v3"), passes()),
    *cases(a_version_answers, by_pod("west", "v4"), passes()),
    *cases(
        peers_know_each_other,
        by("till"),
        passes(),
        fails("sa/other", changed(other_account)),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        peers_know_each_other, by_pod("east"), passes(), fails("sa/other", changed(other_account))
    ),
    *cases(
        registered,
        about("shop"),
        passes(),
        fails("there is none of shop", entries(None)),
        fails("network is net-west", changed_entry(network="net-west")),
        fails("locality is nothing", changed_entry(locality="")),
        fails("label version is v1", changed_entry(labels={"version": "v1"})),
        fails("not said to be connected", entries({**ENTRY, "metadata": {}})),
    ),
    *cases(
        entry_goes,
        about("shop"),
        passes("gone", entries(ENTRY, None)),
        fails("of shop is still there"),
        unclear("none to begin with", entries(None)),
    ),
    *cases(
        nobody_is_led_there,
        about("shop"),
        passes("", answering("v1", "v2", "v4")),
        fails("by v3"),
        fails("1 x 503", failing(503, "UH", "no_healthy_upstream")),
        unclear(
            "nobody knows who served them",
            changed(lambda _, came: replace(came, reply=replace(came.reply, body="Hello"))),
        ),
    ),
    *cases(
        refused_for_its_token,
        about("shop"),
        passes(
            NOT_AUTHENTICATED,
            lambda one: (
                entries(None)(one),
                said_on("shop", f"rpc error: code = {NOT_AUTHENTICATED}")(one),
            ),
        ),
        fails("shop was let in"),
        unclear("neither let in nor refused", entries(None)),
    ),
    *cases(
        refused_for_its_group,
        about("shop"),
        passes(
            "WorkloadGroup",
            lambda one: (
                entries(None)(one),
                said_by_istiod(f"error cannot find WorkloadGroup sample/{NOBODY}")(one),
            ),
        ),
        fails("shop was let in", said_by_istiod("")),
        unclear(
            "neither let in nor refused",
            lambda one: (entries(None)(one), said_by_istiod("")(one)),
        ),
    ),
    *cases(
        names_are_answered,
        about("shop"),
        passes("10.110.0.7", named(KNOWN)),
        fails("UNREACHABLE on shop", named(NameAnswer("UNREACHABLE"))),
        fails("is NOERROR 10.110.0.7", named(KNOWN, KNOWN)),
    ),
    *cases(
        shared_by_weight,
        about("shop", 0.5, "v1"),
        passes("", answering("v1", "v3")),
        fails("v2", answering("v1", "v2", "v3")),
        fails("v3 never answered", answering("v1")),
        unclear(NO_LINE, lambda one: (answering("v1", "v3")(one), unlogged()(one))),
    ),
    *cases(
        denied_to_sleep,
        about("shop"),
        passes("", denied(*OTHERS)),
        fails("200", answering("v3")),
        unclear("not in its log", lambda one: (denied(*OTHERS)(one), unheard()(one))),
        unclear("12 did not: 12 x 403", denied()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_machines(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
