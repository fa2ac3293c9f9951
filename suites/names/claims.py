"""What is claimed of names, so that sabotage can claim the same of a broken mesh."""

from __future__ import annotations

from meshproof.expect import Outcome, Verdict, all_of, believable, served_by_exactly, succeeded
from meshproof.expect.names import exists, known, unknown
from meshproof.kube.workload import Workload
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import PORT, Sample
from suites.names.services import (
    CONTROL,
    NOWHERE,
    ask,
    name_of,
    own_names,
    own_service,
)

# With two equal endpoints the odds that one is never chosen are 2 in 2^20.
_CALLS = 20


def resolves_only_where_it_exists(sample: Sample, caller: str, target: str) -> Verdict:
    """Names of a Service, and of a namespace, that only the target's cluster has: NXDOMAIN here,
    addresses there; by the same server a name that exists here is found."""
    here, there = sample.caller(caller), sample.caller(sample.versions[target])
    control = ask(sample, here, CONTROL)
    verdicts = []
    for name in own_names(sample, target):
        verdicts += [
            unknown(name, here.cluster, ask(sample, here, name), control),
            exists(name, there.cluster, ask(sample, there, name)),
        ]
    return all_of(verdicts)


def resolves_once_the_service_exists(sample: Sample, caller: str, target: str) -> Verdict:
    """A Service that now exists here too resolves, and the target's instance answers."""
    here = sample.caller(caller)
    name = name_of(own_service(target))
    found = exists(name, caller, ask(sample, here, name))
    if found.outcome is not Outcome.PASS:
        return found  # there is nothing to call
    return all_of([found, _answered_remotely(sample, here, target)])


def resolves_by_the_dns_proxy(
    sample: Sample, caller: str, target: str, app: str = DNS_SLEEP
) -> Verdict:
    """A sidecar with the DNS proxy knows the target's own Service, which the cluster's DNS does
    not; it does not make up names; and the call is answered by the target's instance.

    ``app``: the pod that asks.
    """
    asking, plain = sample.caller(caller, app), sample.caller(caller)
    name = name_of(own_service(target))
    found = known(name, f"{app} of {caller}", ask(sample, asking, name), ask(sample, plain, name))
    if found.outcome is not Outcome.PASS:
        return found  # there is nothing to call
    control = ask(sample, asking, CONTROL)
    made_up = unknown(NOWHERE, f"{app} of {caller}", ask(sample, asking, NOWHERE), control)
    return all_of([found, made_up, _answered_remotely(sample, asking, target)])


def call_by_name(sample: Sample, caller: Workload, target: str) -> list[Response]:
    """Calls to the Service that only a version stands behind."""
    service = own_service(target)["metadata"]
    url = f"http://{service['name']}.{service['namespace']}:{PORT}/hello"
    return call(sample, caller, Plan(url=url, times=_CALLS))


def _answered_remotely(sample: Sample, caller: Workload, target: str) -> Verdict:
    responses = call_by_name(sample, caller, target)
    return all_of(
        [
            succeeded(responses),
            believable(responses),
            served_by_exactly(responses, {target: sample.versions[target]}),
        ]
    )
