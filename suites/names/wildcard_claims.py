"""What is claimed of names for which a wildcard stands."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import Sample
from suites.names.services import ask
from suites.names.wildcards import ADDRESS, PLAIN, SEARCHED


def wildcards_are_no_names(sample: Sample, caller: str) -> Verdict:
    """The sidecar's DNS proxy gives the wildcard's address for a name under it, and says of no
    name, also not of those that resolvers try on the way, that it stands for one with an asterisk.

    Rule: RFC 1035, 2.3.1 and 3.3.1; a resolver that checks names drops such an answer whole.
    INCONCLUSIVE: nobody answered.
    """
    asking = sample.caller(caller, DNS_SLEEP)
    plain, searched = ask(sample, asking, PLAIN), ask(sample, asking, SEARCHED)
    expected = f"{PLAIN} to be {ADDRESS} in {caller}, and no answer to name an asterisk"
    evidence = {PLAIN: str(plain), SEARCHED: str(searched)}
    for name, one in ((PLAIN, plain), (SEARCHED, searched)):
        if one.code not in ("NOERROR", "NXDOMAIN"):
            return Verdict(Outcome.INCONCLUSIVE, expected, f"{name} is {one}", evidence)
    if plain.addresses != (ADDRESS,):
        observed = f"in {caller} {PLAIN} is {plain}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    for name, one in ((PLAIN, plain), (SEARCHED, searched)):
        if wrong := [alias for alias in one.aliases if "*" in alias]:
            observed = f"in {caller} {name} is said to stand for {wrong[0]}, which is no name"
            return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, f"{plain}; {SEARCHED} is {searched}", evidence)
