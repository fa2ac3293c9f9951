"""Federation: chosen services of another mesh by a global name, and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.expect.control import as_control, with_control
from meshproof.model import Capability, Exposure, Mtls
from meshproof.process import side_by_side
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.traffic.endpoints import await_pods, usual_pods
from meshproof.traffic.settle import arrive, mtls_mode
from meshproof.workloads.exposed import exposed_versions
from meshproof.workloads.sample import Sample
from meshproof.workloads.scale import scaled, usual
from suites.federation.apart import (
    fails_rather_than_crosses,
    its_istiod_knows_its_own_mesh_alone,
    nobody_asks_from,
    the_plain_name_stays_local,
    without_own_instances,
)
from suites.federation.claims import (
    has_another_root,
    is_not_answered,
    leads_to_the_other_mesh,
    pods_behind,
    tcp_leads_to_the_other_mesh,
    weighs_the_same,
    weights,
)
from suites.federation.logs import either_side_logs_its_part
from suites.federation.naming import (
    names_have_addresses_apart,
    resolves_only_where_it_is_imported,
)
from suites.federation.parts import (
    aborted_in_part,
    delayed_in_part,
    in_parts,
    subset_is_asked_for_in_part,
)
from suites.federation.rules import by_header, ruled, rules_decide
from suites.federation.selective import (
    address_of_the_service,
    no_address_leads_there,
    no_name_leads_there,
    no_sni_leads_there,
    snis_of_the_unexposed,
)
from suites.federation.setting import await_answer
from suites.federation.shares import shared, shared_by_weight

Judge = Callable[[Verdict], None]
_MORE = 2
_PERCENT = 80


@behaviour("federation/global-name-leads-to-the-other-mesh", feature="federation")
@requires(Capability.ROUTER)
@pytest.mark.mtls("strict", "permissive")
@pytest.mark.variant("one-trust-domain")
def test_a_global_name_leads_to_the_other_meshs_instances(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A global name leads to the other mesh's instances, through its gateway, by mutual TLS, and
    each side knows the other's identity."""
    judge(leads_to_the_other_mesh(sample, importer, imported))


@behaviour("federation/both-directions-at-once", feature="federation")
@requires(Capability.ROUTER)
@pytest.mark.exposes
@pytest.mark.mtls("strict", "permissive")
@pytest.mark.variant("one-trust-domain")
def test_all_directions_work_at_once(foreign: Sample, sample: Sample, judge: Judge) -> None:
    """Calls by all global names at once, in both directions, each go where they should."""
    imports = sample.topology.imports
    verdicts = side_by_side(
        sample.mesh.shell, lambda one: leads_to_the_other_mesh(sample, *one), imports
    )
    judge(all_of(verdicts))


