"""What is claimed of what a host pushes: where it arrives, what is undone and withdrawn, and what
the host says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.host.host import Host
from meshproof.host.reconciler import Assignment, Readiness, State
from meshproof.kube.objects import Object, title


def arrives(host: Host, tenant: str) -> Verdict:
    """Each member has what the tenant's source has for it, in the shape that it has it in, and none
    has what is for others alone."""
    return all_of(arrives_in(host, tenant, member) for member in host.members)


def arrives_in(host: Host, tenant: str, member: str) -> Verdict:
    """The same of one member. INCONCLUSIVE: nothing is for it, nor for others alone."""
    due = _due_to(host, tenant, member)
    foreign = _for_others(host, tenant, due)
    expected = f"{member} to have {_told(due)} of {tenant}, and not {_told(foreign)}"
    if not due and not foreign:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{tenant} pushes nothing")
    wrong = [said for one in due if (said := _differs(one, host.look(member, one)))]
    wrong += [f"{title(one)} is there" for one in foreign if host.look(member, one) is not None]
    if wrong:
        return Verdict(Outcome.FAIL, expected, f"in {member} {'; '.join(wrong)}")
    return Verdict(Outcome.PASS, expected, f"{member} has all {len(due)}")


def differs(host: Host, tenant: str, member: str) -> Verdict:
    """A member is not as the tenant's source has it. INCONCLUSIVE as ``arrives_in``."""
    found = arrives_in(host, tenant, member)
    expected = f"{member} to differ from what {tenant}'s source says"
    if found.outcome is Outcome.INCONCLUSIVE:
        return found
    differs = found.outcome is Outcome.FAIL
    return Verdict(Outcome.PASS if differs else Outcome.FAIL, expected, found.observed)


def withdrawn(
    host: Host, member: str, gone: Sequence[Object], bystanders: Sequence[Object]
) -> Verdict:
    """What left the source is gone from a member, and what was never in it is still there.
    INCONCLUSIVE: nothing is named that should be gone, or stay."""
    expected = f"{_told(gone)} to be gone from {member}, and {_told(bystanders)} to stay"
    if not gone or not bystanders:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing is named that left, or stayed")
    wrong = [f"{title(one)} is still there" for one in gone if host.look(member, one) is not None]
    wrong += [f"{title(one)} is gone" for one in bystanders if host.look(member, one) is None]
    if wrong:
        return Verdict(Outcome.FAIL, expected, f"in {member} {'; '.join(wrong)}")
    return Verdict(Outcome.PASS, expected, "so it is")


def says_ready(states: Mapping[Assignment, State], revision: str) -> Verdict:
    """The host says of each assignment that this revision is in force. INCONCLUSIVE: there are
    none."""
    expected = f"{_names(states)} to be in force at {revision}"
    wrong = [
        f"{one} is {state}"
        if state.readiness is not Readiness.READY
        else f"{one} is at {state.applied or 'no revision'}"
        for one, state in states.items()
        if state.readiness is not Readiness.READY or state.applied != revision
    ]
    if not states:
        return Verdict(Outcome.INCONCLUSIVE, expected, "there are no assignments")
    if wrong:
        return Verdict(Outcome.FAIL, expected, "; ".join(wrong))
    return Verdict(Outcome.PASS, expected, "the host says so of each")


def joined(
    states: Mapping[Assignment, State], revisions: Mapping[str, str], took: float
) -> Verdict:
    """The host says of each assignment in a member that has joined that its tenant's last revision
    is in force, ``took`` seconds after the member's entry was pushed, which are told. INCONCLUSIVE:
    there are none."""
    verdict = all_of(
        says_ready({one: state}, revisions[one.tenant]) for one, state in states.items()
    )
    if verdict.outcome is not Outcome.PASS:
        return verdict
    return Verdict(Outcome.PASS, verdict.expected, f"{_names(states)}: in force after {took:.0f} s")


def says_failed(states: Mapping[Assignment, State], *words: str) -> Verdict:
    """The host says of each assignment that it is not in force, and why: each of these words is in
    what it says, in whichever case. INCONCLUSIVE: there are none, or one is not decided."""
    expected = f"{_names(states)} to have failed, with {' and '.join(map(repr, words))}"
    if not states:
        return Verdict(Outcome.INCONCLUSIVE, expected, "there are no assignments")
    evidence = {str(one): str(state) for one, state in states.items()}
    for one, state in states.items():
        if state.readiness is Readiness.WORKING:
            return Verdict(Outcome.INCONCLUSIVE, expected, f"{one} is {state}", evidence)
        if state.readiness is Readiness.READY:
            return Verdict(Outcome.FAIL, expected, f"{one} is said to be in force", evidence)
        missing = [word for word in words if word.lower() not in state.said.lower()]
        if missing:
            observed = f"{one} has failed, without a word of {', '.join(missing)}: {state}"
            return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, "the host says so of each", evidence)


def absent(host: Host, members: Iterable[str], objects: Sequence[Object]) -> Verdict:
    """None of these objects is in any of these members. INCONCLUSIVE: none is named."""
    names = list(members)
    expected = f"{_told(objects)} to be in none of {', '.join(names)}"
    if not objects or not names:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing was looked for")
    found = [
        f"{title(one)} in {name}"
        for name in names
        for one in objects
        if host.look(name, one) is not None
    ]
    if found:
        return Verdict(Outcome.FAIL, expected, f"there is {', '.join(found)}")
    return Verdict(Outcome.PASS, expected, "none is")


