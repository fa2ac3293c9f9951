"""Machines: who is let in, and for how long what they show is good."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import SLEEP, Sample
from suites.machines.membership import (
    NOBODY,
    files_of,
    files_of_account,
    joining_with,
    of_group,
    serving,
)
from suites.machines.membership_claims import (
    refused_for_its_account,
    refused_for_its_age,
    refused_for_its_group,
    refused_for_its_token,
)
from suites.machines.renewal import await_its_end, briefly_certified
from suites.machines.renewal_claims import renewed
from suites.machines.tokens import token_of
from suites.machines.tokens_claims import good_but_for_its_time

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.machines


@behaviour("machines/false-token-refused", feature="machines")
def test_a_machine_with_a_false_token_is_refused(sample: Sample, judge: Judge) -> None:
    """A machine with a token that no API server gave gets no certificate, is not registered, and
    its agent's log says that it was not authenticated."""
    one = serving(sample)
    with joining_with(sample, one, {"istio-token": "no.token.at-all"}):
        verdict = refused_for_its_token(sample, one)
    judge(verdict)


@behaviour("machines/expired-token-refused", feature="machines")
@requires(Capability.NODES)
def test_a_machine_with_an_expired_token_is_refused(sample: Sample, judge: Judge) -> None:
    """A machine with a token of its account whose time is up is not registered, and istiod's log
    says that it has expired."""
    one = serving(sample)
    late, good = (token_of(sample, one, expired=each) for each in (True, False))
    control = good_but_for_its_time(sample, one, good, late)
    with joining_with(sample, one, {"istio-token": late}):
        verdict = refused_for_its_age(sample, one)
    judge(all_of([verdict, control]))


@behaviour("machines/other-account-refused", feature="machines")
def test_a_machine_of_another_account_is_refused(sample: Sample, judge: Judge) -> None:
    """A machine that is another account's, by a good token, is not registered as one of a group
    that is not that account's, and istiod's log names both accounts."""
    one = serving(sample)
    with joining_with(sample, one, files_of_account(sample, one, SLEEP)):
        verdict = refused_for_its_account(sample, one, SLEEP)
    judge(verdict)


@behaviour("machines/unknown-group-refused", feature="machines")
def test_a_machine_of_an_unknown_group_is_refused(sample: Sample, judge: Judge) -> None:
    """A machine of a WorkloadGroup that there is not is not registered, and istiod's log names the
    group."""
    one = serving(sample)
    with joining_with(sample, one, of_group(files_of(sample, one), NOBODY)):
        verdict = refused_for_its_group(sample, one)
    judge(verdict)


@behaviour("machines/credentials-renewed", feature="machines", level="extended")
def test_a_machines_certificate_is_renewed(sample: Sample, judge: Judge) -> None:
    """A machine whose first certificate is over shows another, though its token is worth nothing
    any more, and calls, and is called, as before."""
    one = serving(sample)
    with briefly_certified(sample, one) as first:
        await_its_end(first)
        verdict = renewed(sample, one, first)
    judge(verdict)
