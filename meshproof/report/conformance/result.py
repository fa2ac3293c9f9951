"""What counts of tests come to, in one word: what was not judged never looks like success."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

HELD, FAILED, KNOWN_ISSUES = "held", "failed", "knownIssues"
COULD_NOT_TELL, SKIPPED, NOT_RUN = "couldNotTell", "skipped", "notRun"
COUNTED = (HELD, FAILED, KNOWN_ISSUES, COULD_NOT_TELL, SKIPPED, NOT_RUN)
"""What statistics count; each test is one of these."""
_OPEN = (COULD_NOT_TELL, SKIPPED, NOT_RUN)


class Result(StrEnum):
    """From the worst to the best; the last one is no judgement at all."""

    FAILURE = "failure"
    """Something did not hold, in a way that no known issue explains."""
    PARTIAL = "partial"
    """Nothing failed, but something that was to be judged was not."""
    KNOWN = "known-issues"
    """All was judged, and what failed did so just as known issues say."""
    SUCCESS = "success"
    """All was judged, and held."""
    NOT_JUDGED = "not-judged"
    """No test was there to judge it."""


def result_of(statistics: Mapping[str, int], *, whole: bool = True) -> Result:
    """The result of counts by ``COUNTED``. ``whole``: whether all tests are counted that were to be
    judged; where some are nobody knows where, nothing is a success."""
    if statistics[FAILED]:
        return Result.FAILURE
    if any(statistics[name] for name in _OPEN):
        return Result.PARTIAL
    if not (statistics[HELD] or statistics[KNOWN_ISSUES]):
        return Result.NOT_JUDGED
    if not whole:
        return Result.PARTIAL
    return Result.KNOWN if statistics[KNOWN_ISSUES] else Result.SUCCESS


def in_all(results: list[Result], *, whole: bool = True) -> Result:
    """The result of several together: the worst; of what was not judged at all nothing is said."""
    judged = [one for one in results if one is not Result.NOT_JUDGED]
    if not judged:
        return Result.NOT_JUDGED if whole else Result.PARTIAL
    worst = min(judged, key=list(Result).index)
    return worst if whole or worst is Result.FAILURE else Result.PARTIAL
