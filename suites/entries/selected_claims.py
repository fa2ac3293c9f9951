"""What is claimed of pods that a ServiceEntry selects."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict
from meshproof.workloads.sample import Sample
from suites.entries.selected import told


def pods_are_told(sample: Sample) -> Verdict:
    """The proxies of pods that a ServiceEntry selects take calls at its port as it says, in every
    cluster: without that its protocol, and policies for the port, do not count."""
    knowing = told(sample)
    left = [name for name in sample.clusters if name not in knowing]
    expected = f"the selected pods' proxies to be told in {', '.join(sample.clusters)}"
    if not sample.clusters:
        return Verdict(Outcome.INCONCLUSIVE, expected, "there are no pods")
    if left:
        observed = f"not told in {', '.join(left)}, but in {', '.join(knowing) or 'none'}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, "all of them")
