"""What is claimed of the cluster set's names, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    believable,
    calls_to_meet,
    succeeded,
    went_through,
)
from meshproof.traffic.calls import HELLO, Plan, call
from meshproof.traffic.response import Response
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import Sample
from suites.mcs.clusterset import ADDRESS, CLUSTER_SET_HOST, CLUSTER_SET_URL, named, ways_of


def exporters_answer(sample: Sample, caller: str, exporters: Collection[str]) -> Verdict:
    """The service's name in the cluster set is its address there, and calls by it are answered by
    every version of the clusters that export it, each on its way.

    The caller's own cluster may answer as well though it exports nothing: so Istio has it.
    """
    found = _resolves(sample, caller)
    if found.outcome is not Outcome.PASS:
        return found  # there is nobody to call
    responses = _calls(sample, caller, CLUSTER_SET_URL)
    ways = ways_of(sample, caller, {caller, *exporters})
    return all_of(
        [
            found,
            believable(responses),
            succeeded(responses),
            _answered_by(sample, caller, responses, exporters),
            went_through(responses, ways, "the exporters' ways"),
        ]
    )


def cluster_name_stays(sample: Sample, caller: str) -> Verdict:
    """By the service's name in its cluster its own cluster's versions answer, and no others."""
    own = dict.fromkeys(sample.versions_in(caller), caller)
    return answered_from_home(_calls(sample, caller, HELLO), own)


def _calls(sample: Sample, caller: str, url: str) -> list[Response]:
    times = calls_to_meet(sample.smallest_share)
    return call(sample, sample.caller(caller, DNS_SLEEP), Plan(url, times))


def _resolves(sample: Sample, caller: str) -> Verdict:
    answer = named(sample, caller)
    expected = f"{CLUSTER_SET_HOST} to be {ADDRESS} for {DNS_SLEEP} of {caller}"
    right = answer.addresses == (ADDRESS,)
    return Verdict(Outcome.PASS if right else Outcome.FAIL, expected, f"{caller}: {answer}")


def _answered_by(
    sample: Sample, caller: str, responses: Sequence[Response], exporters: Collection[str]
) -> Verdict:
    known = sample.reached_from(caller)
    due = {version for version, home in known.items() if home in exporters}
    seen = {one.version: one.cluster for one in responses if one.version}
    expected = f"{', '.join(sorted(due)) or 'nobody'} to answer {caller}, as exported"
    strays = {version: home for version, home in seen.items() if home not in {caller, *exporters}}
    if strays:
        told = ", ".join(f"{version} from {home}" for version, home in sorted(strays.items()))
        return Verdict(Outcome.FAIL, expected, f"{told} answered {caller}, and exports nothing")
    missing = due - seen.keys()
    if missing:
        observed = f"{', '.join(sorted(missing))} never answered {caller}"
        return Verdict(Outcome.FAIL, expected, observed)
    return Verdict(Outcome.PASS, expected, f"{', '.join(sorted(map(str, seen)))} answered {caller}")
