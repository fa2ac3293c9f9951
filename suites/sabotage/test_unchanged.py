"""Changes that do not come about at all are noticed, without a call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.model import Mtls
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.change.authorities import issuer_of
from suites.change.claims import (
    Outside,
    outsiders_met_the_mode,
)
from suites.change.modes import from_outside
from suites.change.trust import Issued, issued_as_due
from suites.sabotage.shown import turned

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.remote_secrets


@proves("change/mtls-turned")
def test_a_mode_that_was_not_turned_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a mesh that stays strict, the claim that callers without a sidecar are answered once it
    is permissive fails; with one that stays permissive, the claim that they are turned away."""
    kept = Outside(Mtls.PERMISSIVE, "with mTLS permissive", from_outside(sample))
    with turned(sample, Mtls.PERMISSIVE):
        left = Outside(Mtls.STRICT, "once it was strict again", from_outside(sample))
    refused = noticed([outsiders_met_the_mode([kept])], "connection reset")
    answered = noticed([outsiders_met_the_mode([left])], f"{len(left.responses)} x 200")
    judge(all_of([refused, answered]))


@proves("change/intermediate-rotated")
def test_an_authority_that_stays_is_noticed(sample: Sample, judge: Judge) -> None:
    """With control planes that sign as before, the claim that what comes up has its certificate by
    another authority fails and names the one that has signed."""
    server = next(iter(sample.servers().values()))
    plane = sample.topology[server.cluster].primary
    due = f"meshproof {plane} anew"
    verdict = issued_as_due([Issued(server.name, issuer_of(sample, server), due)])
    judge(noticed([verdict], f"{server.name} has a certificate by meshproof {plane}"))
