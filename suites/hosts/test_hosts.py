"""Hosts: what is pushed arrives where it belongs, and nowhere else, and stays as it was pushed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.expect.undisturbed import unnoticed
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment
from meshproof.host.usual import BANK, CATALOGUE, PLATFORM, SHOP, config_map
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.hosts.away import (
    EVERY,
    away,
    catches_up,
    nothing_of_the_host,
    notices_revocation,
    seen_to,
    undone_unasked,
    without_the_host,
)
from suites.hosts.claims import (
    absent,
    arrives,
    arrives_in,
    differs,
    fight_is_named,
    has_no_rights,
    has_rights,
    joined,
    says_failed,
    says_ready,
    view_is_right,
    withdrawn,
)
from suites.hosts.joining import outside
from suites.hosts.policies import await_obeyed, denied_in, denying
from suites.hosts.pushes import (
    ACCOUNT,
    broken,
    bystander,
    changed_by_hand,
    claimed_twice,
    credential_revoked,
    forbidden_kinds,
    in_season,
    intruder,
    left,
    with_base,
    without,
    without_binding,
)

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.managed
_FORBIDDEN = "forbidden"
"""How an API server calls what an account may not do."""


@behaviour("hosts/arrives-where-placed", feature="hosts")
def test_what_is_pushed_arrives_where_it_is_placed(host: Host, judge: Judge) -> None:
    """Namespaces, accounts, roles and bindings, Services and what else tenants push are in each
    member that they are for, in the shape that they have for it, and in no other."""
    judge(all_of(arrives(host, tenant) for tenant in host.tenants))


@behaviour("hosts/change-arrives", feature="hosts")
def test_a_change_in_the_source_arrives_in_all_members(host: Host, judge: Judge) -> None:
    """What a tenant changes in its source comes to be so in each of its members, with what differs
    in each as it was, and the host says that it is in force."""
    with host.pushed(SHOP, in_season(host.contents[SHOP])) as states:
        judge(all_of([says_ready(states, host.revisions[SHOP]), arrives(host, SHOP)]))


@behaviour("hosts/drift-undone", feature="hosts")
def test_what_is_changed_in_a_member_is_undone(host: Host, judge: Judge) -> None:
    """What somebody changes or deletes in a member is as the source says again, once the host is
    asked to see to it."""
    member = _first(host)
    changed = [config_map(CATALOGUE, SHOP, {"place": "elsewhere", "season": "none"})]
    deleted = [one for one in host.contents[SHOP].base if one["kind"] == "Service"]
    with changed_by_hand(host, member, changed, deleted):
        before = as_control(differs(host, SHOP, member))
        host.make_good([Assignment(SHOP, member)])
        judge(with_control(arrives_in(host, SHOP, member), before))


@behaviour("hosts/drift-undone-unasked", feature="hosts", level="extended")
def test_what_is_changed_in_a_member_is_undone_unasked(host: Host, judge: Judge) -> None:
    """What somebody changes or deletes in a member is as the source says again when the host next
    looks there by itself, without being asked."""
    member = _first(host)
    changed = [config_map(CATALOGUE, SHOP, {"place": "elsewhere", "season": "none"})]
    deleted = [one for one in host.contents[SHOP].base if one["kind"] == "Service"]
    often = Assignment(SHOP, member, every=EVERY)
    with seen_to(host, often), changed_by_hand(host, member, changed, deleted):
        judge(undone_unasked(host, SHOP, member))


@behaviour("hosts/withdrawn", feature="hosts")
def test_what_leaves_the_source_leaves_the_members(host: Host, judge: Judge) -> None:
    """What leaves a tenant's source is gone from its members, and nothing else: what it still has,
    and what somebody made beside it, stays."""
    content = host.contents[SHOP]
    (gone,) = [one for one in content.base if one["kind"] == "Service"]
    with bystander(host, SHOP) as stays:
        there = as_control(arrives(host, SHOP))
        with host.pushed(SHOP, without(content, "Service", gone["metadata"]["name"])) as states:
            verdicts = [withdrawn(host, one, [gone], [stays]) for one in host.members]
            verdicts += [arrives(host, SHOP), says_ready(states, host.revisions[SHOP])]
            judge(with_control(all_of(verdicts), there))


@behaviour("hosts/view-is-right", feature="hosts")
def test_the_host_says_of_its_members_what_is_so(host: Host, judge: Judge) -> None:
    """The host says of what each tenant has in each member that it is in force, and which objects
    it keeps there, as they are found there."""
    judge(view_is_right(host))


@behaviour("hosts/other-namespace-refused", feature="hosts")
def test_a_tenant_cannot_push_into_another_namespace(host: Host, judge: Judge) -> None:
    """What a tenant pushes into another's namespace is refused by the member, to the tenant's own
    account; it is told where the tenant looks, and nothing of it is there."""
    stranger = intruder(BANK)
    with host.pushed(SHOP, with_base(host.contents[SHOP], stranger)) as states:
        verdicts = [
            says_failed(states, _FORBIDDEN, ACCOUNT),
            absent(host, host.members, [stranger]),
        ]
    judge(with_control(all_of(verdicts), as_control(arrives(host, SHOP))))


@behaviour("hosts/other-kinds-refused", feature="hosts")
def test_a_tenant_cannot_push_other_kinds(host: Host, judge: Judge) -> None:
    """A role, or a namespace, that a tenant without the right to make such pushes is refused by the
    member, to the tenant's own account; it is told where the tenant looks, and is not there."""
    verdicts = []
    for one in forbidden_kinds():
        with host.pushed(SHOP, with_base(host.contents[SHOP], one)) as states:
            verdicts += [
                says_failed(states, _FORBIDDEN, ACCOUNT),
                absent(host, host.members, [one]),
            ]
    judge(with_control(all_of(verdicts), as_control(arrives(host, SHOP))))


