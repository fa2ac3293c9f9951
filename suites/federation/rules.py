"""Rules for a global name, in the consumer's mesh and in the provider's, and what they decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from meshproof.expect import Verdict, all_of, refused_with
from meshproof.kube.objects import Object
from meshproof.mesh.config_dump import CLUSTERS, LISTENERS, ROUTES, in_use
from meshproof.mesh.configuration import configured
from meshproof.mesh.gateways import sni_of
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.proxy import outbound
from meshproof.model import Exposure
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.sample import NAMESPACE, PORT, SERVED, Sample
from suites.federation.claims import (
    answered_by_the_provider,
    calls_by_global_name,
    heard_with,
)
from suites.federation.setting import asker, configured_at, gateways_of

_NETWORKING = "networking.istio.io/v1"
_NAME = "by-global-name"
_SUBSET, _FAULT, _STATUS = "x-subset", "x-fault", 418
SUBSET = "chosen"


def the_providers_rule(imported: Exposure) -> Object:
    """The subset, of which the provider's gateways must know to let it in. It has all instances:
    each gateway leads to some of them alone, and what is told is who was asked for."""
    subset = {"name": SUBSET, "labels": dict(SERVED.labels)}
    spec = {"host": imported.host, "subsets": [subset], "exportTo": [SYSTEM]}
    return _object("DestinationRule", spec)


def by_header(imported: Exposure) -> list[Object]:
    """Routes that choose by a header the subset, or a fault, for every call."""
    there: Object = {"host": imported.host}
    aborted = {"abort": {"httpStatus": _STATUS, "percentage": {"value": 100}}}
    return [
        {"match": [having(_FAULT, "yes")], "fault": aborted, "route": [{"destination": there}]},
        {
            "match": [having(_SUBSET, SUBSET)],
            "route": [{"destination": {**there, "subset": SUBSET}}],
        },
        {"route": [{"destination": there}]},
    ]


def the_consumers_rules(imported: Exposure, routes: Sequence[Object]) -> list[Object]:
    """Its routes, and the subset, which is the provider's affair: here it has a name and nothing
    else, since what is called is a gateway that has no version."""
    # A call that is refused is told as it is, and not sent again.
    once = [{**one, "retries": {"attempts": 0}} for one in routes]
    service = {"hosts": [imported.host], "http": once, "exportTo": ["."]}
    rule = {"host": imported.host, "subsets": [{"name": SUBSET}], "exportTo": ["."]}
    return [_object("DestinationRule", rule), _object("VirtualService", service)]


@contextmanager
def ruled(
    sample: Sample,
    importer: str,
    imported: Exposure,
    routes: Sequence[Object],
    *,
    by_the_provider: bool = True,
) -> Iterator[None]:
    """The rules are in force inside the block, as far as they are within half a minute; afterwards
    they are gone from the proxies, or the mesh is marked dirty. ``routes``: the consumer's;
    ``by_the_provider``: whether its gateways know the subset."""
    topology, subset = sample.topology, outbound(imported.host, PORT, SUBSET)
    caller, gateways = asker(sample, importer), list(gateways_of(sample, imported).values())
    let_in = sni_of(imported.host, PORT, SUBSET)

    def known() -> list[bool]:
        ours = [(caller, CLUSTERS, subset), (caller, ROUTES, f"/virtual-service/{_NAME}")]
        theirs = [(gateway, LISTENERS, let_in) for gateway in gateways]
        return [text in in_use(who, part) for who, part, text in (*ours, *theirs)]

    due = [True, True, *(by_the_provider for _ in gateways)]
    try:
        with ExitStack() as stack:
            if by_the_provider:
                rule, homes = the_providers_rule(imported), configured_at(sample, imported)
                stack.enter_context(configured(sample.mesh, [rule], homes))
            rules = the_consumers_rules(imported, routes)
            where = {topology.configured_by(importer)}
            stack.enter_context(configured(sample.mesh, rules, where))
            arrive(sample.mesh, known, until=lambda seen: seen == due, what="rules by global name")
            yield
    finally:
        await_healed(sample, lambda: not any(known()), "the end of rules by global name")


def rules_decide(sample: Sample, importer: str, imported: Exposure) -> Verdict:
    """Calls with one header are answered by the subset that a rule chooses, asked for by its name;
    with another they end in a fault at the caller's own proxy; and all others go on."""
    others = calls_by_global_name(sample, importer, imported)
    faulty = calls_by_global_name(sample, importer, imported, x_fault="yes")
    subset = calls_by_global_name(sample, importer, imported, x_subset=SUBSET)
    return all_of(
        [
            answered_by_the_provider(sample, imported, others),
            heard_with(sample, importer, imported, others),
            refused_with(faulty, status=_STATUS, flags="FI"),
            answered_by_the_provider(sample, imported, subset),
            heard_with(sample, importer, imported, subset, SUBSET),
        ]
    )


def having(header: str, value: str) -> Object:
    """What a route matches: calls with this header."""
    return {"headers": {header: {"exact": value}}}


def _object(kind: str, spec: Object) -> Object:
    metadata = {"name": _NAME, "namespace": NAMESPACE}
    return {"apiVersion": _NETWORKING, "kind": kind, "metadata": metadata, "spec": spec}
