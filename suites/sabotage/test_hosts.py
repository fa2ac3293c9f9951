"""A host that does not do what is claimed of it, and members that are not what is claimed of them,
are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from meshproof.artifacts.host import KUSTOMIZE
from meshproof.expect import Verdict, all_of, noticed
from meshproof.expect.undisturbed import unnoticed
from meshproof.host.credentials import kubeconfig
from meshproof.host.host import Host
from meshproof.host.programs import SYSTEM
from meshproof.host.rbac import account_subject, binding
from meshproof.host.reconciler import Assignment
from meshproof.host.tenants import DEPLOYER, DOORS, identity_objects
from meshproof.host.usual import ANNEX, BANK, CATALOGUE, PLATFORM, SHOP, config_map
from meshproof.kube.objects import Object, applied, as_found, delete
from meshproof.kube.rollout import await_no_pods, await_rollout, scale
from meshproof.model import Capability
from meshproof.process import Shell
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.hosts.away import (
    catches_up,
    nothing_of_the_host,
    notices_revocation,
    undone_unasked,
    without_the_host,
)
from suites.hosts.claims import (
    absent,
    arrives,
    arrives_in,
    fight_is_named,
    has_no_rights,
    joined,
    says_failed,
    says_ready,
    view_is_right,
    withdrawn,
)
from suites.hosts.policies import POLICY, denied_in, denying
from suites.hosts.pushes import (
    ACCOUNT,
    broken,
    bystander,
    changed_by_hand,
    forbidden_kinds,
    in_season,
    intruder,
    with_base,
    without,
    without_binding,
)
from suites.hosts.records import FIRST, record, stands_for, unknown

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.managed
_SHORTLY = 10.0
"""Seconds for what will not come about."""


@proves("hosts/arrives-where-placed", "hosts/view-is-right")
def test_what_is_missing_or_misplaced_in_a_member_is_noticed(host: Host, judge: Judge) -> None:
    """With an object deleted in one member, and another one in a member that it is not for, the
    claims that all is where it belongs fail and name them; so does the one that the host's view is
    right, since it still says that all is in force."""
    member = _first(host)
    missing, misplaced = config_map(CATALOGUE, SHOP, {}), config_map(ANNEX, SHOP, {"in": "both"})
    with as_found(host.members[member], [missing]):
        delete(host.members[member], [missing])
        verdicts = [arrives(host, SHOP), view_is_right(host)]
    with applied(host.members[member], [misplaced]):
        elsewhere = [arrives_in(host, SHOP, member)]
    judge(_each(noticed(verdicts, CATALOGUE), noticed(elsewhere, ANNEX)))


@proves(
    "hosts/change-arrives",
    "hosts/drift-undone",
    "hosts/withdrawn",
    "hosts/rights-follow",
    "hosts/policy-takes-effect",
    "hosts/member-away",
)
def test_a_host_that_does_nothing_is_noticed(sample: Sample, host: Host, judge: Judge) -> None:
    """While no controller reconciles, the claims that what is changed in the source, or leaves it,
    comes to be so in members, fail and name the assignment, the object or the member."""
    member, usual, manages = _first(host), host.contents[SHOP], host.contents[PLATFORM]
    (service,) = [one for one in usual.base if one["kind"] == "Service"]
    name = service["metadata"]["name"]
    one = Assignment(SHOP, member)
    with bystander(host, SHOP) as stays, _idle(host):
        host.deliver(SHOP, in_season(usual))
        told = [says_ready(host.make_good([one], _SHORTLY), host.revisions[SHOP])]
        told += [catches_up(host, one, _SHORTLY)]
        late = [arrives_in(host, SHOP, member)]
        host.deliver(SHOP, without(usual, "Service", name))
        left = [withdrawn(host, member, [service], [stays])]
        host.deliver(SHOP, usual)
        host.deliver(PLATFORM, without_binding(manages, SHOP))
        rights = [has_no_rights(host, SHOP)]
        host.deliver(PLATFORM, denying(manages, [member]))
        denied = [denied_in(sample, [member])]
        host.deliver(PLATFORM, manages)
    host.require(host.make_good(host.assignments()))
    judge(
        _each(
            noticed(told, str(one)),
            noticed(late, CATALOGUE),
            noticed(left, name),
            noticed(rights, member),
            noticed(denied, "200"),
        )
    )


@proves("hosts/records-follow")
def test_a_name_that_is_not_registered_is_noticed(sample: Sample, host: Host, judge: Judge) -> None:
    """While no controller reconciles, the claim that a name which the source registers is told in a
    member fails, and names the member; so does the one that it is unknown, where it is there."""
    member, usual = _first(host), host.contents[SHOP]
    try:
        with _idle(host):
            host.deliver(SHOP, with_base(usual, record(FIRST)))
            verdicts = [stands_for(sample, [member], FIRST, _SHORTLY)]
        host.require(host.make_good(host.assignments(SHOP)))
        there = stands_for(sample, [member], FIRST)
        verdicts += [unknown(sample, [member], _SHORTLY)]
    finally:
        host.deliver(SHOP, usual)
        host.require(host.make_good(host.assignments(SHOP)))
    judge(all_of([there, noticed(verdicts, member)]))


@proves("hosts/drift-undone-unasked")
def test_a_host_that_looks_too_seldom_is_noticed(host: Host, judge: Judge) -> None:
    """Where a host looks at its members as seldom as ever, the claim that what was changed there is
    soon undone unasked fails, and names what is not."""
    member = _first(host)
    changed = config_map(CATALOGUE, SHOP, {"place": "elsewhere", "season": "none"})
    host.require(host.make_good([Assignment(SHOP, member)]))
    with changed_by_hand(host, member, [changed], []):
        verdict = undone_unasked(host, SHOP, member)
    judge(noticed([verdict], CATALOGUE))


@proves("hosts/other-namespace-refused", "hosts/other-kinds-refused")
def test_a_tenant_that_may_do_everything_is_noticed(host: Host, judge: Judge) -> None:
    """With a tenant's account that may do everything in members, the claims that they refuse what
    it must not push fail, and name the assignment, or what is there."""
    stranger, (role, _) = intruder(BANK), forbidden_kinds()
    bank = host.tenants[BANK].members[-1]
    one = Assignment(SHOP, bank)
    with _almighty(host, DEPLOYER, SHOP):
        with host.pushed(SHOP, with_base(host.contents[SHOP], role)) as states:
            kinds = [says_failed({one: states[one]}, ACCOUNT)]
            there = [absent(host, [bank], [role])]
        overlay = with_base(host.contents[SHOP], stranger)
        host.deliver(SHOP, overlay)
        spaces = [says_failed(host.make_good([one]), ACCOUNT)]
        found = [absent(host, [bank], [stranger])]
        host.deliver(SHOP, without(overlay, "ConfigMap", stranger["metadata"]["name"]))
        host.require(host.make_good(host.assignments(SHOP)))
    judge(
        _each(
            noticed([*kinds, *spaces], str(one)),
            noticed(there, role["metadata"]["name"]),
            noticed(found, stranger["metadata"]["name"]),
        )
    )


@proves("hosts/other-member-refused")
def test_a_tenant_with_a_credential_too_many_is_noticed(host: Host, judge: Judge) -> None:
    """With accounts of a tenant, and a credential for it, in a member that is not among its own,
    the claims that it cannot push there fail, and name the assignment, or what is there."""
    member, own, bank = _first(host), host.tenants[BANK].members[-1], host.tenants[BANK]
    one, due = Assignment(BANK, member, path=own), host.contents[BANK].due(own)
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": member, "namespace": BANK},
    }
    with applied(host.members[member], identity_objects(bank)):
        try:
            host.introduce(bank, member)
            with host.assigned(one) as state:
                verdicts = [says_failed({one: state}, "")]
                there = [absent(host, [member], due)]
        finally:
            delete(host.cluster, [secret])
    judge(_each(noticed(verdicts, str(one)), noticed(there, due[0]["metadata"]["name"])))


@proves("hosts/other-account-refused")
def test_a_host_that_may_act_as_anybody_is_noticed(host: Host, judge: Judge) -> None:
    """With the host's account for a tenant that may act as every account of a member, the claim
    that it may act as the tenant's own alone fails, and names the assignment."""
    member = _first(host)
    other = Assignment(SHOP, member, path=member, name="as-another", account="default")
    with _almighty(host, SHOP, DOORS), host.assigned(other) as state:
        verdict = says_failed({other: state}, "server groups")
    judge(noticed([verdict], "as-another"))