@behaviour("hosts/other-member-refused", feature="hosts")
def test_a_tenant_cannot_push_into_other_members(host: Host, judge: Judge) -> None:
    """A tenant that asks for what it has to be applied in a member that is not among its own is
    told that it has no credential for that, and nothing of it is there."""
    member, own = _first(host), host.tenants[BANK].members[-1]
    due = host.contents[BANK].due(own)
    with host.assigned(Assignment(BANK, member, path=own)) as state:
        told = says_failed({Assignment(BANK, member, path=own): state}, f"{BANK}/{member}")
        verdicts = [told, absent(host, [member], due)]
    judge(with_control(all_of(verdicts), as_control(arrives(host, BANK))))


@behaviour("hosts/other-account-refused", feature="hosts")
def test_a_tenant_cannot_act_as_another_account(host: Host, judge: Judge) -> None:
    """A tenant that asks for what it has to be applied as another account than its own is refused
    by the member, where the host may act as the tenant's own alone, and is told so."""
    member = _first(host)
    other = Assignment(SHOP, member, path=member, name="as-another", account="default")
    with host.assigned(other) as state:
        # What an API server has at all is anybody's to ask for: that is forbidden only to whoever
        # may not act as who he says he is. Nothing tells it in other words.
        verdict = says_failed({other: state}, _FORBIDDEN, "server groups")
    judge(with_control(verdict, as_control(arrives_in(host, SHOP, member))))


@behaviour("hosts/bad-manifest-alone", feature="hosts")
def test_a_bad_manifest_fails_alone(host: Host, judge: Judge) -> None:
    """Where what a tenant has for one member cannot be read, nothing of that push arrives there,
    the host says so, and other members and tenants get what is pushed for them."""
    bad, *others = host.tenants[SHOP].members
    content = broken(in_season(host.contents[SHOP]), bad)
    with host.pushed(SHOP, content) as states:
        revision = host.revisions[SHOP]
        failed = Assignment(SHOP, bad)
        sound = {one: states[one] for one in states if one != failed}
        verdicts = [
            says_failed({failed: states[failed]}, "yaml"),
            differs(host, SHOP, bad),
            says_ready(sound, revision),
            *(arrives_in(host, SHOP, one) for one in others),
            says_ready(host.make_good(host.assignments(BANK)), host.revisions[BANK]),
        ]
        judge(all_of(verdicts))


@behaviour("hosts/member-away", feature="hosts")
@requires(Capability.ROUTER)
def test_a_member_that_is_away_is_told_and_catches_up(
    sample: Sample, host: Host, judge: Judge
) -> None:
    """What is pushed while a member does not answer arrives in the others, the host says of that
    member that it failed, and the member gets it by itself once it answers."""
    gone, *others = host.tenants[SHOP].members
    before = host.contents[SHOP]
    missed = Assignment(SHOP, gone)
    try:
        with away(sample.mesh.lab, host.cluster.name, [gone]):
            host.deliver(SHOP, in_season(before))
            states = host.make_good(host.assignments(SHOP))
            reached = {one: states[one] for one in states if one != missed}
            verdicts = [
                says_failed({missed: states[missed]}),
                differs(host, SHOP, gone),
                says_ready(reached, host.revisions[SHOP]),
                *(arrives_in(host, SHOP, one) for one in others),
            ]
        verdicts += [catches_up(host, missed), arrives_in(host, SHOP, gone)]
    finally:
        host.deliver(SHOP, before)
        host.require(host.make_good(host.assignments(SHOP)))
    judge(all_of(verdicts))


@behaviour("hosts/members-go-on", feature="hosts", level="extended")
@requires(Capability.ROUTER, Capability.NODES)
def test_members_go_on_without_their_host(sample: Sample, host: Host, judge: Judge) -> None:
    """While no member is in reach of the host, and when they are again, no call within a member is
    lost, every instance answers, and what was pushed is as it was."""
    found = without_the_host(sample, host)
    judge(all_of([unnoticed(found), *(arrives(host, tenant) for tenant in host.tenants)]))


