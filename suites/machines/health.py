"""Health checks of a WorkloadGroup: a machine's own agent makes them, and tells istiod.

https://istio.io/latest/docs/reference/config/networking/workload-group/#ReadinessProbe
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.machines import workload_group
from meshproof.workloads.sample import PORT, Sample, joining_of
from suites.machines.membership import entry_of, grouped

# As the page has it, the agent asks at an address that is not led to the proxy.
_PROBE: Object = {
    "httpGet": {"path": "/health", "host": "127.0.0.1", "port": PORT},
    "periodSeconds": 1,
    "failureThreshold": 2,
}


@contextmanager
def checked(sample: Sample, machine: str) -> Iterator[None]:
    """A machine's group has a health check inside the block, which asks helloworld on the machine.
    Raises as ``grouped``."""
    spec = sample.topology.machine(machine)
    group = workload_group(sample.mesh, spec, joining_of(spec))
    group["spec"]["probe"] = _PROBE
    with grouped(sample, machine, group):
        yield


def health_of(sample: Sample, machine: str) -> bool | None:
    """Whether a machine's WorkloadEntry says that it is healthy; None where it does not say.

    It does as of type "Healthy" (pilot/pkg/model/status of Istio).
    """
    entry = entry_of(sample, machine) or {}
    said = (entry.get("status") or {}).get("conditions") or []
    found = [one.get("status") for one in said if one.get("type") == "Healthy"]
    return found[0] == "True" if found else None
