"""Authorization: the workload decides who may call, by identity, wherever the caller is."""

from __future__ import annotations

from collections.abc import Callable

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.gateways.authorization import allowed, denied, enforced
from suites.gateways.manifests import CLOSED_PATH, OPEN_PATH, allowing_sleep, denying_sleep

Judge = Callable[[Verdict], None]


@behaviour("gateways/denied-identity-refused", feature="security")
def test_a_denied_identity_is_refused(sample: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy that denies sleep has helloworld answer every cluster's sleep 403."""
    with enforced(sample, denying_sleep(sample), OPEN_PATH):
        judge(denied(sample))


@behaviour("gateways/only-allowed-identity-answered", feature="security")
def test_only_the_allowed_identity_is_answered(sample: Sample, judge: Judge) -> None:
    """An AuthorizationPolicy lets sleep do what is allowed to it, and not what is to others."""
    with enforced(sample, allowing_sleep(sample), CLOSED_PATH):
        judge(allowed(sample))
