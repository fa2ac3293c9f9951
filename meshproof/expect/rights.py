"""Judges what an account may do: exactly what is listed, and what it tries."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from meshproof.expect.verdict import Outcome, Verdict
from meshproof.mesh.account import Reply, Request, Right

_SHOWN = 6
Tried = Sequence[tuple[Request, Reply]]


def may_exactly(
    user: str, found: Mapping[str, Collection[Right]], expected: Collection[Right]
) -> Verdict:
    """PASS when an account has, in each namespace, the rights expected and no others.

    ``found``: by namespace. A right that a wider one covers is no difference of its own. FAIL
    names the rights that are too many or too few, and where. INCONCLUSIVE: no namespaces, or
    nothing expected. Rule: ``topologies.md``, Least privilege.
    """
    wanted = f"{user} to have exactly the {len(expected)} rights listed"
    if not found or not expected:
        what = "no namespaces" if expected else "no rights to compare with"
        return Verdict(Outcome.INCONCLUSIVE, wanted, what)
    more = {name: _beyond(rights, expected) for name, rights in found.items()}
    less = {name: _beyond(expected, rights) for name, rights in found.items()}
    told = [*_told("more", more), *_told("less", less)]
    if told:
        return Verdict(Outcome.FAIL, wanted, "; ".join(told))
    places = ", ".join(found)
    return Verdict(Outcome.PASS, wanted, f"the same in {places}", {"namespaces": places})


def allowed(tried: Tried) -> Verdict:
    """PASS when each request succeeded, and each list had something in it."""
    expected = f"{len(tried)} requests to be granted"
    if not tried:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no requests")
    refused = [
        f"{request.right}: {reply.status} {reply.said}".strip()
        for request, reply in tried
        if not 200 <= reply.status < 300
    ]
    empty = [str(one.right) for one, reply in tried if one.right.verb == "list" and not reply.found]
    evidence = {"granted": ", ".join(str(request.right) for request, _ in tried)}
    if refused:
        observed = f"{len(refused)} were not, such as {refused[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    if empty:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"an empty list from {empty[0]}", evidence)
    return Verdict(Outcome.PASS, expected, "all of them were", evidence)


def forbidden(user: str, tried: Tried) -> Verdict:
    """PASS when the API server refused each request because ``user`` may not make it.

    A 403 for another reason, such as an admission webhook's, is a FAIL, for it would not have
    come that far.
    """
    expected = f"{len(tried)} requests of {user} to be refused with 403"
    if not tried:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no requests")
    reason = f'User \\"{user}\\" cannot'
    open_ways = [
        f"{request.right}: {reply.status} {reply.said}".strip()
        for request, reply in tried
        if reply.status != 403 or reason not in reply.said
    ]
    if open_ways:
        return Verdict(Outcome.FAIL, expected, f"otherwise: {'; '.join(open_ways)}")
    names = ", ".join(str(request.right) for request, _ in tried)
    return Verdict(Outcome.PASS, expected, "all of them were", {"refused": names})


def _beyond(some: Collection[Right], others: Collection[Right]) -> tuple[Right, ...]:
    """Those of ``some`` that none of ``others`` covers."""
    return tuple(sorted(one for one in some if not any(other.covers(one) for other in others)))


def _told(word: str, by_namespace: Mapping[str, tuple[Right, ...]]) -> list[str]:
    """Each set of rights once, with the namespaces that have it."""
    told = []
    for rights in dict.fromkeys(by_namespace.values()):
        names = [name for name, theirs in by_namespace.items() if theirs == rights]
        if rights:
            listed = ", ".join(map(str, rights[:_SHOWN]))
            rest = f" and {len(rights) - _SHOWN} others" if len(rights) > _SHOWN else ""
            where = "every namespace" if len(names) == len(by_namespace) else ", ".join(names)
            told.append(f"{word} in {where}: {listed}{rest}")
    return told
