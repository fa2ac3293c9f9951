"""What is claimed of a remote secret's account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from meshproof.kube import RunningCluster
from meshproof.mesh import account
from meshproof.mesh.account import Reply, Request, Right, UnusableSecretError
from suites.privilege.claims import (
    can_do_what_is_needed,
    has_exactly_the_rights_listed,
    is_refused_the_rest,
)
from suites.privilege.expectation import expectation_for
from tests.claims.substitutes import everywhere
from tests.claims.table import REMOTE, Case, Doing, Stage, cases, fails, judge, on, passes, unclear

Rights = frozenset[Right]


@dataclass
class PlayedAccount:
    """An account that may do what it may; ``replies``: in place of what an API server says."""

    holder: str
    cluster: RunningCluster
    user: str
    may: Rights
    replies: Callable[[Request, Reply], Reply]

    def rights(self, namespace: str) -> Rights:
        return self.may

    def send(self, request: Request) -> Reply:
        if any(right.covers(request.right) for right in self.may):
            return self.replies(request, Reply(200, found=1))
        said = f'{{"message":"x is forbidden: User \\"{self.user}\\" cannot do it"}}'
        return self.replies(request, Reply(403, said))


def account_with(
    *,
    user: str = "",
    rights: Callable[[Rights], Rights] = lambda rights: rights,
    replies: Callable[[Request, Reply], Reply] = lambda _, reply: reply,
    namespaces: tuple[str, ...] = ("default", "sample"),
) -> Doing:
    """The account that is expected, but for something."""

    def done(stage: Stage) -> None:
        topology = stage.world.deployment.topology

        def held(holder: RunningCluster, cluster: RunningCluster) -> Any:
            due = expectation_for(topology[cluster.name])
            who = user or due.user
            return PlayedAccount(holder.name, cluster, who, rights(due.rights), replies)

        everywhere(stage.monkeypatch, account.remote_account, held)
        items = [SimpleNamespace(metadata=SimpleNamespace(name=name)) for name in namespaces]
        for cluster in stage.world.clusters.values():
            listed = SimpleNamespace(items=items)
            cluster.__dict__["core"] = SimpleNamespace(list_namespace=lambda found=listed: found)

    return done


def no_account(why: str) -> Doing:
    """A remote secret that opens nothing."""

    def done(stage: Stage) -> None:
        def held(holder: RunningCluster, cluster: RunningCluster) -> Any:
            raise UnusableSecretError(why)

        everywhere(stage.monkeypatch, account.remote_account, held)

    return done


REVOKED = "does not know its token: 401 Unauthorized"
MORE = Right("delete", "pods")


def nothing_found(request: Request, reply: Reply) -> Reply:
    return Reply(reply.status, reply.said, 0)


def refused(request: Request, reply: Reply) -> Reply:
    return Reply(403, "forbidden")


def by_a_webhook(request: Request, reply: Reply) -> Reply:
    denied = Reply(403, "admission webhook denied the request")
    return denied if request.right == MORE else reply


SAMPLE = on(topology=REMOTE)
CASES = [
    *cases(
        has_exactly_the_rights_listed,
        SAMPLE,
        passes(doing=account_with()),
        fails(
            "more in every namespace: delete pods", account_with(rights=lambda all_: all_ | {MORE})
        ),
        fails("less in every namespace", account_with(rights=lambda all_: frozenset())),
        fails("system:serviceaccount:x:y", account_with(user="system:serviceaccount:x:y")),
        fails(REVOKED, no_account(f"the API server {REVOKED}")),
        unclear("no namespaces", account_with(namespaces=())),
    ),
    *cases(
        can_do_what_is_needed,
        SAMPLE,
        passes(doing=account_with()),
        fails("such as list services: 403 forbidden", account_with(replies=refused)),
        fails(REVOKED, no_account(f"the API server {REVOKED}")),
        unclear("an empty list from list services", account_with(replies=nothing_found)),
    ),
    *cases(
        is_refused_the_rest,
        SAMPLE,
        passes(doing=account_with()),
        fails("delete pods: 200", account_with(rights=lambda all_: all_ | {MORE})),
        fails("delete pods: 403 admission webhook", account_with(replies=by_a_webhook)),
        fails(REVOKED, no_account(f"the API server {REVOKED}")),
        unclear("list services: 403 forbidden", account_with(replies=refused)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_privilege(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
