"""Services and rules that some callers may not see, in one cluster's configuration at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from meshproof.kube.objects import Object, apply, delete
from meshproof.mesh.config_dump import CLUSTERS, in_use
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.proxy import outbound
from meshproof.mesh.routes import Tls, destination_rule, host_of, marking, virtual_service
from meshproof.process import side_by_side
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.sample import (
    HOST,
    NAMESPACE,
    OUTSIDE,
    PORT,
    SLEEP,
    Sample,
    helloworld_service,
)

SERVICE = "narrowed"
"""A Service before all versions that some callers may not see."""
CLUSTER = outbound(host_of(SERVICE, NAMESPACE), PORT)
MARK = "x-exported"
"""The header that calls bear which obey the rule of another namespace."""
_EXPORT_TO = "networking.istio.io/exportTo"

Narrow = Callable[[Sample, str], AbstractContextManager[None]]
"""Makes the Service invisible by what is applied in one cluster."""


def service(*, export_to: str = "") -> Object:
    """The Service. ``export_to``: the only namespaces whose callers may see it, "" for all
    (https://istio.io/latest/docs/reference/config/annotations/)."""
    made = helloworld_service(name=SERVICE)
    if export_to:
        made["metadata"]["annotations"] = {_EXPORT_TO: export_to}
    return made


def listing_helloworld() -> Object:
    """sleep's proxy is to know helloworld, and to send nothing anywhere else
    (https://istio.io/latest/docs/reference/config/networking/sidecar/)."""
    spec = {
        "workloadSelector": {"labels": {"app": SLEEP}},
        "egress": [{"hosts": [f"./{HOST}", f"{SYSTEM}/*"]}],
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    }
    metadata = {"name": "listing-helloworld", "namespace": NAMESPACE}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Sidecar",
        "metadata": metadata,
        "spec": spec,
    }


def marking_from_outside(export_to: str) -> Object:
    """A rule for helloworld in another namespace than its callers', by which calls are marked with
    the namespaces that it is exported to, ``export_to``: one, or "." for its own."""
    anywhere: Object = {"route": [{"destination": {"host": HOST}}]}
    rule = virtual_service(HOST, [marking(anywhere, {MARK: export_to})])
    rule["metadata"]["namespace"] = OUTSIDE
    rule["spec"]["exportTo"] = [export_to]
    return rule


def distrusting(sample: Sample, export_to: str) -> Object:
    """A policy for helloworld in the root namespace, by which callers take no server of it for what
    it is; ``export_to``: as for ``marking_from_outside``.

    Gateways, whose namespace that is, begin no TLS of their own, and are none the wiser.
    """
    rule = destination_rule(HOST, (), Tls.ISTIO_MUTUAL)
    rule["metadata"]["namespace"] = SYSTEM
    rule["spec"]["exportTo"] = [export_to]
    nobody = sample.topology[sample.clusters[0]].mesh.identity(NAMESPACE, "nobody")
    rule["spec"]["trafficPolicy"]["tls"]["subjectAltNames"] = [nobody]
    return rule


def governed(sample: Sample, cluster: str) -> list[str]:
    """The clusters whose callers go by a cluster's configuration."""
    return [one for one in sample.clusters if sample.topology.configured_by(one) == cluster]


@contextmanager
def unlisted(sample: Sample, cluster: str) -> Iterator[None]:
    """A Sidecar in the cluster does not list the Service inside the block."""
    running, one = sample.mesh.cluster(cluster), listing_helloworld()
    with _invisible(sample, cluster):
        try:
            apply(running, [one])
            yield
        finally:
            delete(running, [one])


@contextmanager
def unexported(sample: Sample, cluster: str) -> Iterator[None]:
    """The cluster's Service is exported to other namespaces alone inside the block, of which one is
    the gateways': they would not let calls from other networks in any more."""
    running = sample.mesh.cluster(cluster)
    with _invisible(sample, cluster):
        try:
            apply(running, [service(export_to=f"{OUTSIDE},{SYSTEM}")])
            yield
        finally:
            apply(running, [service()])


@contextmanager
def shown_to_be(sample: Sample, cluster: str, narrow: Narrow) -> Iterator[None]:
    """As ``narrow``, and no proxy that the cluster governs knows the Service inside the block, as
    far as that comes about within half a minute."""
    with narrow(sample, cluster):
        what = f"the end of {CLUSTER} for callers that {cluster} governs"
        wanted = governed(sample, cluster)
        knowing = partial(_knowing, sample, wanted)
        arrive(sample.mesh, knowing, until=lambda names: not names, what=what)
        yield


@contextmanager
def _invisible(sample: Sample, cluster: str) -> Iterator[None]:
    """After the block all callers see the Service again, or the mesh is marked dirty."""
    names = governed(sample, cluster)
    try:
        yield
    finally:
        await_healed(sample, lambda: len(_knowing(sample, names)) == len(names), f"{SERVICE} again")


def _knowing(sample: Sample, names: list[str]) -> list[str]:
    """The clusters, of these, whose sleep's proxy knows the Service."""
    callers = [sample.caller(name) for name in names]
    texts = side_by_side(sample.mesh.shell, lambda one: in_use(one, CLUSTERS), callers)
    return [name for name, text in zip(names, texts, strict=True) if f'"{CLUSTER}"' in text]
