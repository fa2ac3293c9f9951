"""What is claimed of a host that two ServiceEntries have, each with a port of its own."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import Sample
from suites.names.services import ask
from suites.names.shared_hosts import PORTS, SHARED, greetings


def every_address_has_every_port(sample: Sample, caller: str) -> Verdict:
    """Whichever address a pod is told for the host, each port of the host is answered there.

    INCONCLUSIVE: the name does not resolve, or no port is answered at all.
    """
    asking = sample.caller(caller, DNS_SLEEP)
    told = ask(sample, asking, SHARED)
    expected = f"{SHARED} to answer in {caller} at each of its ports, {', '.join(map(str, PORTS))}"
    if not told.exists:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{SHARED} is {told}")
    heard = {address: greetings(asking, address) for address in told.addresses}
    mute = {
        f"{address}:{port}"
        for address, by_port in heard.items()
        for port, greeting in by_port.items()
        if not greeting.startswith("hello ")
    }
    answered = {port for one in heard.values() for port, text in one.items() if text}
    evidence = {str(address): str(by_port) for address, by_port in heard.items()}
    if not answered:
        return Verdict(Outcome.INCONCLUSIVE, expected, "nobody answers at any port", evidence)
    if missing := sorted(set(PORTS) - answered):
        observed = f"in {caller} nobody answers at port {missing[0]}, whatever the address"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    if mute:
        observed = (
            f"in {caller} {SHARED} has {len(heard)} addresses, each with some of its ports: "
            f"nobody answers at {', '.join(sorted(mute))}"
        )
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, f"all of {len(heard)} addresses answer", evidence)
