"""A provider whose gateway gets another address, or is not reached at all, and what consumers see.

Entries name gateways by their addresses: istiod of another mesh is told of no change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.expect import Outcome, Verdict, answered_from_home
from meshproof.expect.control import with_control
from meshproof.faults.gateway import gateway_moved as elsewhere
from meshproof.kube.objects import apply
from meshproof.mesh.exposure import ways_of
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.calls import Plan, answers, call
from meshproof.traffic.response import Response
from meshproof.traffic.settle import arrive, await_healed, healed
from meshproof.workloads.exposed import url_of
from meshproof.workloads.sample import PORT, Sample
from suites.federation.entries import written_for
from suites.federation.setting import asker

_CALLS, _PATIENCE, _PROBES = 5, 2.0, 8
_AT_HOME = 40


def exposed_by_one_gateway(sample: Sample) -> list[Exposure]:
    """What one gateway alone leads to: when one of several moves, the others answer."""
    return [one for one in sample.topology.exposes if len(_leading_to(sample, one)) == 1]


def _leading_to(sample: Sample, one: Exposure) -> set[str]:
    """The clusters whose gateways lead to what is exposed."""
    topology = sample.topology
    return {gate.name for name in topology.providers(one) for gate in topology.gateways_to(name)}


@contextmanager
def gateway_moved(sample: Sample, imported: Exposure) -> Iterator[None]:
    """The provider's gateway has another address inside the block, and its old one is nobody's;
    afterwards it has its own, and the consumers' entries are as they were, or the mesh is marked
    dirty."""
    (provider,) = _leading_to(sample, imported)
    try:
        with elsewhere(sample.mesh.lab, provider):
            yield
    finally:
        for name in sample.topology.importers(imported):
            renew(sample, name, imported)
        healed(sample)
        await_answers(sample, imported)


def write_anew(sample: Sample, importer: str, imported: Exposure) -> None:
    """Write the consumer's objects anew, with the gateways' addresses as they are now."""
    cluster = sample.mesh.cluster(sample.topology.configured_by(importer))
    apply(cluster, list(written_for(sample, importer, imported).values()))


def renew(sample: Sample, importer: str, imported: Exposure) -> None:
    """Write the consumer's objects anew, and wait until calls are answered, or half a minute has
    passed: the record has the time."""
    with sample.mesh.lab.recorder.step(f"renew {importer}'s entry of {imported.host}"):
        write_anew(sample, importer, imported)
        caller, service = asker(sample, importer), outbound(imported.host, PORT)
        ways = {str(one) for one in ways_of(sample.mesh, imported)}

        def missing() -> str:
            known = {f"{one.address}:{one.port}" for one in endpoints(caller, service)}
            return "" if known == ways and _answered(sample, importer, imported) else str(known)

        what = f"the new address of {imported.host} in {importer}"
        arrive(sample.mesh, missing, until=lambda left: not left, what=what)


def impatient_calls(sample: Sample, importer: str, imported: Exposure) -> list[Response]:
    """A few calls by the global name, of which nobody waits long for one that is lost."""
    plan = Plan(url_of(imported), times=_CALLS, patience=_PATIENCE, fresh=True)
    return call(sample, asker(sample, importer), plan)


def nobody_answers(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """No call by the global name is answered, and the consumer's own mesh goes on: by its plain
    name the service is answered at home."""
    responses = impatient_calls(sample, importer, imported)
    expected = f"no call from {importer} to {imported.host} to be answered"
    answered = [one for one in responses if one.succeeded]
    endings = ", ".join(dict.fromkeys(str(one) for one in responses))
    outcome = Outcome.FAIL if answered else Outcome.PASS if responses else Outcome.INCONCLUSIVE
    if answered:
        observed = f"{len(answered)} of {len(responses)} were, such as {answered[0]}"
        return Verdict(outcome, expected, observed)
    at_home = call(sample, asker(sample, importer), Plan(times=_AT_HOME))
    control = answered_from_home(at_home, sample.reached_from(importer))
    return with_control(Verdict(outcome, expected, endings), control)


def await_answers(sample: Sample, imported: Exposure) -> None:
    """Wait until all consumers are answered again, or mark the mesh."""
    importers = [name for name, one in sample.topology.imports if one == imported]

    def answered() -> bool:
        return all(_answered(sample, name, imported) for name in importers)

    await_healed(sample, answered, f"answers by {imported.host} again")


def _answered(sample: Sample, importer: str, imported: Exposure) -> bool:
    plan = Plan(url_of(imported), times=_PROBES, patience=_PATIENCE, fresh=True)
    found = answers(sample, asker(sample, importer), plan)
    homes = sample.topology.providers(imported)
    return all(one.succeeded and one.cluster in homes for one in found)
