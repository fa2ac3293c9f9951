"""Tokens of end users: the server's proxy judges them, whichever cluster the caller is in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.policies import enforced, named, of_policy
from meshproof.workloads.sample import Sample
from suites.tokens.claims import a_token_is_required, only_good_tokens_pass
from suites.tokens.rules import ISSUER, Signer, requiring_a_token, taking_tokens_of

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("tokens/only-good-ones-pass", feature="security")
def test_only_good_tokens_pass(sample: Sample, judge: Judge) -> None:
    """A RequestAuthentication has servers refuse tokens that are over, foreign or forged."""
    signer = Signer()
    with enforced(sample, [taking_tokens_of(signer)], named(ISSUER)):
        judge(only_good_tokens_pass(sample, signer))


@behaviour("tokens/required-by-policy", feature="security")
def test_a_token_is_required_by_a_policy(sample: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy lets only those in who have a token of the right subject."""
    signer, policy = Signer(), requiring_a_token()
    with (
        enforced(sample, [taking_tokens_of(signer)], named(ISSUER)),
        enforced(sample, [policy], of_policy(policy)),
    ):
        judge(a_token_is_required(sample, signer))
