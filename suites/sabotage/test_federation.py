"""Meshes that are not as apart, or not as joined, as they should be are noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from meshproof.expect import Verdict, all_of, noticed
from meshproof.faults.discovery import READER
from meshproof.kube.objects import Object, applied
from meshproof.mesh.config_dump import LISTENERS, ROUTES, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.istiod import clusters_known
from meshproof.mesh.manifests import SYSTEM, passing_on
from meshproof.model import Capability, Exposure
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import proves
from meshproof.traffic.calls import Plan, answers
from meshproof.traffic.settle import await_healed, require
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, SERVED, Sample
from suites.federation.apart import (
    fails_rather_than_crosses,
    its_istiod_knows_its_own_mesh_alone,
    nobody_asks_from,
    without_own_instances,
)
from suites.federation.claims import (
    is_not_answered,
    leads_to_the_other_mesh,
    tcp_leads_to_the_other_mesh,
    weighs_the_same,
    weights,
)
from suites.federation.entries import entry_changed
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
    names_of_the_private,
    no_address_leads_there,
    no_name_leads_there,
    no_sni_leads_there,
    snis_of_the_unexposed,
)
from suites.federation.setting import asker, federated, gateway_of, private_host, told
from suites.sabotage.named import named
from suites.upgrade.global_names import leads_on

Judge = Callable[[Verdict], None]
_SABOTAGE = "sabotage"


@proves(
    "federation/global-name-leads-to-the-other-mesh",
    "federation/both-directions-at-once",
    "federation/tcp-by-global-name",
    "upgrade/global-names-answer",
)
@requires(Capability.ROUTER)
def test_a_name_that_leads_home_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With an entry that selects the consumer's own pods, the claims that the global name leads to
    the other mesh fail, and name the version at home."""
    own = sample.versions_in(importer)[0]

    def home(entry: Object) -> None:
        entry["spec"].pop("endpoints")
        entry["spec"].pop("subjectAltNames")
        entry["spec"]["workloadSelector"] = {"labels": dict(SERVED.labels)}

    with federated(sample), entry_changed(sample, importer, imported, home):
        caller, plan = asker(sample, importer), Plan(url_of(imported), times=8, fresh=True)
        require(
            lambda: {one.version for one in answers(sample, caller, plan)},
            until=lambda seen: seen == {own},
            what=f"{own} by the name {imported.host}",
        )
        verdicts = [
            leads_to_the_other_mesh(sample, importer, imported),
            tcp_leads_to_the_other_mesh(sample, importer, imported),
            leads_on(sample, importer, imported),
        ]
    judge(noticed(verdicts, own))


@proves("federation/disabled-crosses-nothing", "federation/unrelated-roots-refused")
@requires(Capability.ROUTER)
def test_a_name_that_is_answered_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With mTLS and a common root, the claim that nobody answers by the global name fails."""
    with federated(sample):
        judge(noticed([is_not_answered(sample, importer, imported)], "20 were"))


@proves("federation/plain-name-stays-local")
@requires(Capability.NODES, Capability.ROUTER)
def test_a_plain_name_that_crosses_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a rule that leads the plain name to the other mesh, the claim that it fails without
    instances at home fails itself."""
    crossing = _leading(sample, importer, imported)
    with federated(sample), crossing, without_own_instances(sample, importer):
        verdict = fails_rather_than_crosses(sample, importer, imported)
    judge(noticed([verdict], "20 x 200"))


@proves("federation/istiods-know-their-own-mesh")
def test_an_istiod_with_a_foreign_secret_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a remote secret of the provider's cluster, the claim that the istiod knows its own mesh
    alone fails, and names that cluster."""
    provider = sample.topology.providers(imported)[0]
    reader = sample.topology[importer].primary

    def listed() -> set[str]:
        return set(clusters_known(sample.mesh, reader))

    try:
        with applied(sample.mesh.cluster(reader), [_remote_secret(sample, provider)]):
            require(listed, until=lambda ids: provider in ids, what=f"{provider} in {reader}")
            verdict = its_istiod_knows_its_own_mesh_alone(sample, importer, imported)
    finally:
        await_healed(sample, lambda: provider not in listed(), f"the end of {provider}'s secret")
    judge(noticed([verdict], provider))


@proves("federation/istiods-know-their-own-mesh")
@requires(Capability.NODES)
@pytest.mark.exposes
@pytest.mark.remote_secrets
def test_an_api_server_that_is_asked_is_noticed(sample: Sample, judge: Judge) -> None:
    """Of a cluster that an istiod does read, the claim that nobody asks its API server fails, and
    names who does."""
    caller, home = sample.read_from_elsewhere
    verdict = nobody_asks_from(sample, sample.topology[caller].primary, home)
    judge(noticed([verdict], READER))


@proves("federation/unexposed-has-no-name")
def test_a_private_service_with_a_name_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With an entry for the Service that is not exposed, the claim that it has no name fails."""
    private = names_of_the_private(sample.topology.providers(imported)[0])[1]
    with federated(sample), named(sample, importer, private):
        judge(noticed([no_name_leads_there(sample, importer, imported)], private))


