"""What is claimed of calls that stay in a cluster: by who answers, and by whom proxies know."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from meshproof.expect import Outcome, Verdict, all_of, answered_from_home, calls_to_meet
from meshproof.expect.control import as_control
from meshproof.mesh.mesh import Way
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.process import side_by_side
from meshproof.traffic.calls import HELLO, Plan, call_all, call_from_each
from meshproof.traffic.response import Response
from meshproof.workloads.sample import PORT, Sample
from suites.local.rules import WISH


def stays_at_home(sample: Sample, url: str) -> Verdict:
    """From each cluster that has a version, calls are answered by its own versions alone."""
    batches = call_from_each(sample, Plan(url, calls_to_meet(sample.smallest_share)), sample.homes)
    return all_of(answered_from_home(one, _in(sample, one[0].caller)) for one in batches)


def known_at_home(sample: Sample, host: str) -> Verdict:
    """The proxies of callers beside a version know its cluster's pods for a service, and no other
    cluster's; meanwhile calls to helloworld are answered by every version."""
    own = [_knows_own(sample, name, host) for name in sample.homes]
    return all_of([*own, others_would_answer(sample)])


def others_would_answer(sample: Sample) -> Verdict:
    """The control: where nothing keeps calls at home, every version answers from each cluster."""
    made = call_from_each(sample, Plan(HELLO, calls_to_meet(sample.smallest_share)))
    return as_control(
        all_of(answered_from_home(one, sample.reached_from(one[0].caller)) for one in made)
    )


def goes_where_named(sample: Sample) -> Verdict:
    """From each cluster, calls that name a cluster are answered by its versions alone."""
    times = calls_to_meet(sample.smallest_share)
    plans = [Plan(HELLO, times, {WISH: name}) for name in sample.homes]
    callers = [sample.caller(name) for name in sample.clusters]
    made = side_by_side(sample.mesh.shell, lambda one: call_all(sample, one, plans), callers)
    return all_of(
        answered_from_home(batch, _in(sample, name))
        for batches in made
        for name, batch in zip(sample.homes, batches, strict=True)
        if _known(sample, batch, name)
    )


def _in(sample: Sample, cluster: str) -> dict[str, str]:
    return dict.fromkeys(sample.versions_in(cluster), cluster)


def _known(sample: Sample, responses: Sequence[Response], cluster: str) -> bool:
    """Whether the caller's istiod knows of a cluster's endpoints."""
    return cluster in sample.reached_from(responses[0].caller).values()


def _knows_own(sample: Sample, caller: str, host: str) -> Verdict:
    known = endpoints(sample.caller(caller), outbound(host, PORT))
    ways = {Way(IPv4Address(one.address), one.port) for one in known}
    own = {Way(one.address, PORT) for one in sample.every_server() if one.cluster == caller}
    expected = f"the proxy of sleep in {caller} to know {_told(own)} for {host}, and nobody else"
    outcome = Outcome.PASS if ways == own else Outcome.FAIL
    return Verdict(outcome, expected, f"in {caller} it knows {_told(ways) or 'nobody'}")


def _told(ways: set[Way]) -> str:
    return ", ".join(map(str, sorted(ways)))
