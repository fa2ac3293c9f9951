"""What is claimed of clusters whose roots are unrelated, so that sabotage can claim the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.expect import (
    Outcome,
    Verdict,
    all_of,
    answered_from_home,
    calls_to_meet,
    refused_with,
)
from meshproof.expect.control import as_control
from meshproof.mesh.credentials import authorities, distinct
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.mesh.routes import host_of
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.services import await_forgotten
from meshproof.traffic.settle import arrive, reachable
from meshproof.workloads.sample import NAMESPACE, PORT, Sample
from meshproof.workloads.versions import a_service_for_each_version, name_of, url_of

_CALLS = 20
_FEW = 4
_DISTRUSTED = "CERTIFICATE_VERIFY_FAILED"


def nobody_vouches_for_others(sample: Sample, caller: str) -> Verdict:
    """Calls to the versions of clusters that the caller's own primary signs for succeed; every
    call to another's is a 503, because the caller's proxy trusts nobody who signed the
    certificate that it is shown.

    Each version has a Service of its own: of a call to all, Envoy would try another instance.
    """
    reached = sample.reached_from(caller)
    with _services_known(sample, caller):
        made = {version: _call(sample, caller, version) for version in reached}
    own = sample.topology[caller].primary
    verdicts = [roots_are_unrelated(sample)]
    for version, responses in made.items():
        if sample.topology[reached[version]].primary == own:
            verdicts.append(answered_from_home(responses, {version: reached[version]}))
        else:
            verdicts.append(refused_with(responses, status=503, flags="UF", detail=_DISTRUSTED))
    return all_of(verdicts)


def nobody_needs_vouching_for(sample: Sample, caller: str) -> Verdict:
    """Without mTLS every version answers on a flat network, although the roots are unrelated."""
    plan = Plan(times=calls_to_meet(sample.smallest_share))
    responses = call(sample, sample.caller(caller), plan)
    answered = answered_from_home(responses, reachable(sample, caller))
    return all_of([roots_are_unrelated(sample), answered])


def roots_are_unrelated(sample: Sample) -> Verdict:
    """The control: the control planes' authorities do lead up to different roots."""
    held = authorities(sample.mesh)
    names, roots = list(held), distinct(one.root for one in held.values())
    outcome = Outcome.PASS if roots == len(names) else Outcome.FAIL
    expected = f"a root of its own in each of {', '.join(names)}"
    return as_control(Verdict(outcome, expected, f"{roots} roots"))


@contextmanager
def _services_known(sample: Sample, caller: str) -> Iterator[None]:
    """Services that select one version each are there, the caller's proxy knows an instance of
    each, and calls to each find their way to it, whatever comes of them there."""
    proxy = sample.caller(caller)
    reached = sample.reached_from(caller)
    hosts = {version: host_of(name_of(version), NAMESPACE) for version in reached}
    clusters = {version: outbound(host, PORT) for version, host in hosts.items()}
    try:
        with a_service_for_each_version(sample):
            arrive(
                sample.mesh,
                lambda: all(endpoints(proxy, cluster) for cluster in clusters.values()),
                what="an endpoint of each version",
            )
            # Name, listener and route come by other ways than endpoints do, and later.
            arrive(
                sample.mesh,
                lambda: {one: _led_to(sample, caller, one) for one in clusters},
                until=lambda led: led == {one: {name} for one, name in clusters.items()},
                what="a way to each version",
            )
            yield
    finally:  # another caller's test makes Services of the same names at once
        await_forgotten(sample, hosts.values())


def _led_to(sample: Sample, caller: str, version: str) -> set[str]:
    """The Envoy clusters that the caller's proxy leads calls to a version's own Service to."""
    plan = Plan(url_of(version), times=_FEW, fresh=True)
    responses = call(sample, sample.caller(caller), plan)
    return {one.log.upstream_cluster if one.log else "" for one in responses}


def _call(sample: Sample, caller: str, version: str) -> list[Response]:
    return call(sample, sample.caller(caller), Plan(url_of(version), times=_CALLS))