@proves("hosts/bad-manifest-alone")
def test_a_bad_manifest_that_does_not_fail_alone_is_noticed(host: Host, judge: Judge) -> None:
    """With a second member whose manifest cannot be read either, the claim that others get what is
    pushed for them fails, and names the assignment."""
    bad, *others = host.tenants[SHOP].members
    content = broken(broken(in_season(host.contents[SHOP]), bad), others[0])
    with host.pushed(SHOP, content) as states:
        sound = {one: states[one] for one in states if one.member != bad}
        verdicts = [says_ready(sound, host.revisions[SHOP])]
        late = [arrives_in(host, SHOP, others[0])]
    judge(_each(noticed(verdicts, f"{SHOP}/{others[0]}"), noticed(late, CATALOGUE)))


@proves("hosts/members-go-on")
@requires(Capability.ROUTER, Capability.NODES)
def test_calls_that_are_lost_without_the_host_are_noticed(
    sample: Sample, host: Host, judge: Judge
) -> None:
    """With calls that a policy denies while the host is out of reach, the claim that none is lost
    fails, and tells how they ended."""
    member = host.members[_first(host)]
    denied = applied(member, [POLICY])
    found = without_the_host(sample, host, lambda stack: stack.enter_context(denied))
    judge(noticed([unnoticed(found)], "403"))


