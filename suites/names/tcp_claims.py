"""What is claimed of TCP Services that are known by the sidecars' DNS proxy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.names import exists
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import Sample
from suites.names.services import ask
from suites.names.tcp import connected, known_homes, tcp_name

# With two equal instances the odds that one of them is never chosen are 2 in 2^30.
_TIMES = 30
_GREETING = re.compile(r"hello (v\S+)( .*)?")


def tcp_services_stay_apart(sample: Sample, caller: str, target: str) -> Verdict:
    """By TCP, as by HTTP, the target's own Service is answered by the target's cluster alone, and
    the caller's own one by the caller's, whatever address each has."""
    there = sample.versions[target]
    homes = [there, *([caller] if caller in sample.homes else [])]
    return all_of(_answered_from(sample, caller, home) for home in homes)


def _answered_from(sample: Sample, caller: str, home: str) -> Verdict:
    asking, name = sample.caller(caller, DNS_SLEEP), tcp_name(home)
    answer = ask(sample, asking, name)
    found = exists(name, f"{DNS_SLEEP} of {caller}", answer)
    if found.outcome is not Outcome.PASS:
        return found  # there is nothing to connect to
    address = answer.addresses[0]
    others = [one for one in known_homes(sample, caller) if one != home]
    alike = [one for one in others if address in ask(sample, asking, tcp_name(one)).addresses]
    heard = connected(asking, address, _TIMES)
    return _by_versions_of(
        sample, home, alike, heard, f"connections from {caller} to {name} at {address}"
    )


def _by_versions_of(
    sample: Sample, home: str, alike: Sequence[str], heard: Sequence[str], what: str
) -> Verdict:
    """``alike``: the other clusters whose Service has the same address; ``what`` was done."""
    own = sample.versions_in(home)
    expected = f"{len(heard)} {what} to be answered by {' or '.join(own)}"
    answers = Counter(_who(sample, one, alike) for one in heard)
    wrong = Counter({who: count for who, count in answers.items() if who not in own})
    evidence = {"answers": _told(answers)}
    if wrong:
        observed = f"{wrong.total()} of {len(heard)} {what} were answered otherwise: {_told(wrong)}"
        return Verdict(Outcome.FAIL, expected, observed, evidence)
    return Verdict(Outcome.PASS, expected, _told(answers), evidence)


def _who(sample: Sample, greeting: str, alike: Sequence[str]) -> str:
    """Who greets, and why it may be that it does so."""
    found = _GREETING.fullmatch(greeting)
    if found is None:
        return f"{greeting[:60]!r}" if greeting else "nobody"
    version = found[1]
    home = sample.versions.get(version)
    same = f", whose {tcp_name(home)} has the same address" if home and home in alike else ""
    return f"{version}{same}"


def _told(answers: Counter[str]) -> str:
    return ", ".join(f"{count} x {who}" for who, count in answers.most_common())
