"""Gateways whose Services say something else of where they are than the lab has given them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from meshproof.kube.seam import lab_errors
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.operator_config import GATEWAY
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.settle import await_healed, healed, require
from meshproof.workloads.sample import HOST, PORT, Sample


def ways_known(sample: Sample, caller: str) -> set[str]:
    """The addresses and ports that the caller's sidecar knows for helloworld."""
    seen = endpoints(sample.caller(caller), outbound(HOST, PORT))
    return {f"{one.address}:{one.port}" for one in seen}


@contextmanager
def announced(
    sample: Sample,
    caller: str,
    target: str,
    said: dict[str, str],
    until: Callable[[set[str]], bool],
) -> Iterator[None]:
    """The Service of the gateway that leads to the target is ``said`` to be elsewhere, and the
    caller's sidecar has taken that ("until" of what it knows) inside the block; afterwards it is
    announced as before. Raises EvidenceError when the sidecar does not take it."""
    there = next(iter(sample.mesh.ways_to(sample.versions[target])))
    before, told = ways_known(sample, caller), _told(sample, there)
    where = "".join(said.values())
    try:
        _tell(sample, there, [said])
        what = f"the gateway of {there} at {where} in the proxy of {caller}"
        require(lambda: ways_known(sample, caller), until=until, what=what)
        yield
    finally:
        _tell(sample, there, told)
        known = f"the gateway of {there} where it is"
        await_healed(sample, lambda: ways_known(sample, caller) == before, known)
        healed(sample)


def _told(sample: Sample, there: str) -> list[dict[str, str]]:
    cluster = sample.mesh.cluster(there)
    with lab_errors(f"read the status of {GATEWAY} in {there}"):
        status = cluster.core.read_namespaced_service_status(GATEWAY, SYSTEM).status
    named = {"ip": status.load_balancer.ingress[0].ip}
    named |= {"hostname": status.load_balancer.ingress[0].hostname}
    return [{kind: value for kind, value in named.items() if value}]


def _tell(sample: Sample, there: str, ingress: list[dict[str, str]]) -> None:
    status = {"status": {"loadBalancer": {"ingress": ingress}}}
    with lab_errors(f"write the status of {GATEWAY} in {there}"):
        sample.mesh.cluster(there).core.patch_namespaced_service_status(GATEWAY, SYSTEM, status)
