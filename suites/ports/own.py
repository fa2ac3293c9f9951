"""One Service that has another port in each cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from meshproof.expect import Outcome, Verdict, all_of, believable, succeeded
from meshproof.kube.objects import Object, applied
from meshproof.mesh.config_dump import CLUSTERS, in_use
from meshproof.mesh.routes import host_of
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import await_healed, converge
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, PORT, Sample

SERVICE = "own-port"
_CALLS = 6


def own_ports(sample: Sample) -> dict[str, int]:
    """The Service's port in each cluster that versions run in: each another one."""
    return {name: PORT + number for number, name in enumerate(sample.homes)}


@contextmanager
def served(sample: Sample, ports: Mapping[str, int]) -> Iterator[None]:
    """Each cluster has the Service with its port inside the block, and proxies know it, or half a
    minute has passed; afterwards they have forgotten it, or the mesh is marked dirty."""

    def knowing() -> bool:
        return all(port in known_ports(sample, name) for name, port in ports.items())

    try:
        with ExitStack() as stack:
            for name, port in ports.items():
                stack.enter_context(applied(sample.mesh.cluster(name), [_service(port)]))
            converge(knowing, what=f"the ports of {SERVICE}")
            yield
    finally:
        forgotten = f"the end of {SERVICE}"
        await_healed(sample, lambda: not any(known_ports(sample, one) for one in ports), forgotten)


def known_ports(sample: Sample, caller: str) -> list[int]:
    """The ports of the Service for which a caller's proxy has instances to call."""
    used = [one.get("cluster", {}) for one in json.loads(in_use(sample.caller(caller), CLUSTERS))]
    host = f"||{host_of(SERVICE, NAMESPACE)}"
    names = [str(one.get("name", "")) for one in used]
    return sorted(int(name.split("|")[1]) for name in names if name.endswith(host))


def own_port_is_served(sample: Sample, home: str, port: int) -> Verdict:
    """A caller is answered at the port that its own cluster's Service has, whatever the Service of
    that name has in other clusters.

    Rule: Kubernetes, where a Service is what its cluster says. INCONCLUSIVE: the caller's proxy
    knows nothing of the Service.
    """
    known = known_ports(sample, home)
    expected = f"calls from {home} to be answered at {port}, the port of its own {SERVICE}"
    if not known:
        return Verdict(Outcome.INCONCLUSIVE, expected, f"{SERVICE} is not known in {home}")
    if port not in known:
        others = ", ".join(map(str, known))
        observed = f"in {home} {port}, which {SERVICE} has there, is not known, but {others}"
        return Verdict(Outcome.FAIL, expected, observed)
    url = f"http://{SERVICE}.{NAMESPACE}:{port}/hello"
    responses = call(sample, sample.caller(home), Plan(url, times=_CALLS))
    return all_of([believable(responses), succeeded(responses)])


def _service(port: int) -> Object:
    spec = {
        "selector": {"app": HELLOWORLD},
        "ports": [{"name": "http", "port": port, "targetPort": PORT}],
    }
    metadata = {"name": SERVICE, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
