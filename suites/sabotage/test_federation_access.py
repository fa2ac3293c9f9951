"""Callers of other meshes that are let in and should not be, and rights that go too far, are
noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.kube.objects import applied
from meshproof.mesh.mesh_config import mesh_configured
from meshproof.model import Capability, Exposure
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan, answers
from meshproof.traffic.handshake import certificate_of_sleep
from meshproof.traffic.policies import enforced, of_policy
from meshproof.traffic.settle import healed, require
from meshproof.workloads.sample import Sample
from suites.federation.access import (
    client_outside,
    letting_in,
    nobody_outside_is_let_in,
    one_account_is_let_in,
    unchosen_mesh_is_refused,
)
from suites.federation.rights import (
    ADMINISTRATOR,
    binding,
    steps_of_a_team,
    steps_of_an_administrator,
    takes_an_administrator_or_not,
    team,
)
from suites.federation.setting import asker, federated, url_of
from suites.federation.strangers import known_to, strangers

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.exposes


@proves("federation/accounts-told-apart")
def test_a_policy_for_everybody_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a policy that lets in whoever has an identity, the claim that one account is fails."""
    policy = letting_in("*")
    homes = {sample.topology.configured_by(one) for one in sample.topology.providers(imported)}
    with federated(sample), enforced(sample, [policy], of_policy(policy), homes):
        verdict = one_account_is_let_in(sample, importer, imported)
    judge(noticed([verdict], "20 x 200"))


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
