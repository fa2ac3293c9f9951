"""What is claimed of the names of pods that have one of a headless Service's ports each."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import Sample
from suites.headless.pools import POOLS, full_name
from suites.headless.sets import ask


def pools_found_by_name(sample: Sample, caller: str, there: str) -> Verdict:
    """Each single pod of another cluster's headless Service has a name, whichever of the Service's
    ports it has, by the sidecar's DNS proxy.

    INCONCLUSIVE: nobody answers, in DNS.
    """
    asking = sample.caller(caller, DNS_SLEEP)
    answers = {pool: ask(sample, asking, full_name(pool, there)) for pool in POOLS}
    expected = f"the pods of {there} to have names in {caller}"
    evidence = {full_name(pool, there): str(one) for pool, one in answers.items()}
    for pool, one in answers.items():
        if one.code not in ("NOERROR", "NXDOMAIN"):
            observed = f"{full_name(pool, there)} is {one}"
            return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    first, second = answers.values()
    if first.exists and not second.exists:
        observed = (
            f"in {caller} a pod of {there} has a name, but not the one with the second port "
            f"alone: {full_name('second', there)} is {second}"
        )
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    if not first.exists:
        observed = f"in {caller} {full_name('first', there)} is {first}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, "both have", evidence)
