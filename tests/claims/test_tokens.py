"""What is claimed of tokens, and that they are what a verifier of ES256 takes."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from suites.tokens.claims import a_token_is_required, only_good_tokens_pass
from suites.tokens.rules import ISSUER, SUBJECT, TOLD, Signer
from tests.claims.changes import after, answering, changed, failing, unlogged
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
from tests.claims.world import Came
from tests.doubles.calls import Call

SIGNER = Signer()
Judgement = tuple[int, str]


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verified(signer: Signer, token: str) -> bool:
    """Whether a token is signed by that key, as RFC 7518, 3.4, has it."""
    signed, _, last = token.rpartition(".")
    raw = decoded(last)
    numbers = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    try:
        signer.key.public_key().verify(
            encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256())
        )
    except Exception:
        return False
    return True


def judged(call: Call) -> Judgement:
    """What Envoy's filter says of a call's token."""
    token = call.headers.get("authorization", "").removeprefix("Bearer ")
    if not token:
        return 200, ""
    payload = token.split(".")[1]
    claims = json.loads(decoded(payload))
    if claims["iss"] != ISSUER:
        return 401, "Jwt issuer is not configured"
    if claims["exp"] < time.time():
        return 401, "Jwt is expired"
    return (200, payload) if verified(SIGNER, token) else (401, "Jwt verification fails")


def required(call: Call) -> Judgement:
    """The same, and what a policy says of its subject."""
    status, told = judged(call)
    right = bool(told) and status == 200 and json.loads(decoded(told))["sub"] == SUBJECT
    return (status, told) if right or status != 200 else (403, "RBAC: access denied")


def judging(rule: Callable[[Call], Judgement]) -> Doing:
    """Servers judge the tokens of sidecars' calls."""

    def change(call: Call, came: Came) -> Came:
        status, told = rule(call)
        if status == 200:
            body = came.reply.body + (f"{TOLD}: {told}\n" if told else "")
            return replace(came, reply=replace(came.reply, body=body))
        refused = replace(came.reply, status=status, body=told)
        return replace(came, reply=refused).logged(status=status)

    return changed(change)


def anyhow(judgement: Judgement, rule: Callable[[Call], Judgement], call: Call) -> Judgement:
    """One judgement is not made: the token passes instead."""
    found = rule(call)
    return (200, "") if found == judgement else found


def lax(judgement: Judgement, rule: Callable[[Call], Judgement] = judged) -> Doing:
    return judging(partial(anyhow, judgement, rule))


def signed(stage: Stage) -> tuple[object, ...]:
    return stage.world.sample, SIGNER


CASES = [
    *cases(
        only_good_tokens_pass,
        Setting(signed),
        passes(doing=judging(judged)),
        fails("told of no token"),
        fails("200", lax((401, "Jwt is expired"))),
        fails("200", lax((401, "Jwt issuer is not configured"))),
        fails("200", lax((401, "Jwt verification fails"))),
        fails("v2 never answered", after(judging(judged), answering("v1"))),
        unclear(NO_LINE, after(judging(judged), unlogged())),
    ),
    *cases(
        a_token_is_required,
        Setting(signed),
        passes(doing=judging(required)),
        fails("200", judging(judged)),
        fails("503", after(judging(required), failing(503, "UH", "no_healthy_upstream"))),
        unclear(NO_LINE, after(judging(required), unlogged())),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_tokens(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    judge(case, monkeypatch)


def test_a_token_is_signed_by_the_key_that_the_set_names() -> None:
    key = json.loads(SIGNER.keys)["keys"][0]
    numbers = SIGNER.key.public_key().public_numbers()
    assert int.from_bytes(decoded(key["x"]), "big") == numbers.x
    assert verified(SIGNER, SIGNER.token())
    assert not verified(Signer(), SIGNER.token())


def test_a_token_is_over_when_it_should_be() -> None:
    for seconds, over in ((60.0, False), (-60.0, True)):
        claims = json.loads(decoded(SIGNER.token(seconds=seconds).split(".")[1]))
        assert (claims["exp"] < time.time()) is over
        assert claims["iat"] < claims["exp"]
