"""What is claimed of visibility."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from suites.visibility.claims import (
    distrusted_from_outside,
    hidden_where_configured,
    marked_from_outside,
    trusted_as_usual,
)
from suites.visibility.narrowing import CLUSTER, MARK, SERVICE
from tests.claims.changes import after, always, answering, changed, failing, logged, unlogged
from tests.claims.table import (
    NO_LINE,
    REMOTE,
    SPLIT,
    Case,
    Doing,
    Stage,
    cases,
    fails,
    judge,
    on,
    passes,
    unclear,
)
from tests.claims.world import Came
from tests.doubles.calls import Call


def asked_from(*clusters: str) -> Callable[[Call], bool]:
    """Calls to the further Service from these clusters."""
    return lambda call: call.host.startswith(f"{SERVICE}.") and call.caller.cluster in clusters


def hidden_from(*clusters: str) -> Doing:
    """Callers' proxies there do not know the Service."""
    asked = asked_from(*clusters)
    ended = failing(502, "-", "direct_response", asked)
    return after(ended, logged(asked, upstream_cluster="BlackHoleCluster"))


def marked(mark: str) -> Doing:
    def told(_: Call, came: Came) -> Came:
        body = f"{came.reply.body}{MARK}: {mark}\n"
        return replace(came, reply=replace(came.reply, body=body))

    return changed(told)


def helloworld_fails(stage: Stage) -> None:
    """The Service that everybody sees does not answer."""
    usual = failing(
        503, "UH", "no_healthy_upstream", lambda call: call.host.startswith("helloworld")
    )
    usual(stage)


DISTRUSTING = failing(503, "UF", "upstream_reset{CERTIFICATE_VERIFY_FAILED}", always)
CASES = [
    *cases(
        hidden_where_configured,
        on("west", topology=SPLIT),
        passes(doing=hidden_from("west")),
        fails("40 from west were answered, such as 200 by v1"),
        fails(
            f"40 from west were sent to {CLUSTER}",
            failing(503, "UH", "no_healthy_upstream", asked_from("west")),
        ),
        fails("40 x 502", hidden_from("east", "west")),
        unclear("without a line", after(hidden_from("west"), unlogged(asked_from("west")))),
        unclear("40 x 503 [UH]", after(hidden_from("west"), helloworld_fails)),
    ),
    *cases(
        hidden_where_configured,
        on("west", topology=REMOTE),
        passes(),
        fails("40 x 502", hidden_from("west")),
    ),
    *cases(
        hidden_where_configured,
        on("east", topology=REMOTE),
        passes(doing=hidden_from("east", "west")),
        fails("40 from west were answered", hidden_from("east")),
    ),
    *cases(
        marked_from_outside,
        on("sample"),
        passes(doing=marked("sample")),
        fails("40 from east bear the mark ''"),
        fails("v2 never answered", after(marked("sample"), answering("v1"))),
        unclear(NO_LINE, after(marked("sample"), unlogged())),
    ),
    *cases(
        distrusted_from_outside,
        on(),
        passes(doing=DISTRUSTING),
        fails("12 x 200"),
        fails("12 x 503 [UH]", failing(503, "UH", "no_healthy_upstream", always)),
        unclear("without a line in the caller's access log", after(DISTRUSTING, unlogged())),
    ),
    *cases(
        trusted_as_usual,
        on(),
        passes(),
        fails("503 [UF]", DISTRUSTING),
        fails("v2 never answered", answering("v1")),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        marked_from_outside,
        on(""),
        passes(),
        fails("40 from east bear the mark '.'", marked(".")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_visibility(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
