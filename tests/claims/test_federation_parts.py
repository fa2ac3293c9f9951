"""What is claimed of parts of the calls by a global name: for a subset, aborted, or delayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from suites.federation.parts import (
    aborted_in_part,
    delayed_in_part,
    subset_is_asked_for_in_part,
)
from suites.federation.rules import SUBSET
from tests.claims.changes import after, changed, failing, unheard, unlogged
from tests.claims.exposing import by_name, heard_as, of, served_by, with_askers
from tests.claims.table import (
    NO_LINE,
    Case,
    Doing,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)
from tests.claims.world import Came
from tests.doubles.calls import Call


def marked(part: str, tenths: int) -> Callable[[Call], bool]:
    """So many of ten calls with this header."""
    return lambda call: call.headers.get("x-part") == part and call.number % 10 < tenths


def for_the_subset(tenths: int) -> Doing:
    """So many of ten calls are for the subset."""
    chosen = marked("subset", tenths)

    def done(stage: Stage) -> None:
        stage.world.subset = lambda call, _: SUBSET if chosen(call) else ""

    return done


def aborted(tenths: int) -> Doing:
    """So many of ten calls end at the caller's own proxy."""
    return failing(418, "FI", "fault_filter_abort", marked("aborted", tenths))


def delayed(tenths: int, seconds: float = 0.11, flags: str = "DI") -> Doing:
    """So many of ten calls take so long, and are flagged."""

    def held_up(_: Call, came: Came) -> Came:
        return replace(came.logged(flags=flags), reply=replace(came.reply, seconds=seconds))

    return changed(held_up, marked("delayed", tenths))


def slow(stage: Stage) -> None:
    """Every call takes long."""
    changed(lambda _, came: replace(came, reply=replace(came.reply, seconds=0.2)))(stage)


def with_(doing: Doing) -> Doing:
    return after(with_askers, doing)


CASES = [
    *cases(
        subset_is_asked_for_in_part,
        of(before=with_(for_the_subset(3))),
        passes(),
        fails("v1 from east", served_by("v1", by_name)),
        fails("468 calls for outbound_.5000_._.other", heard_as(sni="outbound_.5000_._.other")),
        unclear("468 of 468 calls of which nobody knows", unheard()),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        subset_is_asked_for_in_part, of(before=with_(for_the_subset(9))), fails("the subset: 422")
    ),
    *cases(subset_is_asked_for_in_part, of(), fails("the subset: 0")),
    *cases(
        aborted_in_part,
        of(before=with_(aborted(3))),
        passes(),
        fails("v1 from east", served_by("v1", lambda call: not marked("aborted", 3)(call))),
        unclear("without a line in the caller's access log", unlogged(marked("aborted", 3))),
    ),
    *cases(aborted_in_part, of(before=with_(aborted(9))), fails("the fault: 422")),
    *cases(aborted_in_part, of(), fails("the fault: 0")),
    *cases(
        aborted_in_part,
        of(before=with_(failing(418, "-", "via_upstream", marked("aborted", 3)))),
        fails("141 x 418"),
    ),
    *cases(
        delayed_in_part,
        of(before=with_(delayed(3))),
        passes(),
        fails("the quickest of others took 0.2 s", slow),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(delayed_in_part, of(before=with_(delayed(9))), fails("the delay: 422")),
    *cases(delayed_in_part, of(), fails("the delay: 0")),
    *cases(delayed_in_part, of(before=with_(delayed(3, flags="-"))), fails("the delay: 0")),
    *cases(
        delayed_in_part,
        of(before=with_(delayed(3, seconds=0.01))),
        fails("141 did not, such as one of 0.01 s"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation_parts(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
