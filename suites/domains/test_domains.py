"""Trust domains, one for each control plane: with aliases they are one, without apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.domains.claims import all_domains_are_one, each_domain_is_apart

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.primaries(2), pytest.mark.several_versions]


@behaviour("domains/aliases-make-them-one", feature="security")
@pytest.mark.only_variant("trust-domains")
def test_aliases_make_trust_domains_one(sample: Sample, caller: str, judge: Judge) -> None:
    """Trust domains that are each other's aliases answer each other, each by its own name."""
    judge(all_domains_are_one(sample, caller))


@behaviour("domains/without-aliases-refused", feature="security")
@pytest.mark.only_variant("trust-domains-apart")
def test_without_aliases_another_domain_is_refused(
    sample: Sample, caller: str, judge: Judge
) -> None:
    """A server takes nobody of a trust domain that it does not know, though the root is one."""
    judge(each_domain_is_apart(sample, caller))
