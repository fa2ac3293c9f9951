"""What is claimed of istiods and proxies that are given a service in two places."""

from __future__ import annotations

from collections.abc import Mapping

from meshproof.expect import Outcome, Verdict
from meshproof.mesh.istiod import Endings, endings
from meshproof.workloads.sample import Sample
from suites.entries.sites import ignorant


def istiods_bear_it(sample: Sample, before: Mapping[str, Endings]) -> Verdict:
    """No istiod has ended since ``before``, and every cluster's proxies know the service.

    INCONCLUSIVE: they do not, though istiods run: it has not come.
    """
    expected = "istiods to run on, and proxies to know a service in two places"
    now = {name: endings(sample.mesh, name) for name in before}
    ended = {name: one for name, one in now.items() if one.count > before[name].count}
    if ended:
        told = [
            f"the istiod in {name} ended{f' in a panic: {one.panic}' if one.panic else ''}"
            for name, one in ended.items()
        ]
        return Verdict(Outcome.FAIL, expected, ", ".join(told))
    if left := ignorant(sample):
        observed = f"the service is not known in {', '.join(left)}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(now)} istiods run, and all proxies know it")
