"""A global name that the consumer answers itself, and the other mesh where the consumer cannot.

The consumer's entry selects its own pods, and a WorkloadEntry stands for each of the provider's
gateways; a rule prefers what has the pods' label
(https://istio.io/latest/docs/reference/config/networking/destination-rule/#LocalityLoadBalancerSetting).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.expect import Verdict, answered_from_home
from meshproof.kube.objects import Object
from meshproof.mesh.exposure import identities_of, ways_of
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.model import Exposure
from meshproof.traffic.settle import arrive
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, SERVED, Sample
from suites.federation.claims import calls_by_global_name
from suites.federation.entries import rewritten, written_for
from suites.federation.setting import asker

_NETWORKING = "networking.istio.io/v1"
_NAME = "service.istio.io/canonical-name"
"""A label that injected pods have as well as entries may: the Service of the plain name selects by
another, so that it does not take a gateway for one of its pods."""
_PREFERRED = next(iter(SERVED.labels.items()))


def at_home_first(
    sample: Sample, importer: str, imported: Exposure, *, preferred: bool
) -> tuple[list[Object], list[Object]]:
    """What a consumer writes instead of its own objects, and beside them. ``preferred``: whether
    its own pods come first, or all are alike."""
    own = written_for(sample, importer, imported)
    entry, rule = own["ServiceEntry"], own["DestinationRule"]
    entry["spec"].pop("endpoints")
    entry["spec"]["workloadSelector"] = {"labels": {_NAME: HELLOWORLD}}
    at_home = sample.topology[importer].mesh.identity(SERVED.namespace, SERVED.account)
    accepted = [*identities_of(sample.topology, imported, SERVED), at_home]
    entry["spec"]["subjectAltNames"] = list(dict.fromkeys(accepted))
    if preferred:
        first = f"{_PREFERRED[0]}={_PREFERRED[1]}"
        rule["spec"]["trafficPolicy"] |= {
            # Without ejection istiod gives no instance another priority.
            "outlierDetection": {"consecutive5xxErrors": 100, "baseEjectionTime": "1s"},
            "loadBalancer": {"localityLbSetting": {"enabled": True, "failoverPriority": [first]}},
        }
    return [entry, rule], _gateways(sample, imported)


@contextmanager
def falling_over(
    sample: Sample, importer: str, imported: Exposure, *, preferred: bool = True
) -> Iterator[None]:
    """The consumer's proxy knows its own pods and the provider's gateways by the global name inside
    the block, as far as that comes about within half a minute."""
    service, caller = outbound(imported.host, PORT), asker(sample, importer)
    ways = {str(one) for one in ways_of(sample.mesh, imported)}

    def ranks() -> dict[bool, set[int]]:
        """The priorities of the gateways (True), and of all else."""
        found: dict[bool, set[int]] = {True: set(), False: set()}
        for one in endpoints(caller, service):
            found[f"{one.address}:{one.port}" in ways].add(one.priority)
        return found

    due = {True: {1 if preferred else 0}, False: {0}}
    others, further = at_home_first(sample, importer, imported, preferred=preferred)
    with rewritten(sample, importer, imported, others, further):
        what = f"pods of {importer} and gateways by {imported.host}"
        arrive(sample.mesh, ranks, until=lambda found: found == due, what=what)
        yield


def await_gateways_alone(sample: Sample, importer: str, imported: Exposure) -> None:
    """Wait until the consumer's proxy knows no pod of its own by the global name any more, or half
    a minute has passed."""
    service, caller = outbound(imported.host, PORT), asker(sample, importer)
    ways = {str(one) for one in ways_of(sample.mesh, imported)}

    def known() -> set[str]:
        return {f"{one.address}:{one.port}" for one in endpoints(caller, service)}

    what = f"the end of {importer}'s pods by {imported.host}"
    arrive(sample.mesh, known, until=lambda found: found == ways, what=what)


def answered_at_home(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """Calls by the global name are answered by the consumer's own versions alone."""
    responses = calls_by_global_name(sample, importer, imported)
    return answered_from_home(responses, sample.reached_from(importer))


def _gateways(sample: Sample, imported: Exposure) -> list[Object]:
    return [
        {
            "apiVersion": _NETWORKING,
            "kind": "WorkloadEntry",
            "metadata": {"name": f"gateway-{number}-{imported.host}", "namespace": NAMESPACE},
            "spec": {
                "address": str(way.address),
                "ports": dict.fromkeys(SERVED.ports, way.port),
                "labels": {_NAME: HELLOWORLD, "security.istio.io/tlsMode": "istio"},
            },
        }
        for number, way in enumerate(ways_of(sample.mesh, imported), 1)
    ]
