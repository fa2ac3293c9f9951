"""What is claimed of tokens, so that sabotage can claim the same."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    believable,
    calls_to_meet,
    refused_with,
)
from meshproof.traffic.calls import Plan, call_from_each
from meshproof.traffic.response import Response
from meshproof.traffic.settle import reachable
from meshproof.workloads.sample import Sample
from suites.tokens.rules import SUBJECT, TOLD, Signer

_FORBIDDEN = 403


def only_good_tokens_pass(sample: Sample, signer: Signer) -> Verdict:
    """From each cluster every version answers whoever has a good token, and knows its subject,
    and whoever has none; and refuses with 401, each for its own reason, tokens that are over, of
    another issuer, or signed by another key."""
    bad = {
        "Jwt is expired": signer.token(seconds=-600),
        "Jwt issuer is not configured": signer.token(issuer="another.meshproof.test"),
        "Jwt verification fails": Signer().token(),
    }
    return all_of(
        [
            *_answered(sample, signer.token(), SUBJECT),
            *_answered(sample, None, None),
            *(one for why, token in bad.items() for one in _refused(sample, token, 401, why)),
        ]
    )


def a_token_is_required(sample: Sample, signer: Signer) -> Verdict:
    """From each cluster every version answers whoever has the token that the policy asks for, and
    refuses with 403 whoever has none, or a good one of another subject."""
    denied = "RBAC: access denied"
    others = [None, signer.token(subject="somebody else")]
    return all_of(
        [
            *_answered(sample, signer.token(), SUBJECT),
            *(one for token in others for one in _refused(sample, token, _FORBIDDEN, denied)),
        ]
    )


def _answered(sample: Sample, token: str | None, subject: str | None) -> list[Verdict]:
    return [
        verdict
        for responses in _calls(sample, token)
        for verdict in (
            answered_from_home(responses, reachable(sample, responses[0].caller)),
            _known_as(responses, subject),
        )
    ]


def _refused(sample: Sample, token: str | None, status: int, why: str) -> list[Verdict]:
    return [
        verdict
        for responses in _calls(sample, token)
        for verdict in (believable(responses), refused_with(responses, status=status, detail=why))
    ]


def _calls(sample: Sample, token: str | None) -> list[list[Response]]:
    shown = {"x-show-headers": TOLD}
    headers = shown | ({"authorization": f"Bearer {token}"} if token else {})
    times = calls_to_meet(sample.smallest_share)
    return call_from_each(sample, Plan(times=times, headers=headers))


def _known_as(responses: Sequence[Response], subject: str | None) -> Verdict:
    """Whether the servers were told of that subject, by their own proxies; None: of none."""
    expected = f"the servers to be told of {subject or 'no token'}"
    others = [told for one in responses if (told := _subject(one)) != subject]
    if others:
        observed = f"{len(others)} of {len(responses)} were told of {others[0] or 'no token'}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, "all of them were")


def _subject(response: Response) -> str | None:
    """The subject in the payload that helloworld was passed; None when it was passed none."""
    lines = [line.partition(": ") for line in response.body.splitlines()]
    payload = next((value for name, _, value in lines if name == TOLD), None)
    if payload is None:
        return None
    try:
        padded = payload + "=" * (-len(payload) % 4)
        claims: Mapping[str, object] = json.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError):
        return f"what is no payload: {payload[:40]}"
    return str(claims.get("sub"))
