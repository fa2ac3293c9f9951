"""What is claimed of a portal."""

from __future__ import annotations

import json

import pytest

from meshproof.host.content import Content, Overlay
from meshproof.host.portal import Portal
from meshproof.host.portal_objects import PORTAL, user_name
from meshproof.host.usual import CATALOGUE, SHOP, config_map
from meshproof.kube import RunningCluster
from meshproof.kube.audit import ApiRequest
from meshproof.kube.forward import Answer, Request
from suites.hosts import portals
from suites.hosts.portals import (
    ADDING,
    PARTIAL,
    READER,
    drops_identity,
    reaches,
    reaches_all,
    refuses,
    written_down,
)
from tests.claims.hosted import MEMBERS, PlayedHost
from tests.claims.table import Case, Doing, Setting, Stage, cases, fails, judge, passes, unclear

REFUSED = 'configmaps is forbidden: User "portal" cannot create'
SINCE = 1000.0


class PlayedPortal(Portal):
    """Answers by member, of the member's own catalogue to begin with; and which members the host
    lists."""

    def __init__(self) -> None:
        super().__init__(PlayedHost(), SHOP)
        self.answers = {name: answer(200, {"data": catalogue(self, name)}) for name in MEMBERS}
        self.listed = list(MEMBERS)

    def ask(self, user: str, member: str, request: Request) -> Answer:
        return answer(403, {"message": REFUSED}) if request == ADDING else self.answers[member]

    def ask_envoy(self, member: str, request: Request) -> Answer:
        return self.answers[member]

    def members(self, user: str) -> list[str]:
        return self.listed


_HELD: list[PlayedPortal] = []
"""The portal of the case that is judged."""


def catalogue(portal: Portal, member: str) -> dict[str, str]:
    """What the shop's source says of the catalogue in a member."""
    due = portal.host.contents[SHOP].due(member)
    return next(dict(one["data"]) for one in due if one["metadata"]["name"] == CATALOGUE)


def answer(status: int, body: object) -> Answer:
    return Answer(status, "", {}, json.dumps(body).encode())


def about(*arguments: object) -> Setting:
    """A claim of a portal in memory."""

    def begin(_: Stage) -> None:
        _HELD[:] = [PlayedPortal()]

    return Setting(lambda _: (_HELD[0], *arguments), "host-member", before=begin)


def answers(member: str, given: Answer) -> Doing:
    return lambda _: _HELD[0].answers.update({member: given})


def lists(*names: str) -> Doing:
    def doing(_: Stage) -> None:
        _HELD[0].listed = list(names)

    return doing


def of_the_other(_: Stage) -> None:
    _HELD[0].answers["east"] = _HELD[0].answers["west"]


def all_alike(_: Stage) -> None:
    base = [config_map(CATALOGUE, SHOP, {"place": "anywhere"})]
    _HELD[0].host.contents[SHOP] = Content(base, dict.fromkeys(MEMBERS, Overlay()))


def wrote(host: str = "", *east: str) -> Doing:
    """Whom the host, "" for nobody, and the member wrote down."""
    asked = [written(host, "services/proxy", PORTAL, "east")] if host else []
    arrived = [written(one, "configmaps", SHOP, CATALOGUE) for one in east]

    def requests(cluster: RunningCluster, since: float, words: object) -> list[ApiRequest]:
        assert since == SINCE
        return arrived if cluster.name == "east" else asked

    return lambda stage: stage.monkeypatch.setattr(portals, "requests_since", requests)


def written(user: str, resource: str, space: str, name: str) -> ApiRequest:
    return ApiRequest(SINCE, user, ("10.0.0.1",), "get", resource, space, name, "", 200)


FORBIDDEN = answer(403, {"message": "forbidden"})
FLUX = "system:serviceaccount:managed:shop"
CASES: list[Case] = [
    *cases(
        reaches,
        about(READER, "east"),
        passes(),
        fails("in east: 403 forbidden", answers("east", FORBIDDEN)),
        fails("in place of east's", of_the_other),
        unclear("another member has the same", all_alike),
    ),
    *cases(
        reaches_all,
        about(READER),
        passes(),
        fails("it lists west", lists("west")),
        fails("in place of east's", of_the_other),
        unclear("another member has the same", all_alike),
    ),
    *cases(
        drops_identity,
        about("east"),
        passes(),
        fails("in east: 403 forbidden", answers("east", FORBIDDEN)),
        unclear("another member has the same", all_alike),
    ),
    *cases(refuses, about(READER, "east", ADDING, '"portal"'), passes("cannot create")),
    *cases(refuses, about(READER, "east", ADDING, "reader"), fails("cannot create")),
    *cases(
        refuses,
        about(PARTIAL, "east", portals.THE_CATALOGUE, "services/proxy"),
        fails("in east: 200"),
        unclear("503", answers("east", Answer(503, "", {}, b"no endpoints"))),
    ),
    *cases(
        written_down,
        about(READER, "east", SINCE),
        passes("", wrote(user_name(READER), PORTAL)),
        passes("", wrote(user_name(READER), PORTAL, FLUX)),
        fails("east: nobody", wrote(user_name(READER))),
        fails("portal:partial", wrote(user_name(PARTIAL), PORTAL)),
        fails("portal:reader", wrote(user_name(READER), PORTAL, user_name(READER))),
        unclear("nothing is written down", wrote()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_portal(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
