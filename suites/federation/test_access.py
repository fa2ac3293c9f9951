"""Access: whom workloads answer that are exposed, and what it takes to expose them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import with_control
from meshproof.model import Capability, Exposure
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.handshake import certificate_of_another_root
from meshproof.traffic.policies import enforced, of_policy
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import NAMESPACE, SLEEP, Sample
from suites.federation.access import (
    alike_is_let_in,
    calls_by_header,
    client_outside,
    nobody_outside_is_let_in,
    one_consumer_is_let_in,
    one_namespace_is_let_in,
    unchosen_mesh_is_refused,
)
from suites.federation.claims import answered_by_the_provider
from suites.federation.independent import entered, reached_by_its_entry
from suites.federation.policies import account, letting_in, namespace, trust_domains
from suites.federation.rights import (
    steps_of_a_team,
    steps_of_an_administrator,
    takes_an_administrator_or_not,
    team,
)
from suites.federation.setting import asker_identity, configured_at
from suites.federation.strangers import consumers_of_one, known_to, strangers

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.exposes


OF_THREE = pytest.mark.topology(
    "federation-of-three", reason="needs a service that is exposed to two other meshes"
)


@behaviour("federation/accounts-told-apart", feature="federation", level="extended")
def test_a_policy_tells_accounts_of_another_mesh_apart(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A policy at the provider lets in one account of another mesh and no other: all of them come
    by the same gateway and SNI."""
    policy = letting_in(account(asker_identity(sample, importer)))
    with enforced(sample, [policy], of_policy(policy), configured_at(sample, imported)):
        verdict = one_consumer_is_let_in(sample, importer, imported, importer)
    judge(verdict)


@behaviour("federation/namespaces-told-apart", feature="federation", level="extended")
def test_a_policy_tells_namespaces_of_another_mesh_apart(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A policy at the provider lets in one namespace of another mesh and no other: all of them come
    by the same gateway and SNI."""
    policy = letting_in(namespace(NAMESPACE))
    with enforced(sample, [policy], of_policy(policy), configured_at(sample, imported)):
        verdict = one_namespace_is_let_in(sample, importer, imported)
    judge(verdict)


@behaviour("federation/trust-domains-told-apart", feature="federation", level="extended")
@OF_THREE
def test_a_policy_tells_two_consumers_apart_by_trust_domain(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """Of two meshes that a service is exposed to, and whose accounts have the same names, a policy
    lets in one by its trust domain; the other was answered before, and is refused then."""
    verdicts = []
    for let_in, exposed, refused in consumers_of_one(sample):
        policy = letting_in(trust_domains(sample.topology[let_in].mesh.trust_domain))
        before = calls_by_header(sample, refused, exposed, DNS_SLEEP)
        control = answered_by_the_provider(sample, exposed, before)
        with enforced(sample, [policy], of_policy(policy), configured_at(sample, exposed)):
            claim = one_consumer_is_let_in(sample, let_in, exposed, refused, DNS_SLEEP)
        verdicts.append(with_control(claim, control))
    judge(all_of(verdicts))


@behaviour("federation/consumers-told-apart-by-account", feature="federation", level="extended")
@OF_THREE
def test_a_policy_tells_two_consumers_apart_by_account(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """Of two meshes that a service is exposed to, a policy lets in one by an account that the other
    does not call by; the other was answered before, and is refused then."""
    verdicts = []
    for let_in, exposed, refused in consumers_of_one(sample):
        policy = letting_in(account(asker_identity(sample, let_in)))
        before = calls_by_header(sample, refused, exposed, SLEEP)
        control = answered_by_the_provider(sample, exposed, before)
        with enforced(sample, [policy], of_policy(policy), configured_at(sample, exposed)):
            claim = one_consumer_is_let_in(sample, let_in, exposed, refused)
        verdicts.append(with_control(claim, control))
    judge(all_of(verdicts))


# https://github.com/istio/istio/issues/55529: it is what users of federations trip over.
@behaviour("federation/aliases-share-accounts", feature="federation", level="extended")
@OF_THREE
def test_to_a_policy_accounts_of_aliases_are_one(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """A policy for an account of one consumer lets in the account of that name of another, since
    the trust domains of both are the provider's aliases."""
    verdicts = []
    for named, exposed, other in consumers_of_one(sample):
        policy = letting_in(account(asker_identity(sample, named)))
        with enforced(sample, [policy], of_policy(policy), configured_at(sample, exposed)):
            verdicts.append(alike_is_let_in(sample, named, exposed, other))
    judge(all_of(verdicts))


@behaviour("federation/unchosen-mesh-refused", feature="federation", level="extended")
@pytest.mark.topology(
    "federation-of-three", reason="needs a mesh to which a service is not exposed"
)
def test_a_mesh_that_a_service_is_not_exposed_to_is_refused(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """A mesh that a service is not exposed to is let in by the gateway, and refused by the
    workload, although it knows the name and shares the root."""
    verdicts = []
    for stranger, one in strangers(sample):
        with known_to(sample, stranger, one):
            importer = sample.topology.importers(one)[0]
            verdicts.append(unchosen_mesh_is_refused(sample, stranger, one, importer))
    judge(all_of(verdicts))


@behaviour("federation/no-way-in-from-outside", feature="federation", level="extended")
@requires(Capability.ROUTER)
def test_nobody_gets_in_from_outside(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A client outside all clusters that knows gateway, name and encoding is answered nothing."""
    foreign = certificate_of_another_root(sample, importer)
    judge(nobody_outside_is_let_in(sample, importer, imported, client_outside(sample), foreign))


@behaviour("federation/steps-of-administrators", feature="federation", level="extended")
def test_only_some_steps_take_an_administrator(sample: Sample, judge: Judge) -> None:
    """Importing a service, and the entry by which one is exposed, take the rights of a team in its
    namespace; the gateway, what the mesh trusts, DNS and suffixes take more."""
    verdicts = []
    hosts = [one.host for one in sample.topology.exposes]
    for name in dict.fromkeys(who for who, _ in sample.topology.imports):
        with team(sample.mesh.cluster(name)) as account:
            steps = steps_of_a_team(sample, name)
            others = steps_of_an_administrator(hosts)
            verdicts.append(takes_an_administrator_or_not(account, steps, others))
    judge(all_of(verdicts))


@behaviour("federation/independent-service-of-both", feature="federation", level="extended")
@requires(Capability.ROUTER)
def test_a_service_of_no_mesh_is_called_by_each(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """A service outside all meshes is called by each of them by an entry of its own, in plain text
    and through no gateway."""
    with entered(sample, sample.topology.config_clusters) as where:
        verdict = all_of(reached_by_its_entry(sample, name, where) for name in sample.clusters)
    judge(verdict)
