"""Names: a name resolves in a cluster only if namespace and Service exist there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.kube.objects import applied
from meshproof.process import side_by_side
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.names.claims import (
    resolves_by_the_dns_proxy,
    resolves_once_the_service_exists,
    resolves_only_where_it_exists,
)
from suites.names.services import await_name, await_no_name, own_service
from suites.names.shared_claims import every_address_has_every_port
from suites.names.shared_hosts import shared, shared_entries
from suites.names.tcp_claims import tcp_services_stay_apart
from suites.names.wildcard_claims import wildcards_are_no_names
from suites.names.wildcards import wildcard, wildcard_known

Judge = Callable[[Verdict], None]


@pytest.mark.each_topology
@behaviour("names/only-where-the-service-exists", feature="names")
def test_a_name_resolves_only_where_namespace_and_service_exist(
    scattered: Sample, sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """A name resolves in a cluster only if its namespace and its Service exist there."""
    judge(resolves_only_where_it_exists(sample, caller, target))


@behaviour("names/dns-proxy-knows-remote-services", feature="names")
def test_with_the_dns_proxy_a_name_resolves_without_a_service(
    scattered: Sample, sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """With the sidecar's DNS proxy another cluster's Service resolves, and answers, anyway."""
    judge(resolves_by_the_dns_proxy(sample, caller, target))


@behaviour("names/dns-proxy-keeps-tcp-services-apart", feature="names")
@pytest.mark.topology(
    "multi-primary-flat",
    "overlapping-cidrs",
    reason="what counts is whether the Services' addresses can be the same, which one topology of "
    "each kind shows",
)
def test_with_the_dns_proxy_each_tcp_service_is_answered_by_its_own(
    apart: Sample, sample: Sample, caller: str, target: str, judge: Judge
) -> None:
    """With the sidecar's DNS proxy TCP Services of two clusters, even of one address, are each
    answered by their own instances."""
    judge(tcp_services_stay_apart(sample, caller, target))


# https://github.com/istio/istio/issues/61732: it answers with the wildcard itself as a name.
@behaviour("names/dns-proxy-answers-wildcards", feature="names")
@pytest.mark.each_shape
def test_with_the_dns_proxy_names_under_a_wildcard_resolve(
    scattered: Sample, sample: Sample, judge: Judge
) -> None:
    """With the sidecar's DNS proxy names under a wildcard ServiceEntry have its address, and no
    answer names the asterisk."""
    with wildcard_known(sample, wildcard()):
        verdict = all_of(wildcards_are_no_names(sample, name) for name in sample.clusters)
    judge(verdict)


# https://github.com/istio/istio/issues/55776: each entry has an address, and each only its port.
@behaviour("names/dns-proxy-joins-entries-of-a-host", feature="names")
@pytest.mark.each_shape
def test_with_the_dns_proxy_a_host_of_two_entries_answers_at_both_ports(
    scattered: Sample, sample: Sample, home: str, judge: Judge
) -> None:
    """With the sidecar's DNS proxy a host that two ServiceEntries have, a TCP port in each, is
    answered at both ports, whichever address is taken."""
    server = sample.server(sample.versions_in(home)[0])
    with shared(sample, home, shared_entries(server)):
        verdict = every_address_has_every_port(sample, home)
    judge(verdict)


@behaviour("names/answers-once-the-service-exists", feature="names")
@pytest.mark.remote_secrets
def test_once_the_service_exists_the_other_clusters_instance_answers(
    scattered: Sample, sample: Sample, judge: Judge
) -> None:
    """Once the same Service exists here, its name resolves and the remote instance answers."""
    # All clusters at once: the clusters' DNS remembers for seconds that a name was not there.
    pairs, shell = sample.topology.pairs, sample.mesh.shell
    with ExitStack() as stack:
        for caller, target in pairs:
            cluster = sample.mesh.cluster(caller)
            stack.enter_context(applied(cluster, [own_service(target)]))
        side_by_side(shell, lambda pair: await_name(sample, *pair), pairs)
        verdicts = [resolves_once_the_service_exists(sample, *pair) for pair in pairs]
    # Whoever comes next claims that these names are not there.
    side_by_side(shell, lambda pair: await_no_name(sample, *pair), pairs)
    judge(all_of(verdicts))
