"""Callers of other meshes that are let in and should not be, and rights that go too far, are
noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.kube.objects import applied
from meshproof.mesh.config_dump import LISTENERS, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.mesh_config import mesh_configured
from meshproof.mesh.proxy import outbound
from meshproof.model import Capability, Exposure
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan, answers
from meshproof.traffic.handshake import certificate_of_sleep
from meshproof.traffic.policies import enforced, of_policy
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import PORT, SLEEP, Sample
from suites.federation.access import (
    alike_is_let_in,
    client_outside,
    nobody_outside_is_let_in,
    one_consumer_is_let_in,
    one_namespace_is_let_in,
    unchosen_mesh_is_refused,
)
from suites.federation.independent import entered, reached_by_its_entry
from suites.federation.logs import either_side_logs_its_part
from suites.federation.policies import account, letting_in, trust_domains
from suites.federation.rights import (
    ADMINISTRATOR,
    binding,
    steps_of_a_team,
    steps_of_an_administrator,
    takes_an_administrator_or_not,
    team,
)
from suites.federation.rules import SUBSET, ruled
from suites.federation.setting import asker, asker_identity, configured_at, federated, gateway_of
from suites.federation.strangers import consumers_of_one, known_to, strangers
from suites.sabotage.broken_gateways import telling_gateway

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.exposes


OF_THREE = pytest.mark.topology(
    "federation-of-three", reason="needs a service that is exposed to two other meshes"
)


@proves("federation/accounts-told-apart", "federation/namespaces-told-apart")
def test_a_policy_for_everybody_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a policy that lets in whoever has an identity, the claims that one account is, or one
    namespace, fail."""
    policy = letting_in(account("*"))
    homes = configured_at(sample, imported)
    with federated(sample), enforced(sample, [policy], of_policy(policy), homes):
        accounts = one_consumer_is_let_in(sample, importer, imported, importer)
        namespaces = one_namespace_is_let_in(sample, importer, imported)
    told = [noticed([accounts], "20 x 200"), noticed([namespaces], "HTTP/1.1 200 OK")]
    judge(all_of(told))


@proves("federation/trust-domains-told-apart", "federation/consumers-told-apart-by-account")
@OF_THREE
def test_a_policy_for_both_consumers_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a policy for the trust domains of both consumers, the claims that one of them is refused
    fail."""
    verdicts = []
    with federated(sample):
        for let_in, exposed, other in consumers_of_one(sample):
            meshes = [sample.topology[one].mesh.trust_domain for one in (let_in, other)]
            policy = letting_in(trust_domains(*meshes))
            homes = configured_at(sample, exposed)
            with enforced(sample, [policy], of_policy(policy), homes):
                verdicts += [
                    one_consumer_is_let_in(sample, let_in, exposed, other, app)
                    for app in (DNS_SLEEP, SLEEP)
                ]
    judge(noticed(verdicts, "20 x 200"))


@proves("federation/aliases-share-accounts")
@OF_THREE
def test_an_account_that_is_told_apart_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a policy by trust domain, the claim that a policy lets in the account of the same name
    of another consumer fails."""
    verdicts = []
    with federated(sample):
        for named, exposed, other in consumers_of_one(sample):
            policy = letting_in(trust_domains(sample.topology[named].mesh.trust_domain))
            homes = configured_at(sample, exposed)
            with enforced(sample, [policy], of_policy(policy), homes):
                verdicts.append(alike_is_let_in(sample, named, exposed, other))
    judge(noticed(verdicts, "20 x 403"))


@proves("federation/unchosen-mesh-refused")
@pytest.mark.topology(
    "federation-of-three", reason="needs a mesh to which a service is not exposed"
)
def test_a_trust_domain_too_many_is_noticed(sample: Sample, judge: Judge) -> None:
    """With a provider that takes all trust domains for its own, the claim that a mesh is refused
    which a service is not exposed to fails."""
    domains = [one.trust_domain for one in sample.topology.meshes]
    verdicts = []
    try:
        with federated(sample), mesh_configured(sample.mesh, {"trustDomainAliases": domains}):
            for stranger, one in strangers(sample):
                with known_to(sample, stranger, one):
                    caller, plan = asker(sample, stranger), Plan(url_of(one), times=8, fresh=True)
                    require(
                        lambda: [one.succeeded for one in answers(sample, caller, plan)],  # noqa: B023
                        until=all,
                        what=f"answers to {stranger}",
                    )
                    importer = sample.topology.importers(one)[0]
                    verdicts.append(unchosen_mesh_is_refused(sample, stranger, one, importer))
    finally:
        healed(sample)
    judge(noticed(verdicts, "20 of 20 were"))


@proves("federation/no-way-in-from-outside")
@requires(Capability.ROUTER)
def test_a_certificate_of_the_mesh_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a certificate of the mesh instead of another root's, the claim that nobody outside is
    answered fails."""
    shown = certificate_of_sleep(sample, importer)
    client = client_outside(sample)
    verdict = nobody_outside_is_let_in(sample, importer, imported, client, shown)
    judge(noticed([verdict], "HTTP/1.1 200 OK"))


@proves("federation/steps-of-administrators")
def test_a_team_of_administrators_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an administrator's role, the claim that some steps are refused to a team fails."""
    verdicts = []
    for name in dict.fromkeys(who for who, _ in sample.topology.imports):
        cluster = sample.mesh.cluster(name)
        mighty = binding("ClusterRoleBinding", ADMINISTRATOR)
        with team(cluster) as account, applied(cluster, [mighty]):
            steps = steps_of_a_team(sample, name)
            others = steps_of_an_administrator(["somebody.global"])
            claim = takes_an_administrator_or_not(account, steps, others)
            verdicts.append(noticed([claim], "create gateways"))
    judge(all_of(verdicts))


@proves("federation/independent-service-of-both")
@requires(Capability.ROUTER)
def test_a_mesh_without_an_entry_is_noticed(sample: Sample, judge: Judge) -> None:
    """With an entry of the service in one mesh alone, the claim that others call it too fails."""
    topology = sample.topology
    first = topology.config_clusters[0]
    others = [name for name in sample.clusters if topology[name].mesh != topology[first].mesh]
    with federated(sample), entered(sample, [first]) as where:
        verdicts = [reached_by_its_entry(sample, name, where) for name in others]
    judge(noticed(verdicts, "the name does not resolve"))


@proves("federation/logs-of-either-side")
def test_calls_for_something_else_are_noticed_in_logs(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a rule that sends all calls to a subset, the claim that both sides' logs tell of the
    whole service fails, and names the subset."""
    routes = [{"route": [{"destination": {"host": imported.host, "subset": SUBSET}}]}]
    with federated(sample), ruled(sample, importer, imported, routes):
        verdict = either_side_logs_its_part(sample, importer, imported)
    judge(noticed([verdict], outbound(imported.host, PORT, SUBSET)))


@proves("federation/logs-of-either-side")
def test_a_gateway_that_tells_who_calls_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a gateway whose log has an identity of each connection, the claim that it has nobody's
    fails, and names it."""
    identity, gateway = asker_identity(sample, importer), gateway_of(sample, imported)

    def telling() -> bool:
        return identity in in_use(gateway, LISTENERS)

    with federated(sample):
        try:
            where = configured_at(sample, imported)
            with configured(sample.mesh, [telling_gateway(identity)], where):
                require(telling, what=f"a log of {identity} at the gateway of {gateway.cluster}")
                verdict = either_side_logs_its_part(sample, importer, imported)
        finally:
            await_healed(sample, lambda: not telling(), "the end of a gateway that tells who calls")
    judge(noticed([verdict], f"connections of {identity}"))
