"""Failing: gateways that move, meshes that are lost, and instances at home that are gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.faults.lab import cut_off, rewired
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from suites.federation.apart import without_own_instances
from suites.federation.claims import (
    answered_by_the_provider,
    calls_by_global_name,
    leads_to_the_other_mesh,
)
from suites.federation.failover import answered_at_home, await_gateways_alone, falling_over
from suites.federation.moving import (
    await_answers,
    exposed_by_one_gateway,
    gateway_moved,
    nobody_answers,
    renew,
)
from suites.federation.nearby import await_rewired, goes_on_without, known_beside
from suites.federation.streams import lost_until_renewed, over_a_move

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.exposes


@behaviour("federation/lost-mesh-changes-nothing-near", feature="federation", level="extended")
@requires(Capability.ROUTER)
@pytest.mark.neighbours(2)
def test_a_mesh_that_is_lost_changes_nothing_nearby(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """While the far mesh is cut off, near clusters know and answer what they did, and only its
    global name fails."""
    topology, verdicts = sample.topology, []
    near = {topology[caller].mesh for caller, _ in topology.pairs}
    for one in topology.exposes:
        lost = topology.providers(one)[0]
        if topology[lost].mesh in near:
            continue
        # All of its mesh: what is left of one may lead to the service as well.
        far = [name for name in topology.names if topology[name].mesh == topology[lost].mesh]
        before = known_beside(sample, lost)
        try:
            with rewired(sample.mesh.lab, cut_off(sample.mesh.lab, *far)):
                await_rewired(sample, lost)
                verdicts.append(goes_on_without(sample, lost, before))
        finally:
            healed(sample)
            await_answers(sample, one)
    judge(all_of(verdicts))


@behaviour("federation/falls-over-to-the-other-mesh", feature="federation", level="extended")
@requires(Capability.NODES)
def test_the_other_mesh_answers_what_home_cannot(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """Where a rule says so, a global name is answered at home as long as there are instances, and
    then by the other mesh."""
    # Behind a gateway instances bear no labels, by which a rule could prefer them.
    topology, verdicts = sample.topology, []
    for importer, imported in topology.imports:
        if len(topology.networks_of(topology[importer].mesh)) > 1:
            continue
        with falling_over(sample, importer, imported):
            verdicts.append(answered_at_home(sample, importer, imported))
            with without_own_instances(sample, importer):
                await_gateways_alone(sample, importer, imported)
                responses = calls_by_global_name(sample, importer, imported)
            verdicts.append(answered_by_the_provider(sample, imported, responses))
    judge(all_of(verdicts))


# https://github.com/istio/istio/issues/30054 is of a mesh's own gateways, which istiod follows.
@behaviour("federation/gateway-moves", feature="federation", level="extended")
@requires(Capability.ROUTER, Capability.ASSIGNED_ADDRESSES)
def test_a_gateway_that_moves_is_followed_once_entries_are_renewed(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """When a provider's gateway gets another address, calls fail until the consumers' entries are
    renewed, and work again then."""
    topology, verdicts = sample.topology, []
    for one in exposed_by_one_gateway(sample):
        importers = topology.importers(one)
        with gateway_moved(sample, one):
            verdicts += [nobody_answers(sample, name, one) for name in importers]
            for name in importers:
                renew(sample, name, one)
            verdicts += [leads_to_the_other_mesh(sample, name, one) for name in importers]
    judge(all_of(verdicts))


# What is lost until entries are renewed is told: nobody promises anything of an address that is
# gone at once.
@behaviour("federation/calls-over-a-move", feature="federation", level="extended")
@requires(Capability.NODES, Capability.ASSIGNED_ADDRESSES)
def test_calls_that_go_on_over_a_move_are_lost_until_entries_are_renewed(
    foreign: Sample, sample: Sample, judge: Judge
) -> None:
    """Of calls that go on while a provider's gateway gets another address none is answered until
    the consumers' entries are renewed, and none is lost once callers have followed."""
    exposed = exposed_by_one_gateway(sample)
    judge(all_of([lost_until_renewed(over_a_move(sample, one)) for one in exposed]))
