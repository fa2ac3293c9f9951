"""What is claimed of authorities and roots that were replaced, by what was seen of them."""

from __future__ import annotations

import pytest

from suites.change.trust import Begun, Issued, came_into_force, issued_as_due, ran_on
from tests.claims.table import Case, Setting, cases, fails, judge, passes, unclear

ANEW = "meshproof east anew"
FIRST, SECOND = "the new root is trusted as well", "authorities below the new root sign"
STALE = "sleep-1 of east (10.0.0.9) trusts other roots"


def issued(*by: str) -> Setting:
    """Pods with certificates by these, that are all due to be by one."""
    shown = [Issued(f"helloworld-v{number}", one, ANEW) for number, one in enumerate(by, 1)]
    return Setting(lambda _: (shown,))


def begun(**missing: str) -> Setting:
    stages = {"first": FIRST, "second": SECOND}
    found = [Begun(stages[name], text) for name, text in missing.items()]
    return Setting(lambda _: (found,))


def ended(**how: str) -> Setting:
    """Istiods that ended, or did not, by their clusters."""
    return Setting(lambda _: (how,))


CASES = [
    *cases(issued_as_due, issued(ANEW, ANEW), passes("2 are")),
    *cases(
        issued_as_due,
        issued(ANEW, "meshproof east"),
        fails("helloworld-v2 has a certificate by meshproof east"),
    ),
    *cases(issued_as_due, issued(""), fails("helloworld-v1 has a certificate by nobody")),
    *cases(issued_as_due, issued(), unclear("no workload was asked")),
    *cases(came_into_force, begun(first="", second=""), passes("all 2 stages did")),
    *cases(
        came_into_force,
        begun(first="", second=STALE),
        fails(f"'{SECOND}' did not: {STALE}"),
    ),
    *cases(came_into_force, begun(), unclear("nothing was begun")),
    *cases(ran_on, ended(east="", west=""), passes("all of them did")),
    *cases(
        ran_on,
        ended(east="", west="ended in a panic: nil map"),
        fails("the istiod in west ended in a panic: nil map"),
    ),
    *cases(ran_on, ended(), unclear("no control plane was looked at")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_change_trust(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
