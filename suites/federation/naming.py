"""What is claimed of global names: where they resolve, and to which addresses."""

from __future__ import annotations

from ipaddress import IPv4Network

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.expect.names import exists, known, unknown
from meshproof.mesh.exposure import address_of
from meshproof.model import Exposure
from meshproof.workloads.sample import HOST, Sample
from suites.federation.claims import answered_by_the_provider, calls_by_global_name
from suites.federation.setting import asker, told

ALLOCATED = IPv4Network("240.240.0.0/16")
"""Where Istio allocates addresses for entries that have none
(https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/)."""


def resolves_only_where_it_is_imported(
    sample: Sample, importer: str, imported: Exposure
) -> Verdict:
    """A global name resolves for the consumer's sidecars that answer names, not without these, and
    for nobody in the provider's cluster, whose DNS knows other names."""
    caller, plain = asker(sample, importer), sample.caller(importer)
    found = known(
        imported.host,
        f"{caller.name} of {importer}",
        told(sample, caller, imported.host),
        told(sample, plain, imported.host),
    )
    verdicts = [found]
    for provider in sample.topology.providers(imported):
        there = asker(sample, provider)
        control, answer = told(sample, there, HOST), told(sample, there, imported.host)
        verdicts.append(unknown(imported.host, provider, answer, control))
    return all_of(verdicts)


def names_have_addresses_apart(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """A global name stands for the address that its entry gives it, and no other service of that
    name or of another has the same: two services of one name in two meshes are told apart."""
    caller, due = asker(sample, importer), address_of(sample.topology, imported)
    names = [HOST, *(one.host for who, one in sample.topology.imports if who == importer)]
    answers = {name: told(sample, caller, name) for name in names}
    expected = f"{imported.host} to be {due} in {importer}, and no other name"
    evidence = {name: str(answer) for name, answer in answers.items()}
    silent = [name for name, answer in answers.items() if not answer.exists]
    if silent:
        observed = f"{silent[0]} is {answers[silent[0]]}"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed, evidence)
    alike = [name for name, answer in answers.items() if due in answer.addresses]
    if alike != [imported.host] or len(answers[imported.host].addresses) != 1:
        observed = f"{', '.join(alike) or 'nobody'} is {due}, and {imported.host} is "
        return Verdict(Outcome.FAIL, expected, f"{observed}{answers[imported.host]}", evidence)
    return Verdict(Outcome.PASS, expected, f"{len(names)} names, an address each", evidence)


def has_an_allocated_address(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """A global name whose entry says no address stands for one that Istio has allocated, and is
    answered by it."""
    answer = told(sample, asker(sample, importer), imported.host)
    found = exists(imported.host, importer, answer)
    if found.outcome is not Outcome.PASS:
        return found
    expected = f"{imported.host} to be an address of {ALLOCATED} in {importer}"
    others = [one for one in answer.addresses if one not in ALLOCATED]
    outcome = Outcome.FAIL if others or len(answer.addresses) != 1 else Outcome.PASS
    responses = calls_by_global_name(sample, importer, imported)
    return all_of(
        [
            Verdict(outcome, expected, str(answer)),
            answered_by_the_provider(sample, imported, responses),
        ]
    )
