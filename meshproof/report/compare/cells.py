"""A record as comparisons see it: one cell for each behaviour on each deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from meshproof.events import Data
from meshproof.model import installer_words
from meshproof.report.cases import Case, cases, not_run
from meshproof.report.outcomes import WORST_FIRST
from meshproof.report.record import Record

NOT_RUN = "not run"
_WORST_FIRST = ("FAIL", "INCONCLUSIVE", NOT_RUN, *WORST_FIRST[2:])


@dataclass(frozen=True)
class Cell:
    """The tests of a behaviour on a deployment. ``lacking``: how many more were planned and have
    no outcome."""

    behaviour: str
    deployment: str
    cases: Sequence[Case]
    lacking: int = 0

    @cached_property
    def outcome(self) -> str:
        """The worst of its tests; "not run" where some are lacking and none of the others is
        worse."""
        found = [one.judged.outcome for one in self.cases] + [NOT_RUN] * (self.lacking > 0)
        return min(found, key=_WORST_FIRST.index)

    @property
    def worst(self) -> Case:
        """The first of the tests that ended worst."""
        return min(self.cases, key=lambda one: _WORST_FIRST.index(one.judged.outcome))

    @property
    def why(self) -> str:
        """Why it did not hold; "" where it did."""
        return self.worst.judged.cause or self.worst.judged.why

    @property
    def seconds(self) -> float:
        """What its tests took."""
        return sum(one.judged.seconds for one in self.cases)

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return sum(int(batch["calls"]) for one in self.cases for batch in one.calls)

    @property
    def unanswered(self) -> int:
        """How many calls got no answer of success (2xx)."""
        answered: int = sum(
            count
            for one in self.cases
            for batch in one.calls
            for status, count in batch["answers"].items()
            if status.isdecimal() and status.startswith("2")
        )
        return max(0, self.calls - answered)


def cells(record: Record) -> list[Cell]:
    """The cells of a record, in the order in which their first tests were planned."""
    lacking = not_run(record)
    groups: dict[tuple[str, str], list[Case]] = {}
    for one in cases(record):
        groups.setdefault((one.judged.behaviour, one.judged.deployment), []).append(one)
    return [
        Cell(behaviour, deployment, group, _lacking(lacking, deployment, group))
        for (behaviour, deployment), group in groups.items()
    ]


def deployments(record: Record) -> list[Data]:
    """The deployments that tests ran on, each once."""
    return list({one.judged.deployment: one.on for one in cases(record)}.values())


def shape(deployment: Data) -> str:
    """A deployment without its versions: what two versions of Istio are compared on. Clusters
    without a mesh have none, and are called as they are."""
    if "topology" not in deployment:
        return str(deployment["id"])
    way = deployment.get("upgrade")
    words = [*sorted(deployment["variants"]), *([way["words"]] if way else [])]
    words += installer_words(deployment.get("installer"))
    return "+".join([deployment["topology"], deployment["mtls"], *words])


def _lacking(tests: Sequence[str], deployment: str, group: Sequence[Case]) -> int:
    """How many of the tests are of the same functions on the same deployment: their ids begin
    alike."""
    functions = {one.judged.test.partition("[")[0] for one in group}
    beginnings = tuple(f"{one}[{deployment}{end}" for one in functions for end in "]-")
    return sum(test.startswith(beginnings) for test in tests)
