"""What is claimed of namespaces that discovery selectors pass over, for sabotage as well."""

from __future__ import annotations

from collections.abc import Collection

from meshproof.errors import EvidenceError
from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    succeeded,
    went_through,
)
from meshproof.expect.control import as_control
from meshproof.traffic.calls import HELLO, Plan, call, call_from_each
from meshproof.workloads.sample import Sample
from suites.selectors.aside import ASIDE, HOST_ASIDE, URL_ASIDE, due, known_ways


def known_where_selected(sample: Sample, passed: Collection[str]) -> Verdict:
    """Proxies know the instances in a namespace of just the clusters where no selector passes it
    over, and calls by its Service's name go to those; meanwhile helloworld's every version answers.

    ``passed``: the clusters where it is passed over. Raises EvidenceError when a cluster has no
    instance to be known.
    """
    there = {one.cluster for one in sample.servers(ASIDE).values()}
    if missing := set(sample.homes) - there:
        raise EvidenceError(f"nothing runs in {ASIDE} of {', '.join(sorted(missing))}")
    control = call_from_each(sample, Plan(HELLO, calls_to_meet(sample.smallest_share)))
    return all_of(
        [
            *(one for name in sample.clusters for one in _from(sample, name, passed)),
            *(
                as_control(answered_from_home(one, sample.reached_from(one[0].caller)))
                for one in control
            ),
        ]
    )


def _from(sample: Sample, caller: str, passed: Collection[str]) -> list[Verdict]:
    wanted = set(map(str, due(sample, caller, passed)))
    known = known_ways(sample, caller)
    expected = f"the proxy of sleep in {caller} to know {_told(wanted)} for {HOST_ASIDE}"
    outcome = Outcome.PASS if known == wanted else Outcome.FAIL
    verdict = Verdict(outcome, expected, f"in {caller} it knows {_told(known)}")
    if not wanted:
        return [verdict]  # whoever calls gets by the proxy, to whatever the Service's address is
    responses = call(sample, sample.caller(caller), Plan(URL_ASIDE, 2 * len(wanted)))
    return [verdict, succeeded(responses), went_through(responses, wanted, ASIDE)]


def _told(ways: Collection[str]) -> str:
    return ", ".join(sorted(ways)) or "nobody"
