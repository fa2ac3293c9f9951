"""What is claimed of a portal: whom it leads where, who may ask, as whom it arrives, and who is
said to have asked."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.host.host import Host
from meshproof.host.portal import Portal, portal
from meshproof.host.portal_config import IDENTITY_HEADERS
from meshproof.host.portal_objects import PORTAL, user_name
from meshproof.host.tenants import DOORS
from meshproof.host.usual import CATALOGUE, SHOP, config_map
from meshproof.kube.audit import ApiRequest, requests_since
from meshproof.kube.forward import Answer, Request
from meshproof.traffic.settle import converge

READER, PARTIAL = "reader", "partial"
"""Users of the host: who may ask all members, and who may ask the last alone."""
_MAPS = f"api/v1/namespaces/{SHOP}/configmaps"
THE_CATALOGUE = Request("GET", f"{_MAPS}/{CATALOGUE}")
ADDED = config_map("by-portal", SHOP, {"from": "the portal"})
ADDING = Request("POST", _MAPS, json.dumps(ADDED).encode(), {"Content-Type": "application/json"})
"""What the portal's account may not do in members."""
SOMEBODY = "system:serviceaccount:kube-system:default"
FORGED = Request("GET", f"{_MAPS}/{CATALOGUE}", headers={"Impersonate-User": SOMEBODY})
_WRITTEN_WITHIN = 20.0
"""Seconds, ours: a request is written down when it has been answered, and then read from a log."""


@contextmanager
def usual_portal(
    host: Host, image: str, removed: Sequence[str] = IDENTITY_HEADERS
) -> Iterator[Portal]:
    """A portal with the two users. ``image``: of Envoy; ``removed``: headers that it removes."""
    everyone = list(host.members)
    users = {READER: everyone, PARTIAL: everyone[-1:]}
    with portal(host, image, SHOP, users, removed) as made:
        yield made


def reaches(portal: Portal, user: str, member: str) -> Verdict:
    """Who asks a member by its name for what differs between members is given that member's.
    INCONCLUSIVE: all have the same."""
    return _is_of(portal, member, user, partial(portal.ask, user, member, THE_CATALOGUE))


def reaches_all(portal: Portal, user: str) -> Verdict:
    """One question to all members that the host lists is answered by each member of the host's,
    with its own. INCONCLUSIVE as ``reaches``."""
    host = portal.host
    answers = portal.ask_all(user, THE_CATALOGUE)
    expected = f"{', '.join(host.members)} to be listed by the host, and no other"
    if set(answers) != set(host.members):
        observed = f"it lists {', '.join(answers) or 'none'}"
        return Verdict(Outcome.FAIL, expected, observed)
    return all_of(
        _is_of(portal, name, user, partial(answers.__getitem__, name)) for name in answers
    )


def refuses(portal: Portal, user: str, member: str, request: Request, *words: str) -> Verdict:
    """Whoever asks so is refused as forbidden, with a reason that holds each of these words.
    INCONCLUSIVE: nothing answered that could refuse."""
    answer = portal.ask(user, member, request)
    expected = f"{request.method} /{request.path} of {user} in {member} to be forbidden"
    expected = f"{expected}, with {' and '.join(map(repr, words))}"
    said = _said(answer)
    if answer.status >= http.client.INTERNAL_SERVER_ERROR:
        return Verdict(Outcome.INCONCLUSIVE, expected, said)
    missing = [word for word in words if word not in said]
    if answer.status != http.client.FORBIDDEN or missing:
        return Verdict(Outcome.FAIL, expected, f"in {member}: {said}")
    return Verdict(Outcome.PASS, expected, said)


def drops_identity(portal: Portal, member: str) -> Verdict:
    """Who gets as far as Envoy with a header by which he would be somebody else is answered as the
    portal: with the header, the member would forbid it. INCONCLUSIVE as ``reaches``."""
    ask = partial(portal.ask_envoy, member, FORGED)
    return _is_of(portal, member, "who says to be another", ask)


def written_down(portal: Portal, user: str, member: str, since: float) -> Verdict:
    """Of what a user asked a member through the portal since a moment, the host wrote down the
    user, and the member the portal alone. INCONCLUSIVE: neither wrote down anything of it."""
    host, name = portal.host, user_name(user)
    found: list[tuple[list[ApiRequest], list[ApiRequest]]] = []

    def look() -> bool:
        found[:] = [(_at_host(host, member, since), _in_member(host, member, since))]
        return all(found[0])

    converge(look, what="what API servers write down", within=_WRITTEN_WITHIN)
    (asked, arrived) = found[0]
    expected = f"{host.cluster.name} to have written down {name}, and {member} {PORTAL} alone"
    evidence = {
        host.cluster.name: "; ".join(map(str, asked)),
        member: "; ".join(map(str, arrived)),
    }
    if not asked and not arrived:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing is written down", evidence)
    users, there = {one.user for one in asked}, {one.user for one in arrived}
    if name not in users or there != {PORTAL}:
        observed = f"{host.cluster.name}: {_names(users)}; {member}: {_names(there)}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, "so it is", evidence)


def _at_host(host: Host, member: str, since: float) -> list[ApiRequest]:
    """What the host wrote down of requests to a member through the portal."""
    found = requests_since(host.cluster, since, ['"proxy"'])
    wanted = ("services/proxy", PORTAL, member)
    return [one for one in found if (one.resource, one.namespace, one.name) == wanted]


def _in_member(host: Host, member: str, since: float) -> list[ApiRequest]:
    """What a member wrote down of who read the catalogue, but for the host's reconciler."""
    found = requests_since(host.members[member], since, [f'"{CATALOGUE}"'])
    wanted = ("get", "configmaps", SHOP, CATALOGUE)
    doors = f"system:serviceaccount:{DOORS}:"
    return [
        one
        for one in found
        if (one.verb, one.resource, one.namespace, one.name) == wanted
        and not one.user.startswith(doors)
    ]


def _is_of(portal: Portal, member: str, who: str, ask: Callable[[], Answer]) -> Verdict:
    """An answer is the member's own catalogue, as the source has it."""
    due = {name: _due(portal.host, name) for name in portal.host.members}
    expected = f"{who} to be given {CATALOGUE} of {member}: {due[member]}"
    if any(due[member] == data for name, data in due.items() if name != member):
        return Verdict(Outcome.INCONCLUSIVE, expected, "another member has the same")
    answer = ask()
    if answer.status != http.client.OK:
        return Verdict(Outcome.FAIL, expected, f"in {member}: {_said(answer)}")
    data = json.loads(answer.body).get("data")
    if data != due[member]:
        return Verdict(Outcome.FAIL, expected, f"in place of {member}'s: {data}")
    return Verdict(Outcome.PASS, expected, "so it is")


def _due(host: Host, member: str) -> dict[str, str]:
    """What the shop's source says of the catalogue in a member."""
    wanted = ("ConfigMap", CATALOGUE)
    found = host.contents[SHOP].due(member)
    (one,) = [each for each in found if (each["kind"], each["metadata"]["name"]) == wanted]
    return dict(one["data"])


def _said(answer: Answer) -> str:
    """An answer in words: an API server's refusal has a message."""
    try:
        message = json.loads(answer.body).get("message", "")
    except (ValueError, AttributeError):
        message = answer.body.decode(errors="replace")
    return f"{answer.status} {message}".strip()


def _names(users: set[str]) -> str:
    return ", ".join(sorted(users)) or "nobody"
