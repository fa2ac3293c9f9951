"""What is claimed of a machine whose first certificate is over."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.traffic.tls_question import uris
from meshproof.workloads.sample import Sample
from suites.machines.claims import peers_know_each_other
from suites.machines.renewal import shown


def renewed(sample: Sample, machine: str, first: x509.Certificate) -> Verdict:
    """A machine shows another certificate than its first, which is over, for the same identity, and
    it calls, and is called, with that. INCONCLUSIVE: the first is not over."""
    one = sample.machines[machine]
    expected = f"{machine} to show another certificate of {one.identity} than the first"
    if first.not_valid_after_utc > datetime.now(UTC):
        return Verdict(Outcome.INCONCLUSIVE, expected, f"the first of {machine} is not over")
    now = shown(sample, machine)
    dates = f"{first.not_valid_after_utc} and {now.not_valid_after_utc}"
    evidence = {"valid until": dates}
    if now.serial_number == first.serial_number:
        return Verdict(Outcome.FAIL, expected, f"{machine} shows the first", evidence)
    if now.not_valid_after_utc < datetime.now(UTC) or uris(now) != [one.identity]:
        who = ", ".join(uris(now)) or "nobody"
        observed = f"{machine} shows one of {who} until {now.not_valid_after_utc}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    fresh = Verdict(
        Outcome.PASS, expected, f"so it does, until {now.not_valid_after_utc}", evidence
    )
    pod = sample.caller(one.cluster)
    return all_of([fresh, peers_know_each_other(sample, one), peers_know_each_other(sample, pod)])
