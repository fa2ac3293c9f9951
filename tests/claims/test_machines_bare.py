"""What is claimed of a machine without a proxy, and of one whose first certificate is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509

from meshproof.model import Mtls
from suites.machines import renewal
from suites.machines.bare import servers_near
from suites.machines.bare_claims import answered_in_plain_text, called_in_plain_text, turned_away
from suites.machines.renewal_claims import renewed
from tests.claims.changes import after, answering, changed, logged, seen_as, unheard, unlogged
from tests.claims.substitutes import everywhere
from tests.claims.table import (
    NO_LINE,
    Case,
    Doing,
    Setting,
    Stage,
    cases,
    fails,
    judge,
    passes,
    unclear,
)
from tests.claims.test_machines import TOPOLOGY, about
from tests.claims.world import Came
from tests.doubles.calls import Call

NOW = datetime.now(UTC)
SHOP = "spiffe://cluster.local/ns/sample/sa/shop"


def plainly(stage: Stage) -> None:
    """Calls to shop's version are in plain text, as to one without a proxy."""
    answering("v3")(stage)
    world = stage.world

    def plain(call: Call, came: Came) -> Came:
        assert came.server is not None
        return world.served(call, came.server, encrypted=False)

    changed(plain)(stage)


def by_itself(mode: Mtls) -> Setting:
    """A claim of calls that shop makes, which has no proxy."""
    return Setting(
        lambda one: (
            one.world.sample,
            "shop",
            replace(one.world.sample.machines["shop"], sidecar=False),
        ),
        TOPOLOGY,
        mode,
    )


def named(_: Call, came: Came) -> Came:
    """The server is told of somebody."""
    return replace(
        came,
        reply=replace(came.reply, body=f"{came.reply.body}x-forwarded-client-cert: URI={SHOP}"),
    )


def nobody_there(stage: Stage) -> None:
    """helloworld's pods are on other networks than shop."""
    everywhere(stage.monkeypatch, servers_near, lambda *_: [])


def certificate(serial: int, until: float, who: str = SHOP) -> x509.Certificate:
    """A certificate as the claim looks at it. ``until``: hours from now on."""
    return cast(
        x509.Certificate,
        SimpleNamespace(
            serial_number=serial,
            not_valid_after_utc=NOW + timedelta(hours=until),
            who=who,
        ),
    )


def shows(one: x509.Certificate) -> Doing:
    """What the machine's proxy shows now."""

    def done(stage: Stage) -> None:
        everywhere(stage.monkeypatch, renewal.shown, lambda *_: one)
        stage.monkeypatch.setattr(
            "suites.machines.renewal_claims.uris", lambda found: [cast(Any, found).who]
        )

    return done


FIRST = certificate(1, -1)
CASES = [
    *cases(
        called_in_plain_text,
        about("shop"),
        passes("", plainly),
        fails("to shop: http: 0", answering("v3")),
        fails("v1 from east", answering("v1")),
        fails("upstream_host is 10.9.9.9", after(plainly, logged(upstream_host="10.9.9.9:5000"))),
        fails("to shop: http: 0", after(plainly, seen_as("tls"))),
        unclear(NO_LINE, after(plainly, unlogged())),
    ),
    *cases(called_in_plain_text, about("till"), unclear("there is none")),
    *cases(
        answered_in_plain_text,
        by_itself(Mtls.PERMISSIVE),
        passes(),
        fails(SHOP, changed(named)),
        unclear("no calls", nobody_there),
    ),
    *cases(answered_in_plain_text, by_itself(Mtls.STRICT), fails("shop: ")),
    *cases(
        turned_away,
        by_itself(Mtls.STRICT),
        passes(),
        unclear("0 lines in its log", unheard()),
    ),
    *cases(turned_away, by_itself(Mtls.PERMISSIVE), fails("shop was answered in 3")),
    *cases(
        renewed,
        about("shop", FIRST),
        passes("", shows(certificate(2, 1))),
        fails("shop shows the first", shows(FIRST)),
        fails("shop shows one of nobody's", shows(certificate(2, 1, "nobody's"))),
        fails("shop shows one of", shows(certificate(2, -0.5))),
    ),
    *cases(renewed, about("shop", certificate(1, 1)), unclear("is not over")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_machines(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