@behaviour("hosts/unknown-to-members", feature="hosts")
def test_members_know_nothing_of_their_host(host: Host, judge: Judge) -> None:
    """No object of any member holds an address of the host's API server, or the certificate of its
    authority, while the host holds both of its members'."""
    judge(nothing_of_the_host(host))


@behaviour("hosts/revocation-noticed", feature="hosts")
def test_a_credential_that_is_taken_back_is_noticed(host: Host, judge: Judge) -> None:
    """When a member takes back the token by which the host acts as a tenant, the host says so of
    what that tenant has in that member, and of nothing else."""
    member = _first(host)
    with credential_revoked(host, SHOP, member):
        verdict = notices_revocation(host, Assignment(SHOP, member))
    judge(all_of([verdict, arrives_in(host, SHOP, member)]))


@behaviour("hosts/member-leaves", feature="hosts")
def test_a_member_that_leaves_keeps_what_it_has(host: Host, judge: Judge) -> None:
    """A member that is managed no more keeps what was pushed, gets nothing of what is pushed from
    then on, as others do, and all of it once it is managed again."""
    *others, member = host.tenants[SHOP].members
    before, rest = host.contents[SHOP], [Assignment(SHOP, one) for one in others]
    try:
        with left(host, Assignment(SHOP, member)):
            verdicts = [arrives_in(host, SHOP, member)]
            host.deliver(SHOP, in_season(before))
            verdicts += [says_ready(host.make_good(rest), host.revisions[SHOP])]
            verdicts += [differs(host, SHOP, member)]
            verdicts += [arrives_in(host, SHOP, one) for one in others]
        verdicts.append(arrives_in(host, SHOP, member))
    finally:
        host.deliver(SHOP, before)
        host.require(host.make_good(host.assignments(SHOP)))
    judge(all_of(verdicts))


@behaviour("hosts/member-joins", feature="hosts")
def test_a_member_that_joins_gets_what_is_for_it(host: Host, judge: Judge) -> None:
    """A member of which no source says anything has nothing of what is pushed; with its entry in
    each tenant's source, and a token that it gives, it has all that is for it, and nobody else
    loses anything. The time that it takes is told."""
    *others, member = host.members
    with outside(host, member) as newcomer:
        verdicts = [absent(host, [member], newcomer.due)]
        states, took = newcomer.join()
        verdicts.append(joined(states, host.revisions, took))
        verdicts += [arrives_in(host, one.tenant, member) for one in states]
        verdicts += [
            arrives_in(host, one.tenant, one.member)
            for one in host.assignments()
            if one.member in others
        ]
    judge(all_of(verdicts))


@behaviour("hosts/fight-named", feature="hosts")
def test_two_sources_that_want_one_object_are_named(host: Host, judge: Judge) -> None:
    """Where two tenants' sources have the same object, the host's record of what each keeps names
    the object in each member, and both; of no other object does it say so."""
    wanted = config_map(CATALOGUE, SHOP, {"place": "anywhere", "season": "none"})
    with claimed_twice(host, wanted):
        verdict = fight_is_named(host, wanted, (PLATFORM, SHOP))
    judge(verdict)


@behaviour("hosts/rights-follow", feature="hosts")
def test_rights_follow_what_is_pushed(host: Host, judge: Judge) -> None:
    """A tenant's account may do in each of its members what the roles and bindings that are pushed
    give it, may do it no more when its binding leaves the source, and again when it is back."""
    verdicts = [has_rights(host, SHOP), arrives(host, PLATFORM)]
    with host.pushed(PLATFORM, without_binding(host.contents[PLATFORM], SHOP)) as states:
        verdicts += [says_ready(states, host.revisions[PLATFORM]), has_no_rights(host, SHOP)]
    judge(all_of([*verdicts, has_rights(host, SHOP)]))


@behaviour("hosts/policy-takes-effect", feature="hosts")
def test_a_policy_that_is_pushed_takes_effect_where_it_is_placed(
    sample: Sample, host: Host, judge: Judge
) -> None:
    """An AuthorizationPolicy that is pushed to one member denies there and in no other; one that is
    pushed to all denies in all; and when it has left the source, none denies any more."""
    usual, everyone = host.contents[PLATFORM], tuple(host.members)
    verdicts = []
    for members in (everyone[:1], everyone):
        with host.pushed(PLATFORM, denying(usual, members)):
            await_obeyed(sample, members)
            verdicts.append(denied_in(sample, members))
    await_obeyed(sample, ())
    judge(all_of([*verdicts, denied_in(sample, ())]))


def _first(host: Host) -> str:
    """The first member of the shop's, which is none of the bank's."""
    return next(one for one in host.tenants[SHOP].members if one not in host.tenants[BANK].members)
