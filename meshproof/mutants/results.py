"""What became of mutants: outcomes, their count, and the file that holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meshproof.errors import (
    EXIT_COULD_NOT_TELL,
    EXIT_DID_NOT_HOLD,
    EXIT_HELD,
    MeshproofError,
    UsageError,
)
from meshproof.mutants.catalogue import Mutant
from meshproof.reading import file_errors, read_text
from meshproof.report import Judged

PLAIN = "distribution/every-version-answers"
"""The behaviour that is called plain distribution."""
_FAIL, _PASS = "FAIL", "PASS"


class Outcome(StrEnum):
    """What became of a mutant."""

    NOTICED = "noticed rightly"
    """By the behaviour that must."""
    ELSEWHERE = "noticed by another"
    UNNOTICED = "unnoticed"
    UNDECIDED = "could not be judged"
    """It was in force, and no behaviour failed, but some were not judged."""
    NOT_IN_FORCE = "not in force"
    BROKEN = "could not be switched"
    UNFIT = "not in this Istio"


COUNTED = (Outcome.NOTICED, Outcome.ELSEWHERE, Outcome.UNNOTICED, Outcome.UNDECIDED)
"""The outcomes of mutants that were in force."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Notice(_Strict):
    """A behaviour that failed, and in what words."""

    behaviour: str
    words: str


class Result(_Strict):
    """``plain``: how plain distribution was judged, "" where it was not; ``differs``: by how many
    lines what was looked at differed; ``healed``: whether it was as before when the mutant was
    off again; ``why``: what kept it from being judged, or who else was not; ``evidence``: the
    folder of views and records, from that of the results."""

    id: str
    outcome: Outcome = Field(strict=False)
    by: tuple[Notice, ...] = Field(default=(), strict=False)
    plain: str = ""
    differs: int = 0
    healed: bool = True
    why: str = ""
    seconds: float = 0.0
    evidence: str = ""


class Campaign(_Strict):
    """``istio``: the version that the mutated istiod says it is."""

    meshproof: str
    istio: str
    results: tuple[Result, ...] = Field(default=(), strict=False)


def write(path: Path, campaign: Campaign) -> None:
    """Write a campaign's results, of as many mutants as there are so far. Raises MeshproofError."""
    draft = path.with_suffix(".new")
    with file_errors(path, "the results", doing="write"):
        draft.write_text(campaign.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draft.replace(path)


def read(path: Path) -> Campaign:
    """The results of a campaign. Raises UsageError for what is none."""
    text = read_text(path, "the results", error=UsageError)
    try:
        return Campaign.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"{path} holds no results of mutants ({where}: {first['msg']})") from None


def noticed(mutant: Mutant, first: Sequence[Judged], everything: Sequence[Judged]) -> Result:
    """What became of a mutant that was in force.

    ``first``: how the tests of the behaviour that must notice ended; ``everything``: those of all
    behaviours, which are judged when it stayed green, or is not there.
    """
    rightly = _failed(one for one in [*first, *everything] if one.behaviour == mutant.notices)
    if rightly:
        return Result(id=mutant.id, outcome=Outcome.NOTICED, by=rightly)
    others = _failed(everything)
    if others:
        return Result(id=mutant.id, outcome=Outcome.ELSEWHERE, by=others)
    open_ones = [one for one in [*first, *everything] if one.outcome != _PASS]
    if open_ones or not (first or everything):
        why = f"{open_ones[0].behaviour}: {open_ones[0].why}" if open_ones else "nothing was judged"
        return Result(id=mutant.id, outcome=Outcome.UNDECIDED, why=why)
    return Result(id=mutant.id, outcome=Outcome.UNNOTICED)


def plainly(tests: Iterable[Judged]) -> str:
    """How plain distribution was judged, the worst of its tests; "" when it was not."""
    outcomes = {one.outcome for one in tests if one.behaviour == PLAIN}
    return next((one for one in (_FAIL, "INCONCLUSIVE", _PASS) if one in outcomes), "")


def exit_code(results: Sequence[Result], mutants: Sequence[Mutant]) -> int:
    """0 when every mutant was noticed rightly, or is explained; 1 when one was not; 2 when it
    could not be told of one."""
    explained = {one.id for one in mutants if one.explained}
    missed = [
        one
        for one in results
        if one.outcome in (Outcome.ELSEWHERE, Outcome.UNNOTICED) and one.id not in explained
    ]
    if missed:
        return EXIT_DID_NOT_HOLD
    open_ones = (Outcome.UNDECIDED, Outcome.NOT_IN_FORCE, Outcome.BROKEN)
    if not results or any(one.outcome in open_ones or not one.healed for one in results):
        return EXIT_COULD_NOT_TELL
    return EXIT_HELD


def count(results: Sequence[Result]) -> str:
    """The count of outcomes in a line."""
    counts = Counter(one.outcome for one in results)
    in_force = sum(counts[one] for one in COUNTED)
    parts = [f"{counts[one]} {one.value}" for one in Outcome if counts[one]]
    return f"{in_force} of {len(results)} mutants in force: {', '.join(parts) or 'none judged'}."


def broken(mutant: Mutant, error: MeshproofError) -> Result:
    """What became of one that could not be switched, or looked at."""
    return Result(id=mutant.id, outcome=Outcome.BROKEN, why=error.cause, healed=False)


def _failed(tests: Iterable[Judged]) -> tuple[Notice, ...]:
    found = {one.behaviour: one.why for one in tests if one.outcome == _FAIL}
    return tuple(Notice(behaviour=name, words=why[:600]) for name, why in found.items())
