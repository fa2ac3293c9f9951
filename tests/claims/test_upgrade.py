"""What is claimed of a mesh on its way to another Istio, and of the calls that went through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.errors import LabError
from meshproof.expect import Outcome, Verdict
from meshproof.expect.known import explained
from meshproof.files import read_known_issues, topology_named
from meshproof.kube.objects import Object
from meshproof.mesh.account import Reply, UnusableSecretError
from meshproof.mesh.builds import Build
from meshproof.model import REVISION, Deployment, Strategy, Upgrade, Version, revision_of
from meshproof.model.upgrade import begin
from meshproof.traffic.calls import Plan
from meshproof.traffic.wire import watch_from_each
from meshproof.transitions.upgrade import Passed, Transition
from suites.upgrade import claims, looking
from suites.upgrade.claims import (
    clusters_are_read,
    configuration_is_checked,
    costs_what_was_promised,
    every_version_answers,
    goes_through,
    is_encrypted,
    new_pods_are_injected,
    nothing_is_left,
    runs_what_is_due,
    ways_stay,
)
from suites.upgrade.looking import naming
from tests.claims.changes import answering, by_sidecars, cut_off, logged, seen_as, unlogged, unseen
from tests.claims.table import (
    NO_LINE,
    SPLIT,
    Case,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.doubles.streams import BEGIN, Change, broken, by, history, of, within

OLD, NEW = Version(1, 31, 0), Version(1, 31, 1)
TOPOLOGY = topology_named(SPLIT)
STATE = begin(TOPOLOGY, NEW)
SHARES = {name: {"v1": 0.25, "v2": 0.25} for name in TOPOLOGY.names}
GOOD = Build("a pod of east", "1.31.1", "revision x", "1.40.0", "pilot-agent", "sha256:aa")
BAD = replace(GOOD, who="a pod of west", version="1.31.0", image="sha256:bb")


def seen(times: int = 40) -> Setting:
    """Calls from every cluster, watched."""
    return Setting(lambda one: (watch_from_each(one.world.sample, Plan(times=times)),))


def saying(builds: Callable[[str], list[Build]]) -> Doing:
    """What programs say, by their cluster."""

    def done(stage: Stage) -> None:
        for name in ("istiod_builds", "gateway_builds", "proxy_builds"):
            stage.monkeypatch.setattr(claims, name, lambda _, cluster, *__: builds(cluster))

    return done


def reading(
    states: Mapping[str, Mapping[str, str]], reply: Reply | None = None, unusable: bool = False
) -> Doing:
    """What istiods say of the clusters that they read, and what comes of reading there."""

    def account(*_: object) -> Any:
        if unusable:
            raise UnusableSecretError("its token is not known")
        return SimpleNamespace(send=lambda _: reply or Reply(200, found=1))

    def done(stage: Stage) -> None:
        stage.monkeypatch.setattr(claims, "unread_by_each", lambda *_: states)
        stage.monkeypatch.setattr(claims, "remote_account", account)

    return done


def tried(makes: Callable[[str, Object], Object]) -> Doing:
    """What comes of a dry run, by its cluster."""

    def done(stage: Stage) -> None:
        images = SimpleNamespace(proxy="hub/proxyv2:new")
        stage.monkeypatch.setattr(claims, "images_of", lambda *_: images)
        stage.monkeypatch.setattr(claims, "would_be", lambda one, made: makes(one.name, made))

    return done


def injected(image: str | None, where: str = "west", native: bool = True) -> Doing:
    """What a new pod gets in a cluster; in others what is due."""

    def made(cluster: str, one: Object) -> Object:
        got = image if cluster == where else "hub/proxyv2:new"
        proxies = [{"name": "istio-proxy", "image": got}] if got else []
        containers = one["spec"]["containers"]
        if native:
            return {"spec": {"initContainers": proxies, "containers": containers}}
        return {"spec": {"containers": [*containers, *proxies]}}

    return tried(made)


def refusing(words: str, *, right: bool = False) -> Doing:
    """Somebody refuses what is mistaken, or what is right as well."""

    def made(_: str, one: Object) -> Object:
        mistaken = "*" in one["spec"]["hosts"][0]
        if words and (mistaken or right):
            raise LabError(words)
        return one

    return tried(made)


def refusing_pods(words: str) -> Doing:
    def made(_: str, __: Object) -> Object:
        raise LabError(words)

    return tried(made)


def way(
    *changes: Change,
    strategy: Strategy = Strategy.IN_PLACE,
    trouble: str = "",
    missing: str = "",
) -> Transition:
    """The first step of an upgrade, from the 10th second to the 14th of a minute, after which the
    mesh is at rest in the 16th, or lacks what is ``missing``; then, where there was no trouble, the
    second."""
    canary = strategy is Strategy.CANARY
    deployment = Deployment(
        TOPOLOGY,
        dict.fromkeys(TOPOLOGY.names, OLD),
        Version(1, 36, 3),
        variants=frozenset({REVISION} if canary else ()),
        revision=revision_of(OLD) if canary else "",
        upgrade=Upgrade(NEW, strategy),
    )
    course = deployment.course
    times = [(0.0, 0.0, 1.0, 10.0), (10.0, 14.0, 16.0, 35.0), (35.0, 40.0, 42.0, 60.0)]
    marks = [(str(course[number].step), *times[number][:2]) for number in (1, 2)]
    verdict = Verdict(Outcome.PASS, "this", "that")
    stages = []
    for number, seconds in enumerate(times):
        begun, done, rest, end = (BEGIN + one for one in seconds)
        stages.append(
            Passed(course[number], begun, done, rest, end, verdicts={"x": verdict}, missing=missing)
        )
    if trouble:
        stages = [stages[0], replace(stages[1], trouble=trouble)]
    found = history(*changes, seconds=60, marks=marks)
    return Transition(deployment, tuple(stages), found, SHARES)


def going(number: int, *changes: Change, **how: Any) -> Setting:
    return Setting(lambda _: (way(*changes, **how), number))


def left(there: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> Setting:
    return Setting(lambda _: ("1-31-0", there, now))


THERE = {"east": ["Deployment istio-system/istiod-1-31-0"], "west": ["Service x"]}
NOBODY: dict[str, list[str]] = {"east": [], "west": []}
CANARY = Strategy.CANARY
CASES = [
    *cases(goes_through, going(1), passes("control plane of east: 1.31.1: in 4.0 s")),
    *cases(goes_through, going(0), passes("as installed")),
    *cases(goes_through, going(1, missing="no v2"), passes("not at rest 2.0 s later: no v2")),
    *cases(goes_through, going(1, trouble="not ready"), fails("not ready")),
    *cases(goes_through, going(2, trouble="not ready"), unclear("did not come to its end: not")),
    *cases(
        runs_what_is_due,
        on(STATE),
        passes(doing=saying(lambda _: [GOOD])),
        fails("a pod of west says 1.31.0", saying(lambda one: [GOOD if one == "east" else BAD])),
        fails(
            "is of several images",
            saying(lambda one: [replace(GOOD, image=f"sha256:{one}")]),
        ),
        unclear("there are none", saying(lambda _: [])),
    ),
    *cases(
        runs_what_is_due,
        on(replace(STATE, installed={**STATE.installed, "east": (OLD, NEW)})),
        fails("none of the istiods of east is 1.31.0", saying(lambda _: [GOOD])),
    ),
    *cases(
        every_version_answers,
        seen(),
        passes(),
        fails("", answering("v1")),
        fails("", cut_off()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        ways_stay,
        seen(),
        passes(),
        fails("", logged(upstream_host="10.9.9.9:5000")),
        fails("0 segments", unseen()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        is_encrypted,
        seen(),
        passes(),
        fails("plain text on the wire", seen_as("plain")),
        fails(
            "in the caller's log spiffe://other",
            logged(upstream_peer="spiffe://other/ns/sample/sa/helloworld"),
        ),
        unclear("0 segments", unseen(lambda call: not by_sidecars(call))),
    ),
    *cases(
        clusters_are_read,
        on(),
        passes(doing=reading({"istiod-a": {}})),
        fails("west is syncing to istiod-a", reading({"istiod-a": {"west": "syncing"}})),
        fails("list services: 403", reading({"istiod-a": {}}, Reply(403, "may not"))),
        fails("its token is not known", reading({"istiod-a": {}}, unusable=True)),
        unclear("none runs in east", reading({})),
    ),
    *cases(
        new_pods_are_injected,
        on(STATE),
        passes(doing=injected("hub/proxyv2:new")),
        passes(doing=injected("hub/proxyv2:new", native=False)),
        fails("in west it gets hub/proxyv2:old", injected("hub/proxyv2:old")),
        fails("in west it gets none", injected(None)),
        fails("failed calling webhook", refusing_pods("failed calling webhook: no route")),
    ),
    *cases(
        configuration_is_checked,
        on(),
        passes(doing=refusing('admission webhook "validation.istio.io" denied the request')),
        fails("in east nobody refused it", refusing("")),
        fails("what is right was refused: no", refusing("no", right=True)),
        unclear("somebody else refused", refusing("spec.hosts: Invalid value")),
    ),
    *cases(costs_what_was_promised, going(1), passes("none of 2500 calls was lost")),
    *cases(costs_what_was_promised, going(0), passes("none of 1000 calls was lost")),
    *cases(
        costs_what_was_promised,
        going(1, within(11, 12, broken)),
        passes("100 of 2500 calls were lost"),
    ),
    *cases(
        costs_what_was_promised,
        going(1, within(20, 21, broken)),
        fails("100 of 1900 calls were lost"),
    ),
    *cases(
        costs_what_was_promised,
        going(1, within(11, 12, broken), strategy=CANARY),
        fails("100 of 2500 calls were lost"),
    ),
    *cases(
        costs_what_was_promised,
        going(2, within(11, 12, broken), strategy=CANARY),
        passes("none of 2500 calls was lost"),
    ),
    *cases(
        costs_what_was_promised,
        going(1, of("east", within(12, 30, by("v1")))),
        fails("v2 did not answer east for"),
    ),
    *cases(
        costs_what_was_promised,
        going(1, within(2, 3, broken)),
        unclear("calls were lost before anything was done"),
    ),
    *cases(costs_what_was_promised, going(1, trouble="not ready"), unclear("not ready")),
    *cases(nothing_is_left, left(THERE, NOBODY), passes("nothing of 2 objects")),
    *cases(
        nothing_is_left,
        left(THERE, {"east": [], "west": ["EndpointSlice istio-system/istiod-1-31-0"]}),
        fails("EndpointSlice istio-system/istiod-1-31-0 in west"),
    ),
    *cases(nothing_is_left, left(NOBODY, NOBODY), unclear("nothing named it in east, west")),
    *cases(nothing_is_left, left({}, NOBODY), unclear("nothing named it in any cluster")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_upgrade(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_a_verdict_of_a_stage_is_the_one_that_was_found_there() -> None:
    found = way()
    assert found.verdict(1, "x").outcome is Outcome.PASS
    assert found.verdict(1, "y").outcome is Outcome.INCONCLUSIVE
    assert "nothing of the kind is on the way of" in found.verdict(9, "x").observed
    stopped = way(trouble="not ready")
    assert stopped.verdict(2, "x").observed.endswith("did not come to its end: not ready")


@pytest.mark.parametrize("error", [LabError("it is lost"), KeyError("x")])
def test_an_upgrade_that_could_not_be_made_is_not_tried_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def fail(sample: object, _: object) -> Transition:
        tried.append(sample)
        raise error

    monkeypatch.setattr(looking, "pass_through", fail)
    sample: Any = SimpleNamespace(mesh=SimpleNamespace(deployment="a way"))
    upgrades = looking.Transitions()
    for _ in range(2):
        with pytest.raises(type(error)):
            upgrades.of(sample)
    assert len(tried) == 1


def test_a_revision_is_found_by_names_and_in_what_objects_say() -> None:
    contents = {
        "Service istio-system/other": {"metadata.labels.istio.io/rev": '"1-31-0"'},
        "ConfigMap istio-system/new": {"data.x": '"1-31-01"', "data.y": '"11-31-0"'},
        "Lease istio-system/istio-leader-1-31-0": {},
    }
    assert naming("1-31-0", contents, ["EndpointSlice istiod-1-31-0", "Pod x"]) == [
        "EndpointSlice istiod-1-31-0",
        "Lease istio-system/istio-leader-1-31-0",
        "Service istio-system/other",
    ]


def test_what_all_revisions_share_is_found_by_what_it_says_alone() -> None:
    labels = {
        "metadata.labels.istio.io/rev": '"1-31-0"',
        "metadata.labels.operator.istio.io/component": '"Base"',
    }
    contents = {
        "ServiceAccount istio-system/istio-reader-service-account": labels,
        "ConfigMap istio-system/says-it": {**labels, "data.x": '"istiod-1-31-0"'},
        "ConfigMap istio-system/named-1-31-0": labels,
        "Deployment istio-system/gateway": {
            **labels,
            "metadata.labels.operator.istio.io/component": '"IngressGateways"',
        },
    }
    assert naming("1-31-0", contents, []) == [
        "ConfigMap istio-system/named-1-31-0",
        "ConfigMap istio-system/says-it",
        "Deployment istio-system/gateway",
    ]


LEASE = "Lease.coordination.k8s.io istio-system/istio-gateway-status-leader-1-31-0"
SLICE = "EndpointSlice.discovery.k8s.io istio-system/istiod-1-31-0"


OLD_MAP = "ConfigMap istio-system/istio-1-31-0"


@pytest.mark.parametrize(
    ("now", "other"),
    [
        ({"east": [LEASE], "west": []}, ""),
        ({"east": [LEASE], "west": [LEASE]}, ""),
        ({"east": [], "west": [SLICE]}, ""),
        ({"east": [LEASE], "west": [SLICE, LEASE]}, ""),
        (
            {"east": [SLICE], "west": [SLICE, f"{SLICE}/x"]},
            f"{SLICE} in east; {SLICE} in west; {SLICE}/x in west",
        ),
        ({"east": [LEASE, OLD_MAP], "west": [OLD_MAP]}, f"{OLD_MAP} in east; {OLD_MAP} in west"),
        ({"east": [f"{LEASE}/x"], "west": []}, f"{LEASE}/x in east"),
    ],
)
def test_what_is_known_to_stay_hides_nothing_else(now: Mapping[str, list[str]], other: str) -> None:
    issues = [one for one in read_known_issues() if one.behaviour == "upgrade/nothing-is-left"]
    verdict, known = explained(nothing_is_left("1-31-0", THERE, now), issues)
    assert bool(known) is not bool(other)
    assert not other or verdict.observed == other
