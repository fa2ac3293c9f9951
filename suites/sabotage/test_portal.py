"""A portal that does not do what is claimed of it is noticed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from meshproof.expect import Outcome, Verdict, all_of, noticed
from meshproof.host.host import Host
from meshproof.host.portal_objects import PORTAL, member_objects, user_objects
from meshproof.host.rbac import binding, user_subject
from meshproof.host.usual import SHOP
from meshproof.kube.objects import applied, apply, as_found, delete
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import require
from suites.hosts.claims import absent
from suites.hosts.portals import (
    ADDED,
    ADDING,
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


@proves("hosts/portal-reaches")
def test_a_member_that_the_portal_may_not_read_is_noticed(
    host: Host, envoy_image: str, judge: Judge
) -> None:
    """With the portal's rights taken back in one member, the claims that it is answered there, and
    everywhere, fail and name the member."""
    first, *_ = host.members
    _, bound = member_objects(SHOP)
    with usual_portal(host, envoy_image) as portal, as_found(host.members[first], [bound]):
        delete(host.members[first], [bound])
        require(
            lambda: reaches(portal, READER, first).outcome,
            until=lambda seen: seen is not Outcome.PASS,
            what=f"the end of the portal's rights in {first}",
        )
        verdicts = [reaches(portal, READER, first), reaches_all(portal, READER)]
    judge(noticed(verdicts, first))


@proves("hosts/portal-refuses")
def test_rights_too_many_at_a_portal_are_noticed(
    host: Host, envoy_image: str, judge: Judge
) -> None:
    """With a user who may ask all members, and a portal that may do everything in one, the claims
    that both are refused, and that nothing was made, fail and name the member."""
    first, *_ = host.members
    name, subject = f"almighty-{PORTAL}", user_subject(PORTAL)
    everything = binding("ClusterRole", name, "", subject, of="cluster-admin")
    member = host.members[first]
    with usual_portal(host, envoy_image) as portal, applied(member, [everything]):
        apply(host.cluster, user_objects(PARTIAL, list(host.members)))
        try:
            require(
                lambda: reaches(portal, PARTIAL, first).outcome,
                until=lambda seen: seen is Outcome.PASS,
                what=f"the rights of {PARTIAL} in {first}",
            )
            verdicts = [
                refuses(portal, PARTIAL, first, THE_CATALOGUE, "services/proxy"),
                refuses(portal, READER, first, ADDING, "configmaps"),
                absent(host, [first], [ADDED]),
            ]
        finally:
            delete(member, [ADDED])
    judge(noticed(verdicts, first))


@proves("hosts/portal-drops-identity")
def test_an_envoy_that_removes_nothing_is_noticed(
    host: Host, envoy_image: str, judge: Judge
) -> None:
    """With an Envoy that removes no header, the claim that nobody is somebody else behind it fails,
    with the member's refusal to let the portal be that."""
    first, *_ = host.members
    with usual_portal(host, envoy_image, removed=()) as portal:
        control = reaches(portal, READER, first)
        verdict = drops_identity(portal, first)
    judge(all_of([control, noticed([verdict], "impersonate")]))


@proves("hosts/portal-audited")
@requires(Capability.NODES)
def test_somebody_else_who_asked_is_noticed(host: Host, envoy_image: str, judge: Judge) -> None:
    """Where another user has asked, the claim that this one is written down fails, and names the
    other."""
    *_, last = host.members
    with usual_portal(host, envoy_image) as portal:
        since = time.time()
        control = reaches(portal, PARTIAL, last)
        verdict = written_down(portal, READER, last, since)
    judge(all_of([control, noticed([verdict], PARTIAL)]))
