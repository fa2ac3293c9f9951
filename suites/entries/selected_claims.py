"""What is claimed of pods that a ServiceEntry selects."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.workloads.sample import Sample
from suites.entries.selected import known_to


def pods_are_told(sample: Sample) -> Verdict:
    """The proxies of pods that a ServiceEntry selects take calls at its port as it says, in every
    cluster: without that its protocol, and policies for the port, do not count. Raises as
    ``selected.known_to``."""
    return all_of(_told_in(sample, name) for name in sample.clusters)


def _told_in(sample: Sample, cluster: str) -> Verdict:
    """The same of a cluster's pods."""
    pods = known_to(sample, cluster)
    left = sorted(name for name, told in pods.items() if not told)
    served = _served(sample, cluster)
    expected = f"the selected pods' proxies in {cluster} to be told"
    if len(left) == len(pods):
        observed = f"none of {len(pods)} in {cluster}{served} is told: {', '.join(left)}"
        return Verdict(Outcome.FAIL, expected, observed)
    if left:
        observed = f"{len(left)} of {len(pods)} in {cluster}{served} are not: {', '.join(left)}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"all {len(pods)} in {cluster}")


def _served(sample: Sample, cluster: str) -> str:
    """By whom a cluster's proxies are told, where that istiod takes another cluster for its own:
    those it tells in another way."""
    own = sample.topology.configured_by(cluster)
    return "" if own == cluster else f", whose istiod takes {own} for its own,"
