"""What is claimed of a remote secret's account, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.rights import allowed, forbidden, may_exactly
from meshproof.kube.seam import lab_errors
from meshproof.mesh.account import Account, UnusableSecretError, remote_account
from meshproof.model import Member
from meshproof.workloads.sample import Sample
from suites.privilege.expectation import expectation_for
from suites.privilege.requests import needed, not_granted


def has_exactly_the_rights_listed(sample: Sample) -> Verdict:
    """In every namespace of its cluster, the account's rights are those of reader_role.yaml."""

    def judged(member: Member, account: Account) -> Verdict:
        with lab_errors(f"list the namespaces of {member.name}"):
            listed = account.cluster.core.list_namespace().items
        found = {one.metadata.name: account.rights(one.metadata.name) for one in listed}
        return may_exactly(account.user, found, expectation_for(member).rights)

    return _of_each_secret(sample, judged)


def can_do_what_is_needed(sample: Sample) -> Verdict:
    """What istiod does with the account is granted."""

    def judged(member: Member, account: Account) -> Verdict:
        return allowed([(one, account.send(one)) for one in needed(member.role)])

    return _of_each_secret(sample, judged)


def is_refused_the_rest(sample: Sample) -> Verdict:
    """What would give power over workloads, secrets, rights or identities is refused, while the
    same account is granted what it needs."""

    def judged(member: Member, account: Account) -> Verdict:
        control = allowed([(one, account.send(one)) for one in needed(member.role)[:1]])
        if control.outcome is not Outcome.PASS:
            return Verdict(Outcome.INCONCLUSIVE, control.expected, control.observed)
        asked = not_granted(account.cluster, member.role, sample.caller(member.name))
        return forbidden(account.user, [(one, account.send(one)) for one in asked])

    return _of_each_secret(sample, judged)


def readers(sample: Sample) -> list[tuple[Member, Member]]:
    """Each cluster with the one whose istiod has a remote secret of it."""
    topology = sample.topology
    return [
        (topology[name], topology[reader])
        for name in sample.clusters
        for reader in topology.readers(name)
    ]


def _of_each_secret(sample: Sample, judged: Callable[[Member, Account], Verdict]) -> Verdict:
    """The verdict on each account by which an istiod reads a cluster that is not its own."""
    verdicts = []
    for member, holder in readers(sample):
        held, of = sample.mesh.cluster(holder.name), sample.mesh.cluster(member.name)
        try:
            account = remote_account(held, of)
        except UnusableSecretError as error:
            words = f"{holder.name}'s secret of {member.name} to open its API server to istiod"
            verdicts.append(Verdict(Outcome.FAIL, words, error.cause))
            continue
        verdicts += [_is_the_readers(account, member), judged(member, account)]
    return all_of(verdicts)


def _is_the_readers(account: Account, member: Member) -> Verdict:
    expected = expectation_for(member).user
    outcome = Outcome.PASS if account.user == expected else Outcome.FAIL
    words = f"{account.holder}'s secret of {member.name} to have the token of {expected}"
    return Verdict(outcome, words, account.user)
