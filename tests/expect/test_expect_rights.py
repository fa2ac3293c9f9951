"""Verdicts on rights: what is too much or too little is named, and where."""

from __future__ import annotations

import pytest

from meshproof.expect import Outcome
from meshproof.expect.rights import allowed, forbidden, may_exactly
from meshproof.mesh.account import Reply, Request, Right, rights_of

READ = Right("get", "pods")
WRITE = Right("create", "deployments", "apps")
USER = "system:serviceaccount:istio-system:reader"
LIST = Request(Right("list", "pods"), "GET", "/api/v1/pods")
CREATE = Request(WRITE, "POST", "/apis/apps/v1/deployments")
NO = Reply(403, f'forbidden: User \\"{USER}\\" cannot create resource')


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        (READ, READ, True),
        (Right("*", "*", "*"), WRITE, True),
        (Right("*", "*", ""), WRITE, False),
        (Right("get", "*"), Right("get", "pods/log"), True),
        (READ, Right("get", "pods/log"), False),
        (Right("get", "*/log"), Right("get", "pods/log"), True),
        (Right("get", "*/log"), READ, False),
        (READ, Right("get", "pods", name="a"), True),
        (Right("get", "pods", name="a"), READ, False),
        (Right("get", "/api/*"), Right("get", "/api/v1"), True),
        (Right("get", "*", "*"), Right("get", "/metrics"), False),
        (Right("get", "/*"), Right("get", "/metrics"), True),
        (Right("get", "/*"), READ, False),
        (Right("get", "/healthz"), Right("get", "/healthz/etcd"), False),
    ],
)
def test_rights_cover_others_as_rbac_says(one: Right, other: Right, covers: bool) -> None:
    assert one.covers(other) is covers


def test_rules_become_one_right_for_each_verb_and_resource() -> None:
    rules = [
        {"apiGroups": ["", "apps"], "resources": ["a"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["b"], "verbs": ["get"], "resourceNames": ["c"]},
        {"nonResourceURLs": ["/healthz", "*"], "verbs": ["get"]},
    ]
    texts = {str(one) for one in rights_of(rules)}
    assert texts == {
        "get a", "list a", "get a.apps", "list a.apps", "get b called c", "get /healthz", "get /*"
    }  # fmt: skip


def test_a_right_more_or_less_is_named_with_its_namespace() -> None:
    assert may_exactly(USER, {"a": {READ}}, {READ}).outcome is Outcome.PASS
    wider = may_exactly(USER, {"a": {READ, WRITE}, "b": {READ}}, {READ})
    assert (wider.outcome, wider.observed) == (Outcome.FAIL, f"more in a: {WRITE}")
    narrower = may_exactly(USER, {"a": {READ}, "b": {READ}}, {READ, WRITE})
    assert narrower.observed == f"less in every namespace: {WRITE}"


def test_a_wildcard_shows_as_more_not_as_less() -> None:
    verdict = may_exactly(USER, {"a": {Right("*", "*", "*")}}, {READ})
    assert (verdict.outcome, verdict.observed) == (Outcome.FAIL, "more in every namespace: * *.*")


def test_rights_covered_by_wider_ones_are_no_difference() -> None:
    wide = Right("get", "*", "networking.istio.io")
    narrow = Right("get", "gateways", "networking.istio.io")
    assert may_exactly(USER, {"a": {wide, narrow}}, {wide}).outcome is Outcome.PASS


def test_nothing_to_compare_is_inconclusive() -> None:
    assert may_exactly(USER, {}, {READ}).outcome is Outcome.INCONCLUSIVE
    assert may_exactly(USER, {"a": {READ}}, set()).outcome is Outcome.INCONCLUSIVE
    assert allowed([]).outcome is Outcome.INCONCLUSIVE
    assert forbidden(USER, []).outcome is Outcome.INCONCLUSIVE


def test_what_is_needed_must_be_granted_and_found() -> None:
    assert allowed([(LIST, Reply(200, found=1))]).outcome is Outcome.PASS
    assert allowed([(LIST, Reply(200))]).outcome is Outcome.INCONCLUSIVE
    assert allowed([(LIST, Reply(403, "no"))]).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "reply", [Reply(201), Reply(404), Reply(403, "admission webhook denied the request")]
)
def test_only_the_authorizers_refusal_is_one(reply: Reply) -> None:
    verdict = forbidden(USER, [(CREATE, reply)])
    assert verdict.outcome is Outcome.FAIL
    assert str(WRITE) in verdict.observed
    assert forbidden(USER, [(CREATE, NO)]).outcome is Outcome.PASS
