"""A ServiceEntry for all names under one, and what pods are told of such names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Address

from meshproof.kube.objects import Object
from meshproof.mesh.configuration import configured
from meshproof.mesh.routes import host_of
from meshproof.traffic.settle import arrive, await_healed
from meshproof.workloads.dns_sleeps import DNS_SLEEP
from meshproof.workloads.sample import NAMESPACE, PORT, Sample
from suites.names.services import ask

_PARENT = "wildcards.test"
PLAIN = f"one.{_PARENT}"
"""A name that the entry stands for."""
SEARCHED = host_of(PLAIN, NAMESPACE)
"""What a resolver asks for first when it is asked for that name: the name in its own domain."""
ADDRESS = IPv4Address("240.1.1.1")


def wildcard(address: IPv4Address = ADDRESS) -> Object:
    """The entry, with an address that nobody has (https://istio.io/latest/docs/reference/config/
    networking/service-entry/)."""
    spec = {
        "hosts": [f"*.{_PARENT}"],
        "addresses": [str(address)],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": PORT, "name": "http", "protocol": "HTTP"}],
        "endpoints": [{"address": "240.1.1.9"}],
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "wildcard", "namespace": NAMESPACE},
        "spec": spec,
    }


@contextmanager
def wildcard_known(sample: Sample, one: Object) -> Iterator[None]:
    """The entry is there inside the block, and sleeps whose sidecars answer names know it, or half
    a minute has passed; afterwards they have forgotten it, or the mesh is marked dirty."""
    try:
        with configured(sample.mesh, [one]):
            for name in sample.clusters:
                known = partial(_known, sample, name)
                arrive(sample.mesh, known, what=f"{PLAIN} in {name}")
            yield
    finally:
        await_healed(
            sample,
            lambda: not any(_known(sample, name) for name in sample.clusters),
            f"the end of {PLAIN}",
        )


def _known(sample: Sample, cluster: str) -> bool:
    return ask(sample, sample.caller(cluster, DNS_SLEEP), PLAIN).exists
