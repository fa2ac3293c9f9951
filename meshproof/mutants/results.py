"""What became of mutants: outcomes, their count, and the file that holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from meshproof.artifacts import digests
from meshproof.errors import EXIT_COULD_NOT_TELL, EXIT_DID_NOT_HOLD, EXIT_HELD, UsageError
from meshproof.mutants.catalogue import Mutant
from meshproof.mutants.control import FAIL, PASS, Control
from meshproof.reading import read_text
from meshproof.report import Judged
from meshproof.writing import written

_LONGEST = 600
"""Characters of what a verdict says that are kept."""
PLAIN = "distribution/every-version-answers"
"""The behaviour that is called plain distribution."""


class Outcome(StrEnum):
    """What became of a mutant."""

    NOTICED = "noticed rightly"
    """By the behaviour that must, in words that name the right thing."""
    MISNAMED = "noticed in other words"
    """By the behaviour that must, but its words do not tell what is wrong."""
    ELSEWHERE = "noticed by another"
    UNNOTICED = "unnoticed"
    UNDECIDED = "could not be judged"
    """It was in force, and no behaviour failed, but some were not judged."""
    NOT_IN_FORCE = "not in force"
    BROKEN = "could not be switched"
    UNFIT = "not in this Istio"


COUNTED = (
    Outcome.NOTICED,
    Outcome.MISNAMED,
    Outcome.ELSEWHERE,
    Outcome.UNNOTICED,
    Outcome.UNDECIDED,
)
"""The outcomes of mutants that were in force."""
TOLD = (*COUNTED[:-1], Outcome.NOT_IN_FORCE, Outcome.UNFIT)
"""The outcomes that stay as they are when a run goes on where another one ended."""
_MISSED = (Outcome.MISNAMED, Outcome.ELSEWHERE, Outcome.UNNOTICED)


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Notice(_Strict):
    """A behaviour that failed, and in what words."""

    behaviour: str
    words: str


class Result(_Strict):
    """``plain``: how plain distribution was judged, "" where it was not; ``differs``: by how many
    lines what was looked at differed; ``healed``: whether it was as before when the mutant was
    off again; ``anew``: whether the mesh was made anew after it, by a test or since it did not
    heal; ``why``: what kept it from being judged, or who else was not; ``evidence``: the folder of
    views and records, from that of the results; ``digest``: of the mutant (``digest_of``)."""

    id: str
    outcome: Outcome = Field(strict=False)
    by: tuple[Notice, ...] = Field(default=(), strict=False)
    plain: str = ""
    differs: int = 0
    healed: bool = True
    anew: bool = False
    why: str = ""
    seconds: float = 0.0
    evidence: str = ""
    digest: str = ""


class Held(_Strict):
    """How a topology's control run ended: with the mutants' program, and none of them on.

    ``held``: the behaviours that did; ``not_held``: those that did not, with why; ``seconds``: how
    long it took.
    """

    topology: str
    held: tuple[str, ...] = Field(default=(), strict=False)
    not_held: tuple[Notice, ...] = Field(default=(), strict=False)
    seconds: float = 0.0


class Campaign(_Strict):
    """``istio``: the version that the mutated istiod says it is."""

    meshproof: str
    istio: str
    controls: tuple[Held, ...] = Field(default=(), strict=False)
    results: tuple[Result, ...] = Field(default=(), strict=False)


def write(path: Path, campaign: Campaign) -> None:
    """Write a campaign's results, of as many mutants as there are so far. Raises MeshproofError."""
    written(path, campaign.model_dump_json(indent=1) + "\n", "the results")


def read(path: Path) -> Campaign:
    """The results of a campaign. Raises UsageError for what is none."""
    text = read_text(path, "the results", error=UsageError)
    try:
        return Campaign.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(f"{path} holds no results of mutants ({where}: {first['msg']})") from None


def merged(campaigns: Sequence[Campaign]) -> Campaign:
    """One campaign of several parts: of a mutant that is in several the last result counts. Raises
    UsageError for parts on different Istios."""
    first = campaigns[0]
    for other in campaigns[1:]:
        if other.istio != first.istio:
            raise UsageError(
                f"these results are of Istio {first.istio} and of {other.istio}",
                "give those of one alone",
            )
    results = {one.id: one for campaign in campaigns for one in campaign.results}
    controls = together(one for campaign in campaigns for one in campaign.controls)
    return first.model_copy(update={"results": tuple(results.values()), "controls": controls})


