"""What is claimed of services that nobody exposes: by no name, no address and no SNI."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.control import with_control
from meshproof.expect.names import unknown
from meshproof.kube.seam import lab_errors
from meshproof.kube.workload import PodWorkload
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Way
from meshproof.mesh.routes import host_of
from meshproof.model import Exposure
from meshproof.model.exposure import ZONE
from meshproof.traffic.access_log import log_from_now
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.response import Response
from meshproof.traffic.tls_question import ask
from meshproof.workloads.sample import HELLOWORLD, HOST, NAMESPACE, PORT, Sample
from suites.federation.setting import (
    asker,
    exposed_identities,
    gateways_of,
    private_host,
    private_service,
    told,
)

_CALLS = 5


def names_of_the_private(cluster: str) -> tuple[str, str]:
    """What somebody might call a Service that a cluster does not expose."""
    service = private_service(cluster)["metadata"]["name"]
    return private_host(cluster), f"{service}.{NAMESPACE}.{ZONE}"


def no_name_leads_there(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """The Service that a provider does not expose has no name in the consumer's cluster, not for
    sidecars that answer names either; the one that it exposes has."""
    caller = asker(sample, importer)
    control = told(sample, caller, imported.host)
    return all_of(
        unknown(name, f"{importer}'s {caller.name}", told(sample, caller, name), control)
        for provider in sample.topology.providers(imported)
        for name in names_of_the_private(provider)
    )


def snis_of_the_unexposed(sample: Sample, imported: Exposure) -> list[str]:
    """What somebody who knows Istio's encodings might ask a provider's gateway for: a Service that
    is not exposed, the exposed one by its plain name, istiod, and what the provider itself calls
    elsewhere, for which nobody is carried on.

    A gateway of a mesh that is on several networks must lead the mesh's own callers to all of its
    services, and cannot tell them from others: there only names that none of these has.
    """
    topology, istiod = sample.topology, host_of("istiod", SYSTEM)
    found = [HOST, imported.host, istiod]
    for provider in topology.providers(imported):
        versions = sample.versions_in(provider)
        local, named = names_of_the_private(provider)
        closed = len(topology.networks_of(topology[provider].mesh)) == 1
        for name in (local, named) if closed else (named,):
            found += [sni_of(name, PORT), *(sni_of(name, PORT, one) for one in versions)]
        found += [local, named]
        found += [sni_of(HOST, PORT), sni_of(istiod, 15012)] if closed else []
        found += [sni_of(one.host, PORT) for who, one in topology.imports if who == provider]
    return list(dict.fromkeys(found))


def no_sni_leads_there(
    sample: Sample, importer: str, imported: Exposure, snis: Sequence[str]
) -> Verdict:
    """Each of the provider's gateways refuses each SNI, and logs that it has no chain for it; with
    the SNI of what it exposes the workload's certificate is shown, to the same client."""
    client = sample.outsider(importer)
    return all_of(
        _refuses(sample, imported, client, gateway, way, snis)
        for way, gateway in gateways_of(sample, imported).items()
    )


def _refuses(
    sample: Sample,
    imported: Exposure,
    client: PodWorkload,
    gateway: PodWorkload,
    way: Way,
    snis: Sequence[str],
) -> Verdict:
    shown = ask(client, way.address, way.port, sni_of(imported.host, PORT))
    right = shown.identity in exposed_identities(sample, imported)
    control = Verdict(
        Outcome.PASS if right else Outcome.FAIL, f"{imported.host} to be reached", str(shown)
    )
    log = log_from_now(gateway)
    answers = {sni: ask(client, way.address, way.port, sni) for sni in snis}
    expected = f"the gateway of {gateway.cluster} to refuse {len(snis)} SNIs"
    let_in = [f"{sni}: {answer}" for sni, answer in answers.items() if answer.chain]
    if let_in:
        observed = f"{len(let_in)} were passed on, such as {let_in[0]}"
        return Verdict(Outcome.FAIL, expected, observed, {"passed on": "; ".join(let_in)})
    missing = [
        sni
        for sni in snis
        if not log.find_entries(lambda one, sni=sni: one.flags == "NR" and one.sni == sni)  # type: ignore[misc]
    ]
    if missing or not snis:
        observed = f"none passed on, but the gateway's log lacks {', '.join(missing[:2])}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    return with_control(Verdict(Outcome.PASS, expected, "all of them, NR in its log"), control)


def address_of_the_service(sample: Sample, imported: Exposure) -> IPv4Address:
    """The address that the exposed service has in the first of its own clusters. Raises
    LabError."""
    cluster = sample.mesh.cluster(sample.topology.providers(imported)[0])
    with lab_errors(f"look for {HELLOWORLD} of {cluster.name}"):
        service = cluster.core.read_namespaced_service(HELLOWORLD, NAMESPACE)
    return IPv4Address(service.spec.cluster_ip)


def no_address_leads_there(
    sample: Sample, importer: str, imported: Exposure, address: IPv4Address
) -> Verdict:
    """The address that the service has in the provider's cluster leads nowhere from the
    consumer's, or to one of its own; inside the provider's it is answered."""
    plan = Plan(f"http://{address}:{PORT}/hello", times=_CALLS, patience=2.0)
    provider = sample.topology.providers(imported)[0]
    inside = call(sample, asker(sample, provider), plan)
    outside = call(sample, asker(sample, importer), plan)
    homes = sample.reached_from(provider)  # inside its own mesh all answer, exposed or not
    expected = f"{address}, which {imported.service} has in {provider}, not to lead there"
    there = [one for one in outside if one.version in homes]
    if there:
        observed = f"{len(there)} of {len(outside)} calls from {importer} did: {there[0]}"
        return Verdict(Outcome.FAIL, expected, observed)
    claim = Verdict(Outcome.PASS, expected, _endings(outside))
    answered = bool(inside) and all(one.version in homes for one in inside)
    control = Verdict(
        Outcome.PASS if answered else Outcome.FAIL,
        f"{address} to be answered in {provider}",
        _endings(inside),
    )
    return with_control(claim, control)


def _endings(responses: Sequence[Response]) -> str:
    return f"calls that came to {responses[0]}" if responses else "no calls"
