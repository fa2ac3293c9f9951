"""Small faults in istiod's own code are noticed by the behaviours that they break: a chosen few of
those that `meshproof mutants` goes through, each of which leaves plain distribution as it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.expect.control import with_control
from meshproof.model import Capability
from meshproof.mutants.inplace import InPlace
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.routing import in_force
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import usual
from suites.matches.claims import taken_and_left
from suites.matches.kinds import METHOD, matching
from suites.mtls.outsiders import nobody_gets_in_without_a_certificate
from suites.routing.claims import all_answered_by, first_and_last, shared_by_weight
from suites.routing.rules import by_weight
from suites.weight.claims import instances, scale_of, weights_follow

Judge = Callable[[Verdict], None]
pytestmark = [
    pytest.mark.mutants,
    pytest.mark.topology(
        "primary-remote-flat", reason="what istiod does wrong is noticed on one topology"
    ),
    requires(Capability.NODES),
]


@proves("routing/one-version")
def test_a_subset_that_holds_all_is_noticed(mutants: InPlace, sample: Sample, judge: Judge) -> None:
    """With subsets that hold all instances, the claim that one version answers fails and names the
    other."""
    other, version = first_and_last(sample)
    judge(
        _noticed(
            mutants,
            "subset-labels-ignored",
            lambda: all_answered_by(sample, version),
            f"{other} from {sample.versions[other]}",
            in_force(sample, by_weight({version: 100})),
        )
    )


@proves("routing/shared-by-weight")
def test_routes_that_all_weigh_the_same_are_noticed(
    mutants: InPlace, sample: Sample, judge: Judge
) -> None:
    """With destinations that all weigh the same, the claim of 80 % for a version fails and tells
    its share."""
    most, rest = first_and_last(sample)
    judge(
        _noticed(
            mutants,
            "route-weights-all-alike",
            lambda: shared_by_weight(sample, {most: 0.8, rest: 0.2}),
            f"calls from {sample.clusters[0]}, answered by {most}: ",
            in_force(sample, by_weight({most: 80, rest: 20})),
        )
    )


@proves("mtls/no-certificate-refused")
def test_servers_that_require_no_certificate_are_noticed(
    mutants: InPlace, sample: Sample, judge: Judge
) -> None:
    """With servers that let in whoever speaks TLS, the claim that nobody gets in without a
    certificate fails."""
    judge(
        _noticed(
            mutants,
            "client-certificate-not-required",
            lambda: nobody_gets_in_without_a_certificate(sample, sample.clusters[0]),
            "no certificate was asked for",
        )
    )


@proves("weight/follows-the-instances")
def test_remote_instances_that_weigh_double_are_noticed(
    mutants: InPlace, sample: Sample, judge: Judge
) -> None:
    """With other clusters' instances that weigh twice as much, the claim of weights fails and tells
    theirs."""
    caller = sample.clusters[0]
    remote = next(one for one, home in sample.versions.items() if home != caller)
    double = 2 * scale_of(sample) * usual(sample, remote)
    judge(
        _noticed(
            mutants,
            "remote-instances-weigh-double",
            lambda: weights_follow(sample, instances(sample)),
            f"{remote} weighing {double}",
        )
    )


@proves("matches/method")
def test_a_method_that_is_ignored_is_noticed(
    mutants: InPlace, sample: Sample, judge: Judge
) -> None:
    """With a route for a method that takes all of them, the claim that it leaves others fails and
    names the route."""
    judge(
        _noticed(
            mutants,
            "method-ignored",
            lambda: taken_and_left(sample, [METHOD]),
            f"went by the route {METHOD.name}",
            matching(sample),
        )
    )


def _noticed(
    mutants: InPlace,
    mutant: str,
    claim: Callable[[], Verdict],
    culprit: str,
    applied: AbstractContextManager[object] | None = None,
) -> Verdict:
    """Whether the claim fails with the mutant on, and names the culprit; it must hold with the same
    istiod while the mutant is off, under what is ``applied``."""
    with applied or nullcontext():
        control = claim()
        with mutants.switched_on(mutant):
            verdict = claim()
    return with_control(noticed([verdict], culprit), control)
