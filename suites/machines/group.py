"""Several machines of one group, behind one name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshproof.kube.objects import Object
from meshproof.mesh.machine_setup import UNIT
from meshproof.mesh.machines import connected, entries_of_group, workload_group, written_files
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.machines import way_to
from meshproof.traffic.settle import converge, require
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, Sample, joining_of
from suites.machines.membership import await_forgotten, joining_with, on_network


def another_of(sample: Sample, machine: str) -> str:
    """A machine that can be one of another's group: one that has a version as well, and the same
    istiod. Raises StopIteration where there is none."""
    primary = sample.machines[machine].cluster
    others = [one for one in sample.machines.values() if one.version and one.cluster == primary]
    return next(one.name for one in others if one.name != machine)


@contextmanager
def of_one_group(sample: Sample, machine: str, other: str) -> Iterator[None]:
    """Another machine is one of a machine's group inside the block, with that one's files, on its
    own network. Raises as ``joining_with``."""
    spec, mesh = sample.topology.machine(machine), sample.mesh
    files = written_files(mesh, spec, workload_group(mesh, spec, joining_of(spec)))
    network = sample.topology.machine(other).network
    with joining_with(sample, other, {**files, **on_network(files, network)}):
        address = sample.machines[other].address
        what = f"{other} in the group of {machine}"
        require(lambda: connected(members(sample, machine).get(str(address))), what=what)
        _await_known(sample, other)
        yield


def _await_known(sample: Sample, machine: str) -> None:
    """Wait until the proxies of all who know a machine's version have the machine, or a gateway
    that leads to it, among helloworld's endpoints, or half a minute has passed."""
    version = sample.machines[machine].version
    names = [name for name in sample.clusters if version in sample.machine_versions(name)]
    callers = [sample.caller(name) for name in names]
    ways = {one.name: way_to(sample, one, version).hosts for one in callers}

    def lacking() -> list[str]:
        return [
            str(one)
            for one in callers
            if ways[one.name].isdisjoint(
                f"{end.address}:{end.port}" for end in endpoints(one, outbound(HOST, PORT))
            )
        ]

    converge(lacking, until=lambda left: not left, what=f"{machine} in proxies")


def leave(sample: Sample, machine: str) -> None:
    """Stop Istio's unit on a machine, which who let it join starts again, and wait until proxies
    have forgotten it, or half a minute has passed."""
    sample.machines[machine].running.script(f"systemctl stop {UNIT}\n")
    await_forgotten(sample, machine)


def members(sample: Sample, group: str) -> dict[str, Object]:
    """The WorkloadEntries of those that have registered themselves as of a machine's group, by
    their addresses."""
    primary = sample.topology.machine(group).primary
    found = entries_of_group(sample.mesh, primary, group, NAMESPACE)
    return {str(address): one for address, one in found.items()}