def has_rights(host: Host, tenant: str) -> Verdict:
    """A tenant's account may push in each of its members, and do there what nobody gave it in none.
    INCONCLUSIVE: it has no members."""
    return _rights(host, tenant, allowed=True)


def has_no_rights(host: Host, tenant: str) -> Verdict:
    """A tenant's account may push in none of its members. INCONCLUSIVE as ``has_rights``."""
    return _rights(host, tenant, allowed=False)


def _rights(host: Host, tenant: str, *, allowed: bool) -> Verdict:
    members = host.tenants[tenant].members
    word = "may" if allowed else "may not"
    expected = f"{tenant}'s account {word} push in {', '.join(members)}, nor read secrets there"
    if not members:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{tenant} has no members")
    wrong = []
    for member in members:
        if host.may(tenant, member, "patch", "configmaps") is not allowed:
            wrong.append(f"in {member} it {'may not' if allowed else 'may'} push")
        if host.may(tenant, member, "get", "secrets"):
            wrong.append(f"in {member} it may read secrets")
    if wrong:
        return Verdict(Outcome.FAIL, expected, "; ".join(wrong))
    return Verdict(Outcome.PASS, expected, "so it is in each")


def view_is_right(host: Host) -> Verdict:
    """The host says of each assignment what is so: that it is in force, where all is in the member
    that the source has for it, and which objects it keeps there. INCONCLUSIVE as ``arrives_in``."""
    verdicts = []
    for one in host.assignments():
        state, due = host.state(one), _due_to(host, one.tenant, one.member)
        there = arrives_in(host, one.tenant, one.member)
        told = frozenset(map(title, due))
        expected = f"the host to say of {one} what is so, and that it keeps {_told(due)}"
        if there.outcome is Outcome.INCONCLUSIVE:
            verdicts.append(there)
        elif (state.readiness is Readiness.READY) is not (there.outcome is Outcome.PASS):
            observed = f"it says that {one} is {state}; seen: {there.observed}"
            verdicts.append(Verdict(Outcome.FAIL, expected, observed))
        elif state.readiness is Readiness.READY and state.holds != told:
            other = ", ".join(sorted(state.holds ^ told))
            observed = f"what it says {one} keeps differs in {other}"
            verdicts.append(Verdict(Outcome.FAIL, expected, observed))
        else:
            verdicts.append(Verdict(Outcome.PASS, expected, str(state)))
    return all_of(verdicts)


def fight_is_named(host: Host, one: Object, tenants: Sequence[str]) -> Verdict:
    """The host says of this object alone, in each member, that several keep it, and who: what these
    tenants have there. INCONCLUSIVE: what one of them has is not in force, and so keeps nothing."""
    due = {
        f"{member}: {title(one)}": {Assignment(tenant, member) for tenant in tenants}
        for member in host.members
    }
    expected = f"the host to say that {' and '.join(tenants)} both keep {title(one)}, and no more"
    for party in sorted(set().union(*due.values()), key=str):
        if host.state(party).readiness is not Readiness.READY:
            return Verdict(Outcome.INCONCLUSIVE, expected, f"{party} is {host.state(party)}")
    found = {held: set(by) for held, by in host.contested().items()}
    if found != due:
        said = [f"{held} ({', '.join(sorted(map(str, by)))})" for held, by in found.items()]
        return Verdict(Outcome.FAIL, expected, f"it says so of {'; '.join(said) or 'nothing'}")
    return Verdict(Outcome.PASS, expected, "; ".join(due))


def _due_to(host: Host, tenant: str, member: str) -> list[Object]:
    """What a tenant's source has for a member, which may be nothing."""
    content = host.contents[tenant]
    return content.due(member) if member in content.members else []


def _for_others(host: Host, tenant: str, due: Sequence[Object]) -> list[Object]:
    """What the tenant has for other members and not for this one."""
    mine = {title(one) for one in due}
    found: dict[str, Object] = {}
    content = host.contents[tenant]
    for member in content.members:
        for one in content.due(member):
            if title(one) not in mine:
                found[title(one)] = one
    return list(found.values())


def _differs(due: Object, found: Object | None) -> str:
    """How an object is not as it should be, in words; "" where it is."""
    if found is None:
        return f"{title(due)} is missing"
    other = _other(due, found)
    return f"{title(due)} has another {other}" if other else ""


def _other(due: Any, found: Any, at: str = "") -> str:
    """The first place in which what was found does not have what is due; "" where there is none.
    What else it has is the API server's."""
    if isinstance(due, dict) and isinstance(found, dict):
        places = ((f"{at}.{key}".strip("."), value, found.get(key)) for key, value in due.items())
        return next((told for name, one, has in places if (told := _other(one, has, name))), "")
    if isinstance(due, list) and isinstance(found, list) and len(due) == len(found):
        pairs = enumerate(zip(due, found, strict=True))
        return next((told for i, (a, b) in pairs if (told := _other(a, b, f"{at}[{i}]"))), "")
    return "" if due == found else at or "value"


def _told(objects: Collection[Object]) -> str:
    return ", ".join(map(title, objects)) or "nothing"


def _names(states: Mapping[Assignment, State]) -> str:
    return ", ".join(map(str, states)) or "nothing"
