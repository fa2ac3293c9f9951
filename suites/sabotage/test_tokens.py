"""Servers that take any token, or none, are noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.errors import EvidenceError
from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.traffic.policies import enforced, named
from meshproof.workloads.sample import Sample
from suites.tokens.claims import a_token_is_required, only_good_tokens_pass
from suites.tokens.rules import ISSUER, Signer, taking_tokens_of

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@proves("tokens/only-good-ones-pass")
def test_servers_that_judge_no_token_are_noticed(sample: Sample, judge: Judge) -> None:
    """Without a RequestAuthentication, the claim that only good tokens pass fails."""
    judge(noticed([only_good_tokens_pass(sample, Signer())], "told of no token"))


@proves("tokens/required-by-policy")
def test_servers_that_require_no_token_are_noticed(sample: Sample, judge: Judge) -> None:
    """With tokens that are judged and not required, the claim that they are required fails."""
    signer = Signer()
    with enforced(sample, [taking_tokens_of(signer)], named(ISSUER)) as missing:
        if missing:
            raise EvidenceError(f"nothing can be claimed: {', '.join(missing)}")
        verdict = a_token_is_required(sample, signer)
    judge(noticed([verdict], "200"))