@behaviour("federation/tcp-by-global-name", feature="federation")
@pytest.mark.mtls("strict", "permissive")
@pytest.mark.variant("one-trust-domain")
def test_a_tcp_service_is_reached_by_its_global_name(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A TCP port of an exposed service is reached by the global name too, through the gateway."""
    judge(tcp_leads_to_the_other_mesh(sample, importer, imported))


@behaviour("federation/plain-name-stays-local", feature="federation")
@requires(Capability.NODES, Capability.ROUTER)
@pytest.mark.mtls("strict", "permissive")
def test_nothing_is_merged(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """The plain name is answered at home alone; without instances there it fails rather than
    crosses, while the global name is answered."""
    verdicts = [the_plain_name_stays_local(sample, importer, imported)]
    with without_own_instances(sample, importer):
        verdicts.append(fails_rather_than_crosses(sample, importer, imported))
    judge(all_of(verdicts))


@behaviour("federation/istiods-know-their-own-mesh", feature="federation")
@requires(Capability.NODES)
@pytest.mark.mtls("strict", "permissive", "disabled")
def test_an_istiod_knows_nothing_of_the_other_mesh(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """An istiod lists no cluster, has read no endpoint and goes by no gateway of another mesh, and
    has asked nothing of its API servers."""
    reader = sample.topology[importer].primary
    providers = sample.topology.providers(imported)
    asked = [nobody_asks_from(sample, reader, provider) for provider in providers]
    judge(all_of([its_istiod_knows_its_own_mesh_alone(sample, importer, imported), *asked]))


@behaviour("federation/unexposed-has-no-name", feature="federation")
@pytest.mark.mtls("strict", "permissive", "disabled")
def test_a_service_that_is_not_exposed_has_no_name(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A service that another mesh does not expose has no name, plain or global."""
    judge(no_name_leads_there(sample, importer, imported))


@behaviour("federation/unexposed-sni-refused", feature="federation")
@pytest.mark.mtls("strict", "permissive")
def test_the_gateway_leads_to_nothing_that_is_not_exposed(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A gateway refuses every SNI but those of exposed services, in any encoding, and carries
    nobody on to what its own mesh imports."""
    snis = snis_of_the_unexposed(sample, imported)
    judge(no_sni_leads_there(sample, importer, imported, snis))


@behaviour("federation/addresses-lead-nowhere", feature="federation")
@pytest.mark.mtls("strict", "permissive", "disabled")
def test_the_services_own_address_leads_nowhere(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """The address that a service has in its own cluster leads nowhere from the other mesh, or to
    one of that mesh's own."""
    address = address_of_the_service(sample, imported)
    judge(no_address_leads_there(sample, importer, imported, address))


@behaviour("federation/global-name-only-where-imported", feature="federation")
@pytest.mark.mtls("strict", "permissive", "disabled")
def test_a_global_name_resolves_only_where_it_is_imported(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A global name resolves for the consumer's sidecars that answer names, and for nobody else."""
    judge(resolves_only_where_it_is_imported(sample, importer, imported))


@behaviour("federation/global-names-have-addresses-apart", feature="federation")
@pytest.mark.mtls("strict", "permissive", "disabled")
def test_each_global_name_has_an_address_of_its_own(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Each imported service has an address of its own, which no service at home has."""
    judge(names_have_addresses_apart(sample, importer, imported))


@behaviour("federation/rules-by-global-name", feature="federation")
def test_rules_apply_to_a_global_name(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Routes to subsets and faults apply to a global name as to any other."""
    with ruled(sample, importer, imported, by_header(imported)):
        judge(rules_decide(sample, importer, imported))


@behaviour("federation/subsets-shared-by-weight", feature="federation", level="extended")
def test_calls_by_a_global_name_are_shared_among_subsets(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A rule shares the calls by a global name between a subset and the whole service, in
    percent."""
    with ruled(sample, importer, imported, in_parts(imported)):
        judge(subset_is_asked_for_in_part(sample, importer, imported))


@behaviour("federation/errors-for-a-part", feature="federation", level="extended")
def test_a_part_of_the_calls_by_a_global_name_is_aborted(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A fault aborts so many percent of the calls by a global name, and leaves the rest alone."""
    with ruled(sample, importer, imported, in_parts(imported)):
        judge(aborted_in_part(sample, importer, imported))


@behaviour("federation/latency-for-a-part", feature="federation", level="extended")
def test_a_part_of_the_calls_by_a_global_name_is_delayed(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A fault delays so many percent of the calls by a global name, and leaves the rest alone."""
    with ruled(sample, importer, imported, in_parts(imported)):
        judge(delayed_in_part(sample, importer, imported))


# An entry with the gateway's address says nothing of how many instances are behind it.
@behaviour("federation/instances-change-no-weight", feature="federation", level="extended")
@requires(Capability.NODES)
def test_more_instances_change_no_weight_of_the_consumers(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """More instances at the provider change nothing that the consumer's proxies know."""
    before = weights(sample, importer, imported)
    try:
        version = next(iter(exposed_versions(sample, imported)))
        more = pods_behind(sample, imported) + _MORE
        with scaled(sample, version, usual(sample, version) + _MORE):
            arrive(
                sample.mesh,
                lambda: pods_behind(sample, imported),
                until=lambda pods: pods == more,
                what=f"{more} pods behind {imported.host}",
            )
            judge(weighs_the_same(sample, importer, imported, before, more))
    finally:
        if not await_pods(sample, usual_pods(sample)):
            sample.mesh.mark_dirty("not all pods that were added are gone again")


@behaviour("federation/shared-by-weight", feature="federation", level="extended")
def test_calls_by_a_global_name_are_shared_by_weight(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """A rule shares the calls by a global name between the other mesh and home, in percent."""
    with shared(sample, importer, imported, _PERCENT):
        judge(shared_by_weight(sample, importer, imported, _PERCENT))


# What either side traces of it is suites/traces' affair.
@behaviour("federation/logs-of-either-side", feature="federation", level="extended")
def test_either_side_logs_its_part_of_a_call(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Both sidecars log a call to another mesh, under one id and with who the other is; the gateway
    logs a connection and its SNI, and neither request nor identity."""
    judge(either_side_logs_its_part(sample, importer, imported))


@behaviour("federation/disabled-crosses-nothing", feature="federation")
@requires(Capability.ROUTER)
@pytest.mark.mtls("strict", "disabled")
def test_without_mtls_nothing_crosses(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Without mTLS a global name is answered by nobody, and no plain text sets out for it."""
    with mtls_mode(sample, Mtls.STRICT):
        await_answer(sample, importer, imported)
        control = as_control(leads_to_the_other_mesh(sample, importer, imported))
    with mtls_mode(sample, Mtls.DISABLED):
        claim = is_not_answered(sample, importer, imported)
    judge(with_control(claim, control))


@behaviour("federation/roots-joined-by-a-bundle", feature="federation", level="extended")
@requires(Capability.ROUTER)
@pytest.mark.only_variant("joined-roots")
def test_unrelated_roots_are_joined_by_a_bundle(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Meshes with a root each, which both trust, answer each other by global names."""
    joined = leads_to_the_other_mesh(sample, importer, imported)
    judge(all_of([joined, has_another_root(sample, importer, imported)]))


@behaviour("federation/unrelated-roots-refused", feature="federation")
@requires(Capability.ROUTER)
@pytest.mark.only_variant("unrelated-roots", "trust-domains-apart")
def test_without_a_common_root_or_aliases_nobody_is_answered(
    foreign: Sample, sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a root of its own for each mesh, or trust domains that do not know of each other, a
    global name is answered by nobody."""
    judge(is_not_answered(sample, importer, imported))
