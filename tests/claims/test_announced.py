"""What is claimed of a server that is announced as another than it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.mesh.proxy import outbound
from meshproof.workloads.sample import HELLOWORLD, PORT
from suites.identities.announced import HOST, STRANGER, answered_as, refused_as
from tests.claims.changes import after, answering, changed, logged, unlogged
from tests.claims.table import (
    FLAT,
    REMOTE,
    SPLIT,
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
from tests.claims.world import Came
from tests.doubles.calls import Call

FAILURE = "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED"
ACCOUNT = "spiffe://cluster.local/ns/sample/sa/"


def taking(*accounts: str) -> Doing:
    """Each sleep's proxy takes these accounts behind the announced Service, and answers come from
    the one server there."""

    def done(stage: Stage) -> None:
        world = stage.world
        matches = [{"exact": f"{ACCOUNT}{one}"} for one in accounts]
        cluster = {"name": outbound(HOST, PORT), "match_subject_alt_names": matches}
        for name in world.sample.clusters:
            world.dumps[f"sleep-{name}"] = [{"cluster": cluster}]
        answering("v2")(stage)

    return done


def refusing(failure: str = FAILURE) -> Doing:
    """The callers' proxies see a name that they do not take, or something else is wrong."""

    def done(stage: Stage) -> None:
        server, fail = stage.world.servers("v2")[0], stage.world.failed

        def refused(call: Call, _: Came) -> Came:
            return fail(call, 503, "UF,URX", "upstream_reset", server, upstream_failure=failure)

        changed(refused)(stage)

    return done


def as_one_of(account: str) -> Callable[[Stage], tuple[object, ...]]:
    """What the claims are given: v2's server, and the account that it is announced as."""
    return lambda stage: (stage.world.sample, stage.world.servers("v2")[0], account)


def known_as(account: str) -> Doing:
    """Answers come from a server of that account."""
    return logged(upstream_peer=f"{ACCOUNT}{account}")


CASES = [
    *(
        line
        for topology in (SPLIT, FLAT, REMOTE)
        for line in cases(
            refused_as,
            Setting(as_one_of(HELLOWORLD), topology, before=taking(HELLOWORLD)),
            passes(doing=refusing()),
            fails(f"answered by {ACCOUNT}{STRANGER}", known_as(STRANGER)),
        )
    ),
    *cases(
        refused_as,
        Setting(as_one_of(HELLOWORLD), SPLIT, before=after(taking(HELLOWORLD), refusing())),
        fails("503 [UF", refusing("delayed connect error: 111")),
        unclear("takes nobody behind announced", taking()),
        unclear(f"takes {ACCOUNT}helloworld, {ACCOUNT}stranger", taking(HELLOWORLD, STRANGER)),
        unclear("did not set out for", logged(upstream_host=None)),
        unclear("did not set out for", unlogged()),
    ),
    *cases(
        answered_as,
        Setting(as_one_of(STRANGER), SPLIT, before=taking(STRANGER)),
        passes(doing=known_as(STRANGER)),
        unclear(f"as ['{ACCOUNT}{HELLOWORLD}']"),
        unclear("12 did not", refusing()),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_announced(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)
