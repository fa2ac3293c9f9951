"""What is claimed of authorities and roots that were replaced while calls went on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meshproof.expect import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that a workload shows: by whom it is, and by whom it should be."""

    workload: str
    by: str
    due: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A stage of a rotation that was begun. ``missing``: what of it did not come into force, in
    words; "" when all of it did."""

    what: str
    missing: str


def issued_as_due(certificates: Sequence[Issued]) -> Verdict:
    """Each of these workloads shows a certificate by the authority that is to sign for it."""
    due = " and ".join(dict.fromkeys(f"{one.workload} to be by {one.due}" for one in certificates))
    expected = f"certificates of {due or 'workloads'}"
    if not certificates:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no workload was asked")
    for one in certificates:
        if one.by != one.due:
            observed = f"{one.workload} has a certificate by {one.by or 'nobody'}"
            return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{len(certificates)} are")


def came_into_force(stages: Sequence[Begun]) -> Verdict:
    """Each stage of a rotation came into force, in all sidecars and agents."""
    expected = f"this to come into force: {'; '.join(one.what for one in stages)}"
    if not stages:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nothing was begun")
    for one in stages:
        if one.missing:
            observed = f"'{one.what}' did not: {one.missing}"
            return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(stages)} stages did")


def ran_on(endings: Mapping[str, str]) -> Verdict:
    """No istiod has ended meanwhile: one that did has read its files anew, whatever it makes of
    files that change.

    ``endings``: by control plane how its istiod ended, "" where it did not.
    """
    expected = f"the istiods of {', '.join(endings) or 'control planes'} to run on"
    if not endings:
        return Verdict(Outcome.INCONCLUSIVE, expected, "no control plane was looked at")
    if ended := [f"the istiod in {name} {how}" for name, how in endings.items() if how]:
        return Verdict(Outcome.FAIL, expected, "; ".join(ended))
    return Verdict(Outcome.PASS, expected, "all of them did")
