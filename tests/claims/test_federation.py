"""What is claimed of calls by a global name, and of rules for one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meshproof.mesh.gateways import sni_of
from meshproof.model import UNRELATED_ROOTS, Mtls
from meshproof.workloads.sample import PORT
from suites.federation.claims import (
    answered_by_the_provider,
    heard_with,
    is_not_answered,
    leads_to_the_other_mesh,
    tcp_leads_to_the_other_mesh,
)
from suites.federation.rules import rules_decide
from tests.claims.changes import (
    changed,
    failing,
    logged,
    retried,
    unheard,
    unlogged,
    unseen,
)
from tests.claims.exposing import (
    IMPORTED,
    also_in_plain_text,
    at_home,
    by_name,
    heard_as,
    of,
    of_calls,
    ruled,
    served_as,
    served_by,
)
from tests.claims.greeting import greeter, logging
from tests.claims.table import (
    NO_LINE,
    Case,
    cases,
    fails,
    judge,
    passes,
    unclear,
)

CASES = [
    *cases(
        leads_to_the_other_mesh,
        of(),
        passes(),
        fails("v1 from east", served_by("v1", by_name)),
        fails("1 x 503 [UH]", failing(503, "UH", "no_healthy_upstream")),
        fails("a hidden retry", retried()),
        fails("upstream_host is 10.0.0.9:5000", logged(upstream_host="10.0.0.9:5000")),
        fails("20 do not", served_as("spiffe://alpha.example/ns/sample/sa/helloworld")),
        fails("20 callers' lines name nobody", logged(upstream_peer=None)),
        fails("20 of nobody for", heard_as(peer=None)),
        fails("for outbound_.5000_._.other", heard_as(sni="outbound_.5000_._.other")),
        fails("0 of TLS", unseen()),
        fails("20 of plain text", changed(also_in_plain_text)),
        unclear(NO_LINE, unlogged()),
        unclear("20 of 20 in no server's log", unheard()),
    ),
    *cases(leads_to_the_other_mesh, of(mtls=Mtls.PERMISSIVE), passes()),
    *cases(
        answered_by_the_provider,
        of_calls(),
        passes(),
        fails("v1 from east", served_by("v1", by_name)),
        unclear(NO_LINE, unlogged()),
    ),
    *cases(
        heard_with,
        of_calls(imported_first=False),
        passes("all 20"),
        fails("20 of nobody for", heard_as(peer=None)),
        unclear("20 of 20 in no server's log", unheard()),
    ),
    *cases(
        heard_with,
        of_calls("chosen", imported_first=False),
        fails("for outbound_.5000_._.helloworld.sample.global"),
    ),
    *cases(
        tcp_leads_to_the_other_mesh,
        of(),
        passes(doing=greeter()),
        fails("12 were not, such as", greeter(at_home)),
        fails("12 were not, such as", greeter(logging(upstream_host="10.10.0.9:9000"))),
        unclear("12 of 12 without a line", greeter(lambda met: replace(met, line=None))),
    ),
    *cases(
        is_not_answered,
        of(mtls=Mtls.DISABLED),
        passes(),
        fails("20 were, such as", served_by("v2", by_name)),
        unclear("20 never got to the caller's proxy", unlogged()),
    ),
    *cases(
        is_not_answered,
        of(),
        fails("20 were, such as"),
    ),
    *cases(is_not_answered, of(variant=UNRELATED_ROOTS), passes("503")),
    *cases(
        rules_decide,
        of(before=ruled),
        passes(),
        fails(
            "20 x 503",
            failing(503, "UF", "upstream_reset", lambda call: "x-subset" in call.headers),
        ),
        fails("20 x 200", served_by("v2", lambda call: "x-fault" in call.headers)),
        fails(
            "for outbound_.5000_._.helloworld.sample.global",
            heard_as(sni=sni_of(IMPORTED.host, PORT)),
        ),
        unclear(NO_LINE, unlogged()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_federation(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
