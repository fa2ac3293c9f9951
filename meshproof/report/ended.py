"""How a run ended, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from meshproof.report.flaky import flaky_in
from meshproof.report.outcomes import Judged
from meshproof.report.tally import Tally

_HELD = "PASS"


def as_json(
    outcomes: Sequence[Judged], tally: Tally, exit_code: int, record: str | None, again: str | None
) -> str:
    """The counts, all that did not hold with its reason, and where the whole record is.

    ``record``: the run's folder, None where nothing was recorded; ``again``: the command that
    repeats the first failure.
    """
    data = {
        "result": tally.word(exit_code),
        "exitCode": exit_code,
        "counts": {
            "held": tally.held,
            "failed": tally.failed,
            "couldNotTell": tally.unclear,
            "knownIssues": tally.known,
            "notRun": tally.not_run,
        },
        "tests": [_of(one) for one in outcomes if one.outcome != _HELD],
        "flaky": [one.test for one in flaky_in(outcomes)],
        "record": record,
        "again": again,
    }
    return json.dumps(data, indent=1)


def _of(one: Judged) -> dict[str, object]:
    return {
        "test": one.test,
        "behaviour": one.behaviour,
        "deployment": one.deployment,
        "outcome": one.outcome,
        "why": one.cause or one.why,
        "evidence": list(one.evidence),
    }
