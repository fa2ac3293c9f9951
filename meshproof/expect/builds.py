"""Judges which builds of Istio run, by what the programs say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from meshproof.expect.verdict import Outcome, Verdict
from meshproof.mesh.builds import Build


def are_of(due: Collection[str], builds: Sequence[Build], who: str) -> Verdict:
    """PASS when all say that they are of a version that is due; FAIL names those that do not.
    INCONCLUSIVE: nobody was there to be asked."""
    expected = f"{who} to be of Istio {' or '.join(sorted(due))}"
    if not builds:
        return Verdict(Outcome.INCONCLUSIVE, expected, "there are none")
    others = [one for one in builds if one.version not in due]
    if others:
        return Verdict(Outcome.FAIL, expected, f"{others[0].who} says {others[0].version}")
    told = Counter(f"{one.version} ({one.details})" for one in builds)
    observed = ", ".join(f"{count} of {text}" for text, count in told.items())
    return Verdict(Outcome.PASS, expected, observed)


def are_exactly(due: Collection[str], builds: Sequence[Build], who: str) -> Verdict:
    """As ``are_of``, and each of the versions that are due is there."""
    verdict = are_of(due, builds, who)
    missing = sorted(set(due) - {one.version for one in builds})
    if verdict.outcome is Outcome.PASS and missing:
        expected = f"{who} to be of Istio {' and '.join(sorted(due))}"
        return Verdict(Outcome.FAIL, expected, f"none of {who} is {missing[0]}")
    return verdict


def of_one_image_each(builds: Iterable[Build]) -> Verdict:
    """PASS when all programs of a kind and version are of one image, whichever cluster they run in,
    and those of two versions of two; FAIL names what is not. INCONCLUSIVE: no image is known.

    A version is what a program was told when it was built; its image is what runs.
    """
    expected = "one image for each version of a program, and another for each other version"
    images: dict[tuple[str, str], set[str]] = {}
    for one in builds:
        if not one.image:
            return Verdict(Outcome.INCONCLUSIVE, expected, f"{one.who} is of no known image")
        images.setdefault((one.program, one.version), set()).add(one.image)
    if not images:
        return Verdict(Outcome.INCONCLUSIVE, expected, "there are none")
    told = {f"{name} {version}": ", ".join(sorted(of)) for (name, version), of in images.items()}
    for what, found in told.items():
        if ", " in found:
            return Verdict(Outcome.FAIL, expected, f"{what} is of several images: {found}")
    twice = [one for one, count in Counter(told.values()).items() if count > 1]
    if twice:
        same = " and ".join(what for what, found in told.items() if found == twice[0])
        return Verdict(Outcome.FAIL, expected, f"{same} are of one image, {twice[0]}")
    return Verdict(Outcome.PASS, expected, ", ".join(told), told)