def together(controls: Iterable[Held]) -> tuple[Held, ...]:
    """One of the control runs of each topology, the last of which counts for a behaviour that is in
    several."""
    found: dict[str, Held] = {}
    for one in controls:
        found[one.topology] = _joined(found.get(one.topology, Held(topology=one.topology)), one)
    return tuple(found.values())


def _joined(earlier: Held, later: Held) -> Held:
    now = {*later.held, *(one.behaviour for one in later.not_held)}
    held = [one for one in earlier.held if one not in now]
    not_held = [one for one in earlier.not_held if one.behaviour not in now]
    return Held(
        topology=later.topology,
        held=(*held, *later.held),
        not_held=(*not_held, *later.not_held),
        seconds=round(earlier.seconds + later.seconds, 1),
    )


def digest_of(mutant: Mutant) -> str:
    """Changes with anything that the catalogue says of the mutant."""
    return digests.of_inputs(mutant.model_dump(mode="json"))


def left(mutants: Sequence[Mutant], results: Iterable[Result]) -> tuple[Mutant, ...]:
    """The mutants of which the results of an earlier run do not tell, or not of what the catalogue
    says now."""
    told = {one.id: one.digest for one in results if one.outcome in TOLD}
    return tuple(one for one in mutants if told.get(one.id) != digest_of(one))


def noticed(
    mutant: Mutant, control: Control, first: Sequence[Judged], everything: Sequence[Judged]
) -> Result:
    """What became of a mutant that was in force.

    ``control``: how the same tests ended without it; ``first``: how those of the behaviour that
    must notice ended; ``everything``: those of all behaviours, which are judged when it stayed
    green, or is not there. A failure counts where the control held.
    """
    failed = control.failures([*first, *everything])
    must = [one for one in failed if one.behaviour == mutant.notices]
    named = [one for one in must if mutant.is_named_by(one.why)]
    if must:
        outcome = Outcome.NOTICED if named else Outcome.MISNAMED
        return Result(id=mutant.id, outcome=outcome, by=_notices(named or must))
    if failed:
        return Result(id=mutant.id, outcome=Outcome.ELSEWHERE, by=_notices(failed))
    open_ones = [one for one in [*first, *everything] if not control.tells(one)]
    if open_ones or not (first or everything):
        why = f"{open_ones[0].behaviour}: {open_ones[0].why}" if open_ones else "nothing was judged"
        return Result(id=mutant.id, outcome=Outcome.UNDECIDED, why=why[:_LONGEST])
    return Result(id=mutant.id, outcome=Outcome.UNNOTICED)


def plainly(tests: Iterable[Judged]) -> str:
    """How plain distribution was judged, the worst of its tests; "" when it was not."""
    outcomes = {one.outcome for one in tests if one.behaviour == PLAIN}
    return next((one for one in (FAIL, "INCONCLUSIVE", PASS) if one in outcomes), "")


def exit_code(results: Sequence[Result], mutants: Sequence[Mutant]) -> int:
    """0 when every mutant was noticed rightly, or is explained; 1 when one was not; 2 when it
    could not be told of one."""
    explained = {one.id for one in mutants if one.explained}
    if any(one.outcome in _MISSED and one.id not in explained for one in results):
        return EXIT_DID_NOT_HOLD
    told = {one.id for one in results if one.outcome in TOLD and (one.healed or one.anew)}
    told -= {one.id for one in results if one.outcome is Outcome.NOT_IN_FORCE}
    return EXIT_HELD if mutants and all(one.id in told for one in mutants) else EXIT_COULD_NOT_TELL


def count(results: Sequence[Result]) -> str:
    """The count of outcomes in a line."""
    counts = Counter(one.outcome for one in results)
    in_force = sum(counts[one] for one in COUNTED)
    parts = [f"{counts[one]} {one.value}" for one in Outcome if counts[one]]
    return f"{in_force} of {len(results)} mutants in force: {', '.join(parts) or 'none judged'}."


def broken(mutant: Mutant, why: str) -> Result:
    """What became of one that could not be switched, or looked at."""
    return Result(id=mutant.id, outcome=Outcome.BROKEN, why=why[:_LONGEST], healed=False)


def undecided(mutant: Mutant, why: str) -> Result:
    """What became of one that nobody could judge."""
    return Result(id=mutant.id, outcome=Outcome.UNDECIDED, why=why[:_LONGEST])


def _notices(failed: Iterable[Judged]) -> tuple[Notice, ...]:
    found = {one.behaviour: one.why for one in reversed(list(failed))}
    notices = [Notice(behaviour=name, words=why[:_LONGEST]) for name, why in found.items()]
    return tuple(reversed(notices))
