"""Names that sidecars know, and should not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.configuration import configured
from meshproof.traffic.settle import await_healed, require
from meshproof.workloads.sample import NAMESPACE, PORT, Sample
from suites.federation.setting import asker, told

_NOWHERE = "240.0.0.99"


@contextmanager
def named(sample: Sample, cluster: str, host: str) -> Iterator[None]:
    """A cluster's sidecars know a name inside the block, whatever stands behind it."""
    caller = asker(sample, cluster)

    def known() -> bool:
        return told(sample, caller, host).exists

    try:
        where = [sample.topology.configured_by(cluster)]
        with configured(sample.mesh, [_entry(host)], where):
            require(known, what=f"{host} in {cluster}")
            yield
    finally:
        await_healed(sample, lambda: not known(), f"the end of {host} in {cluster}")


def _entry(host: str) -> Object:
    spec = {
        "hosts": [host],
        "addresses": [_NOWHERE],
        "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
        "resolution": "STATIC",
        "endpoints": [{"address": _NOWHERE}],
        "exportTo": ["."],
    }
    metadata = {"name": "sabotage", "namespace": NAMESPACE}
    kind = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry"}
    return {**kind, "metadata": metadata, "spec": spec}
