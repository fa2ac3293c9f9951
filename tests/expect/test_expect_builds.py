"""Verdicts on which builds run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.expect import Outcome
from meshproof.expect.builds import are_exactly, are_of, of_one_image_each
from meshproof.mesh.builds import Build

GOOD = Build("sleep of east", "1.31.1", "revision x", "1.40.0", "pilot-agent", "sha256:aa")
OTHER = replace(GOOD, who="sleep of west", version="1.31.0", image="sha256:bb")
ISTIOD = replace(GOOD, who="istiod of east", program="pilot-discovery", image="sha256:cc")
PASS, FAIL, UNCLEAR = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("due", "builds", "outcome", "named"),
    [
        ({"1.31.1"}, [GOOD], PASS, "1 of 1.31.1 (revision x)"),
        ({"1.31.1", "1.31.0"}, [GOOD, OTHER], PASS, "1 of 1.31.0"),
        ({"1.31.1"}, [GOOD, OTHER], FAIL, "sleep of west says 1.31.0"),
        ({"1.31.1"}, [], UNCLEAR, "there are none"),
    ],
)
def test_programs_are_of_a_version_that_is_due(
    due: set[str], builds: list[Build], outcome: Outcome, named: str
) -> None:
    verdict = are_of(due, builds, "x")
    assert (verdict.outcome, named in verdict.observed) == (outcome, True), str(verdict)


@pytest.mark.parametrize(
    ("due", "builds", "outcome", "named"),
    [
        ({"1.31.1", "1.31.0"}, [GOOD, OTHER], PASS, "1 of 1.31.0"),
        ({"1.31.1", "1.31.0"}, [GOOD], FAIL, "none of x is 1.31.0"),
        ({"1.31.1"}, [GOOD, OTHER], FAIL, "sleep of west says 1.31.0"),
        ({"1.31.1"}, [], UNCLEAR, "there are none"),
    ],
)
def test_of_each_version_that_is_due_there_is_a_program(
    due: set[str], builds: list[Build], outcome: Outcome, named: str
) -> None:
    verdict = are_exactly(due, builds, "x")
    assert (verdict.outcome, named in verdict.observed) == (outcome, True), str(verdict)


@pytest.mark.parametrize(
    ("builds", "outcome", "named"),
    [
        ([GOOD, OTHER, ISTIOD, replace(GOOD, who="a")], PASS, "pilot-agent 1.31.0"),
        (
            [GOOD, replace(GOOD, image="sha256:dd")],
            FAIL,
            "pilot-agent 1.31.1 is of several images: sha256:aa, sha256:dd",
        ),
        (
            [GOOD, replace(OTHER, image=GOOD.image)],
            FAIL,
            "pilot-agent 1.31.1 and pilot-agent 1.31.0 are of one image, sha256:aa",
        ),
        ([GOOD, replace(OTHER, image="")], UNCLEAR, "sleep of west is of no known image"),
        ([], UNCLEAR, "there are none"),
    ],
)
def test_each_version_is_of_an_image_of_its_own(
    builds: list[Build], outcome: Outcome, named: str
) -> None:
    verdict = of_one_image_each(builds)
    assert (verdict.outcome, named in verdict.observed) == (outcome, True), str(verdict)