@proves("federation/unexposed-sni-refused")
def test_a_gateway_that_leads_to_everything_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With a gateway that passes on every local name, the claim that it leads to what is exposed
    alone fails, and names the Service that is not."""
    provider = sample.topology.providers(imported)[0]
    private = sni_of(private_host(provider), PORT)
    ports = sample.mesh.blueprint.gateway_ports(sample.topology[provider])
    gateway, wide = gateway_of(sample, imported), passing_on(_SABOTAGE, ports, ["*.local"])

    def led() -> bool:
        return private in in_use(gateway, LISTENERS)

    with federated(sample):
        try:
            where = [sample.topology.configured_by(provider)]
            with configured(sample.mesh, [wide], where):
                require(led, what=f"{private} at the gateway of {provider}")
                snis = snis_of_the_unexposed(sample, imported)
                verdict = no_sni_leads_there(sample, importer, imported, snis)
        finally:
            await_healed(sample, lambda: not led(), "the end of a gateway to everything")
    judge(noticed([verdict], private))


@proves("federation/addresses-lead-nowhere")
def test_an_address_that_leads_there_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With an entry that has the address of the provider's Service, the claim that it leads
    nowhere fails."""
    address = address_of_the_service(sample, imported)

    def also(entry: Object) -> None:
        entry["spec"]["addresses"] = [str(address)]

    with federated(sample), entry_changed(sample, importer, imported, also):
        caller = asker(sample, importer)
        plan = Plan(f"http://{address}:{PORT}/hello", patience=2.0)
        require(
            lambda: [one.succeeded for one in answers(sample, caller, plan)],
            until=all,
            what=f"an answer at {address}",
        )
        verdict = no_address_leads_there(sample, importer, imported, address)
    judge(noticed([verdict], f"calls from {importer} did"))


@proves("federation/global-name-only-where-imported")
def test_a_name_that_the_provider_knows_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With an entry of the global name in the provider's cluster, the claim that it resolves only
    where it is imported fails."""
    provider = sample.topology.providers(imported)[0]
    with federated(sample), named(sample, provider, imported.host):
        verdict = resolves_only_where_it_is_imported(sample, importer, imported)
    judge(noticed([verdict], f"exists in {provider}"))


@proves("federation/global-names-have-addresses-apart")
def test_a_name_with_the_address_of_another_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With the address of a Service at home, the claim that the global name has its own fails."""
    with federated(sample):
        caller = asker(sample, importer)
        home = told(sample, caller, HOST).addresses[0]

        def alike(entry: Object) -> None:
            entry["spec"]["addresses"] = [str(home)]

        with entry_changed(sample, importer, imported, alike):
            require(
                lambda: told(sample, caller, imported.host).addresses,
                until=lambda found: found == (home,),
                what=f"{imported.host} at {home}",
            )
            verdict = names_have_addresses_apart(sample, importer, imported)
    judge(noticed([verdict], str(home)))


@proves("federation/rules-by-global-name")
def test_a_subset_that_the_provider_does_not_know_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """Without the provider's rule its gateway refuses the subset, and the claim that rules decide
    fails."""
    routes = by_header(imported)
    with federated(sample), ruled(sample, importer, imported, routes, by_the_provider=False):
        verdict = rules_decide(sample, importer, imported)
    judge(noticed([verdict], "20 x 503"))


@proves(
    "federation/subsets-shared-by-weight",
    "federation/errors-for-a-part",
    "federation/latency-for-a-part",
)
def test_parts_of_another_size_are_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With rules for 90 % of the calls, the claims that 30 % are for a subset, aborted or delayed
    fail."""
    routes = in_parts(imported, percent=90)
    with federated(sample), ruled(sample, importer, imported, routes):
        claims = {
            "the subset: ": subset_is_asked_for_in_part(sample, importer, imported),
            "the fault: ": aborted_in_part(sample, importer, imported),
            "the delay: ": delayed_in_part(sample, importer, imported),
        }
    judge(all_of(noticed([claim], told) for told, claim in claims.items()))


@proves("federation/instances-change-no-weight")
def test_a_weight_that_changes_is_noticed(
    sample: Sample, importer: str, imported: Exposure, judge: Judge
) -> None:
    """With another weight in the consumer's entry, the claim that it stays the same fails."""

    def heavier(entry: Object) -> None:
        entry["spec"]["endpoints"][0]["weight"] = 3

    with federated(sample):
        before = weights(sample, importer, imported)
        with entry_changed(sample, importer, imported, heavier):
            require(
                lambda: [one.weight for one in weights(sample, importer, imported)],
                until=lambda found: found == [3],
                what=f"a weight of 3 for {imported.host}",
            )
            verdict = weighs_the_same(sample, importer, imported, before, 1)
    judge(noticed([verdict], "weights of [3]"))


# --- what is broken


@contextmanager
def _leading(sample: Sample, importer: str, imported: Exposure) -> Iterator[None]:
    """A rule leads the plain name to the global one inside the block."""
    route = {"route": [{"destination": {"host": imported.host, "port": {"number": PORT}}}]}
    rule: Object = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService"}
    rule["metadata"] = {"name": _SABOTAGE, "namespace": NAMESPACE}
    rule["spec"] = {"hosts": [HOST], "http": [route], "exportTo": ["."]}
    caller = asker(sample, importer)

    def there() -> bool:
        return f"/virtual-service/{_SABOTAGE}" in in_use(caller, ROUTES)

    try:
        with configured(sample.mesh, [rule], [sample.topology.configured_by(importer)]):
            require(there, what=f"a rule in {caller}")
            yield
    finally:
        await_healed(sample, lambda: not there(), "the end of a rule across meshes")


def _remote_secret(sample: Sample, cluster: str) -> Object:
    """A secret by which an istiod takes a cluster for one to read. Nobody answers at its address,
    which no router would let through either."""
    config = f"""\
apiVersion: v1
kind: Config
clusters: [{{name: {cluster}, cluster: {{server: "https://240.0.0.98:6443"}}}}]
contexts: [{{name: {cluster}, context: {{cluster: {cluster}, user: {cluster}}}}}]
current-context: {cluster}
users: [{{name: {cluster}, user: {{token: nobody}}}}]
"""
    metadata = {
        "name": f"{_SABOTAGE}-{cluster}",
        "namespace": SYSTEM,
        "labels": {"istio/multiCluster": "true"},
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "stringData": {cluster: config},
    }
