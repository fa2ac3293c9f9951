"""A Service for each version of helloworld alone, in every cluster, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from meshproof.kube.objects import applied
from meshproof.workloads.sample import NAMESPACE, PORT, Sample, helloworld_service


@contextmanager
def a_service_for_each_version(sample: Sample) -> Iterator[None]:
    """Services that select one version each are there inside the block, in all clusters.

    Of a call to a Service of both versions Envoy tries the other where one fails; of a call to
    one of these it cannot. Proxies learn of them later. Raises LabError.
    """
    services = [helloworld_service(name=name_of(one), version=one) for one in sample.versions]
    with ExitStack() as stack:
        for name in sample.clusters:
            stack.enter_context(applied(sample.mesh.cluster(name), services))
        yield


def name_of(version: str) -> str:
    """What a version's own Service is called."""
    return f"only-{version}"


def url_of(version: str) -> str:
    """Where a version alone is called."""
    return f"http://{name_of(version)}.{NAMESPACE}:{PORT}/hello"
