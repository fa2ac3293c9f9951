"""Access: whom workloads answer that are exposed, and what it takes to expose them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.model import Capability, Exposure
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.handshake import certificate_of_another_root
from meshproof.traffic.policies import enforced, of_policy
from meshproof.workloads.sample import Sample
from suites.federation.access import (
    client_outside,
    letting_in,
    nobody_outside_is_let_in,
    one_account_is_let_in,
    unchosen_mesh_is_refused,
)
from suites.federation.rights import (
    steps_of_a_team,
    steps_of_an_administrator,
    takes_an_administrator_or_not,
    team,
)
from suites.federation.setting import asker_identity
from suites.federation.strangers import known_to, strangers

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.exposes


@behaviour("federation/accounts-told-apart", feature="federation", level="extended")
def test_a_policy_tells_accounts_of_another_mesh_apart(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A policy at the provider lets in one account of another mesh and no other: all of them come
    by the same gateway and SNI."""
    policy = letting_in(asker_identity(sample, importer))
    homes = {sample.topology.configured_by(one) for one in sample.topology.providers(imported)}
    with enforced(sample, [policy], of_policy(policy), homes):
        verdict = one_account_is_let_in(sample, importer, imported)
    judge(verdict)


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
