"""Trust domains that are not what is claimed are noticed, each by the other's claim."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.domains.claims import all_domains_are_one, each_domain_is_apart

Judge = Callable[[Verdict], None]
pytestmark = [pytest.mark.primaries(2), pytest.mark.several_versions]


@proves("domains/without-aliases-refused")
@pytest.mark.only_variant("trust-domains")
def test_domains_that_are_one_are_noticed(sample: Sample, caller: str, judge: Judge) -> None:
    """With aliases, the claim that another domain is refused fails."""
    judge(noticed([each_domain_is_apart(sample, caller)], "from another domain"))


@proves("domains/aliases-make-them-one")
@pytest.mark.only_variant("trust-domains-apart")
def test_domains_that_are_apart_are_noticed(sample: Sample, caller: str, judge: Judge) -> None:
    """Without aliases, the claim that every version answers fails."""
    own = sample.server_identity(caller)
    known = [sample.server_identity(one.clusters[0]) for one in sample.behind(caller)]
    other = next(one for one in known if one != own)
    judge(noticed([all_domains_are_one(sample, caller)], other))