@proves("hosts/unknown-to-members")
def test_a_member_with_a_kubeconfig_of_the_host_is_noticed(host: Host, judge: Judge) -> None:
    """With a Secret in one member that holds a kubeconfig of the host, the claim that members know
    nothing of it fails, and names the Secret."""
    secret: Object = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "back-to-the-host", "namespace": "default"},
        "stringData": {"value": kubeconfig(host.cluster, "no.token.at-all")},
    }
    with applied(host.members[_first(host)], [secret]):
        verdict = nothing_of_the_host(host)
    judge(noticed([verdict], "back-to-the-host"))


@proves("hosts/member-leaves")
def test_a_member_that_is_emptied_when_it_leaves_is_noticed(host: Host, judge: Judge) -> None:
    """With all undone in a member that leaves, the claim that it keeps what it has fails, and names
    what is missing."""
    one = Assignment(SHOP, host.tenants[SHOP].members[-1])
    try:
        host.reconciler.withdraw(one)
        verdict = arrives_in(host, SHOP, one.member)
    finally:
        host.reconciler.assign(one)
        host.require(host.make_good([one]))
    judge(noticed([verdict], CATALOGUE))


@proves("hosts/member-joins")
def test_a_member_without_an_entry_is_noticed(host: Host, judge: Judge) -> None:
    """Where no source has an entry for what is assigned to a member, the claim that the member has
    joined fails, and names the assignment."""
    one = Assignment(SHOP, _first(host), path="nowhere", name="newcomer")
    with host.assigned(one) as state:
        verdict = joined({one: state}, host.revisions, 0.0)
    judge(noticed([verdict], str(one)))


@proves("hosts/fight-named")
def test_a_fight_that_there_is_not_is_noticed(host: Host, judge: Judge) -> None:
    """Where one tenant alone has an object, the claim that the host names two fails, and says that
    it names nothing."""
    wanted = config_map(CATALOGUE, SHOP, {})
    judge(noticed([fight_is_named(host, wanted, (PLATFORM, SHOP))], "nothing"))


@proves("hosts/revocation-noticed")
def test_a_credential_that_still_counts_is_noticed(host: Host, judge: Judge) -> None:
    """Where nobody has taken the credential back, the claim that the host says so fails, and names
    the assignment."""
    one = Assignment(SHOP, _first(host))
    judge(noticed([notices_revocation(host, one, _SHORTLY)], str(one)))


@contextmanager
def _idle(host: Host) -> Iterator[None]:
    """No controller reconciles inside the block."""
    shell = Shell(host.recorder)
    scale(host.cluster, SYSTEM, {KUSTOMIZE: 0})
    try:
        await_no_pods(host.cluster, SYSTEM, f"app={KUSTOMIZE}")
        yield
    finally:
        scale(host.cluster, SYSTEM, {KUSTOMIZE: 1})
        await_rollout(host.cluster, SYSTEM, {KUSTOMIZE}, shell)


@contextmanager
def _almighty(host: Host, account: str, namespace: str) -> Iterator[None]:
    """An account may do everything in all members inside the block."""
    name, subject = f"almighty-{namespace}-{account}", account_subject(account, namespace)
    bound = binding("ClusterRole", name, "", subject, of="cluster-admin")
    members = list(host.members.values())
    with applied(members[0], [bound]), applied(members[-1], [bound]):
        yield


def _each(*told: Verdict) -> Verdict:
    """PASS when each of these is."""
    return all_of(told)


def _first(host: Host) -> str:
    """The first member of the shop's, which is none of the bank's."""
    return next(one for one in host.tenants[SHOP].members if one not in host.tenants[BANK].members)
