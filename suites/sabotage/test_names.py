"""Names that resolve where they should not, or do not where they should, are noticed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.kube.names import NameAnswer
from meshproof.kube.objects import applied
from meshproof.process import side_by_side
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import require
from meshproof.workloads.dns_sleeps import DNS_SLEEP, dns_sleeps
from meshproof.workloads.sample import HELLOWORLD, SLEEP, Sample
from suites.names.claims import (
    call_by_name,
    resolves_by_the_dns_proxy,
    resolves_once_the_service_exists,
    resolves_only_where_it_exists,
)
from suites.names.services import (
    ask,
    await_no_name,
    is_none,
    knowing_sleeps,
    name_of,
    own_service,
    scattered_services,
    told_of,
)
from suites.names.shared_claims import every_address_has_every_port
from suites.names.shared_hosts import PORTS, shared, shared_entries
from suites.names.tcp import connected, tcp_name, tcp_service, tcp_services
from suites.names.tcp_claims import tcp_services_stay_apart
from suites.names.wildcard_claims import wildcards_are_no_names
from suites.names.wildcards import ADDRESS, wildcard, wildcard_known
from suites.sabotage.shown import faults

Judge = Callable[[Verdict], None]
_CONNECTIONS = 8
# Before the caller's proxy has a listener there, a server that takes nothing but mTLS waits for the
# caller to begin, and this one for the server.
_SILENT = 1.0


@proves("names/answers-once-the-service-exists", "names/dns-proxy-knows-remote-services")
def test_a_service_that_is_not_there_is_noticed(
    sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """Without the Service, and without the DNS proxy, the claims that the name resolves fail."""
    what = f"a name that {caller} does not know"
    require(lambda: told_of(sample, caller, target), until=is_none, what=what)
    verdicts = [
        resolves_once_the_service_exists(sample, caller, target),
        resolves_by_the_dns_proxy(sample, caller, target, app=SLEEP),
    ]
    judge(noticed(verdicts, "NXDOMAIN"))


@proves("names/only-where-the-service-exists", "names/answers-once-the-service-exists")
@pytest.mark.remote_secrets
def test_a_service_too_many_is_noticed(sample: Sample, judge: Judge) -> None:
    """With the Service, and an instance, here too, the claims that they are elsewhere fail."""
    shell = sample.mesh.shell
    # To whom a version of their own can answer instead.
    pairs = [pair for pair in sample.topology.pairs if pair[0] in sample.homes]
    with scattered_services(sample), ExitStack() as stack:
        for caller, target in pairs:
            service = own_service(target)
            service["spec"]["selector"] = {"app": HELLOWORLD}  # whichever version is here
            stack.enter_context(applied(sample.mesh.cluster(caller), [service]))
        side_by_side(shell, lambda pair: _require_own(sample, *pair), pairs)
        verdicts = [verdict for pair in pairs for verdict in _noticed_in(sample, *pair)]
    side_by_side(shell, lambda pair: await_no_name(sample, *pair), pairs)
    judge(all_of(verdicts))


@pytest.mark.topology("multi-primary-flat", reason="where no two Services share an address")
@proves("names/dns-proxy-keeps-tcp-services-apart")
def test_a_tcp_service_with_other_instances_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a Service of that name here too, before an instance of here, the claim that it is
    answered by its own fails."""
    pairs, shell = sample.topology.pairs, sample.mesh.shell
    with ExitStack() as stack:
        for standing in (scattered_services, knowing_sleeps, tcp_services):
            stack.enter_context(standing(sample))
        for caller, target in pairs:
            service = tcp_service(sample.versions[target])
            stack.enter_context(applied(sample.mesh.cluster(caller), [service]))
        side_by_side(shell, lambda pair: _require_other(sample, *pair), pairs)
        verdicts = [
            noticed([tcp_services_stay_apart(sample, *pair)], _own(sample, pair[0]))
            for pair in pairs
        ]
    judge(all_of(verdicts))


def _require_other(sample: Sample, caller: str, target: str) -> None:
    """Wait until the caller's own instance answers as well."""
    asking, name = sample.caller(caller, DNS_SLEEP), tcp_name(sample.versions[target])

    def greetings() -> str:
        found = ask(sample, asking, name).addresses
        return "; ".join(connected(asking, found[0], _CONNECTIONS, _SILENT)) if found else ""

    what = f"an instance of {caller}'s own behind {name}"
    require(greetings, until=lambda told: f"hello {_own(sample, caller)} " in told, what=what)


def _own(sample: Sample, caller: str) -> str:
    return sample.versions_in(caller)[0]


def _noticed_in(sample: Sample, caller: str, target: str) -> list[Verdict]:
    name = name_of(own_service(target))
    missing = resolves_only_where_it_exists(sample, caller, target)
    elsewhere = resolves_once_the_service_exists(sample, caller, target)
    own = f"{sample.versions_in(caller)[0]} from {caller}"
    return [noticed([missing], f"{name} exists in {caller}"), noticed([elsewhere], own)]


def _require_own(sample: Sample, caller: str, target: str) -> None:
    """Wait until the name resolves, and the caller's own instance answers by it as well."""
    name = name_of(own_service(target))
    what = f"{name} in {caller}"
    require(lambda: told_of(sample, caller, target), until=_exists, what=what)

    def answering() -> set[str | None]:
        responses = call_by_name(sample, sample.caller(caller), target)
        told = faults(responses)
        return {told} if told else {one.cluster for one in responses}

    what = f"an instance of {caller}'s own behind {name}"
    require(answering, until=lambda seen: caller in seen, what=what)


def _exists(answer: NameAnswer) -> bool:
    return answer.exists


@pytest.mark.each_shape
@proves("names/dns-proxy-answers-wildcards")
def test_another_address_of_a_wildcard_is_noticed(sample: Sample, judge: Judge) -> None:
    """With another address in the entry, the claim of names under the wildcard fails and tells
    it."""
    other = ADDRESS + 1
    with dns_sleeps(sample), wildcard_known(sample, wildcard(other)):
        verdicts = [wildcards_are_no_names(sample, name) for name in sample.clusters]
    judge(all_of(noticed([one], str(other)) for one in verdicts))


@pytest.mark.each_shape
@proves("names/dns-proxy-joins-entries-of-a-host")
def test_an_entry_that_is_not_there_is_noticed(sample: Sample, judge: Judge) -> None:
    """With one of the two entries of a host, the claim that both ports answer fails and names
    one."""
    name = sample.homes[0]
    server = sample.server(sample.versions_in(name)[0])
    with dns_sleeps(sample), shared(sample, name, shared_entries(server, PORTS[:1])):
        verdict = every_address_has_every_port(sample, name)
    judge(noticed([verdict], f"nobody answers at port {PORTS[1]}"))
