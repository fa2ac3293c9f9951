"""Portals: the API servers of members are reached by way of the host's, by who may, as one."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.host.host import Host
from meshproof.host.portal_objects import PORTAL, user_name
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from suites.hosts.claims import absent
from suites.hosts.portals import (
    ADDED,
    ADDING,
    FORGED,
    PARTIAL,
    READER,
    THE_CATALOGUE,
    drops_identity,
    reaches,
    reaches_all,
    refuses,
    usual_portal,
    written_down,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.managed


@behaviour("hosts/portal-reaches", feature="hosts")
def test_a_member_is_asked_by_way_of_its_host(host: Host, envoy_image: str, judge: Judge) -> None:
    """A request to a member by way of the host's API server and the portal is answered by that
    member, and one to all members that the host lists by each of them."""
    with usual_portal(host, envoy_image) as portal:
        verdicts = [reaches(portal, READER, member) for member in host.members]
        judge(all_of([*verdicts, reaches_all(portal, READER)]))


@behaviour("hosts/portal-refuses", feature="hosts")
def test_who_may_not_ask_a_member_is_refused(host: Host, envoy_image: str, judge: Judge) -> None:
    """The host refuses whoever has no right to the member that he asks for, though he may ask
    another; the member refuses what the portal's account may not do there, whoever asks."""
    first, *_, last = host.members
    with usual_portal(host, envoy_image) as portal:
        controls = [reaches(portal, PARTIAL, last), reaches(portal, READER, first)]
        verdicts = [
            refuses(portal, PARTIAL, first, THE_CATALOGUE, user_name(PARTIAL), "services/proxy"),
            refuses(portal, READER, first, ADDING, f'"{PORTAL}"', "configmaps"),
            absent(host, [first], [ADDED]),
        ]
        judge(with_control(all_of(verdicts), as_control(all_of(controls))))


@behaviour("hosts/portal-drops-identity", feature="hosts")
def test_nobody_is_somebody_else_in_a_member(host: Host, envoy_image: str, judge: Judge) -> None:
    """Whoever says by a header that he is somebody else is refused by the host's API server, which
    judges that itself; from what reaches Envoy all the same, it removes the header."""
    first, *_ = host.members
    with usual_portal(host, envoy_image) as portal:
        control = as_control(reaches(portal, READER, first))
        verdicts = [
            refuses(portal, READER, first, FORGED, user_name(READER), "impersonate"),
            drops_identity(portal, first),
        ]
        judge(with_control(all_of(verdicts), control))


@behaviour("hosts/portal-audited", feature="hosts")
@requires(Capability.NODES)
def test_who_asked_is_written_down_by_the_host(host: Host, envoy_image: str, judge: Judge) -> None:
    """The host's API server writes down who asked for which member, and the member's the portal,
    and nobody else."""
    first, *_ = host.members
    with usual_portal(host, envoy_image) as portal:
        since = time.time()
        control = as_control(reaches(portal, READER, first))
        judge(with_control(written_down(portal, READER, first, since), control))
