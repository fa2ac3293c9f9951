"""Machines that leave a mesh and come back, and that try to join it as what they are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from meshproof.kube.objects import Object, apply
from meshproof.mesh.gateways import gateway_workload, sni_of
from meshproof.mesh.machine_setup import ERRORS, LOG, UNIT, place_files
from meshproof.mesh.machines import (
    Joining,
    connected,
    entries_there,
    workload_entry,
    workload_group,
    written_files,
)
from meshproof.mesh.proxy import endpoints, outbound
from meshproof.traffic.settle import converge, healed, require
from meshproof.workloads.sample import HOST, NAMESPACE, PORT, Sample, joining_of

NOBODY = "nobody"
"""A WorkloadGroup that there is not."""
OTHER_NETWORK = "net-elsewhere"


def entry_of(sample: Sample, machine: str) -> Object | None:
    """The WorkloadEntry of a machine, as its name and address say; None when there is none."""
    return workload_entry(sample.mesh, sample.topology.machine(machine), NAMESPACE)


@contextmanager
def away(sample: Sample, machine: str) -> Iterator[None]:
    """Istio's unit is stopped on a machine inside the block; afterwards it is started, and waited
    for until the machine is part of the mesh again, or the mesh is marked dirty."""
    running = sample.machines[machine].running
    try:
        running.script(f"systemctl stop {UNIT}\n")
        yield
    finally:
        running.script(f"systemctl start {UNIT}\n")
        _await_back(sample, machine)


def await_forgotten(sample: Sample, machine: str) -> bool:
    """Wait until no proxy that calls helloworld, or passes such calls on, has a machine among its
    endpoints any more, or half a minute has passed. Returns whether that came about."""
    address = str(sample.machines[machine].address)
    known = [(sample.caller(name), outbound(HOST, PORT)) for name in sample.clusters]
    known += [
        (gateway_workload(sample.mesh, one.name), sni_of(HOST, PORT))
        for one in sample.topology.eastwest_gateways
    ]

    def holding() -> list[str]:
        return [
            str(proxy)
            for proxy, cluster in known
            if any(one.address == address for one in endpoints(proxy, cluster))
        ]

    return converge(holding, until=lambda left: not left, what=f"the end of {machine} in proxies")


@contextmanager
def joining_with(sample: Sample, machine: str, files: Mapping[str, str]) -> Iterator[None]:
    """A machine that has left tries to join with other files inside the block, as far as ``files``
    has them; afterwards it is what it was, or the mesh is marked dirty. Raises EvidenceError when
    its WorkloadEntry does not go first.

    Each time nothing of it is registered any more before it starts: of two WorkloadEntries of one
    group and address at a time, which differ in their network, Istio 1.31.1 may keep the older one
    among its endpoints when it is deleted (docs/reports.md).
    """
    running = sample.machines[machine].running
    own = files_of(sample, machine)
    try:
        running.script(f"systemctl stop {UNIT}\n")
        require(lambda: not _entries(sample, machine), what=_gone(machine))
        place_files(running, {**own, **files})
        # What is looked for there is to be of this attempt.
        running.script(f"truncate --size 0 {LOG} {ERRORS}\nsystemctl start {UNIT}\n")
        yield
    finally:
        running.script(f"systemctl stop {UNIT}\n")
        if not converge(lambda: not _entries(sample, machine), what=_gone(machine)):
            left = ", ".join(_entries(sample, machine))
            sample.mesh.mark_dirty(f"machine {machine} has left, but not {left}")
        place_files(running, own)
        running.script(f"systemctl start {UNIT}\n")
        _await_back(sample, machine)


@contextmanager
def with_account(sample: Sample, machine: str, account: str) -> Iterator[None]:
    """A machine is another account's inside the block, by its group and its token. Raises as
    ``joining_with``."""
    spec, mesh = sample.topology.machine(machine), sample.mesh
    usual = joining_of(spec)
    group = workload_group(mesh, spec, usual)
    other = workload_group(mesh, spec, Joining(NAMESPACE, account, usual.labels))
    cluster = mesh.cluster(spec.primary)
    apply(cluster, [_account(account), other])
    try:
        with joining_with(sample, machine, written_files(mesh, spec, other)):
            require(lambda: connected(entry_of(sample, machine)), what=f"{machine} as {account}")
            healed(sample)
            apply(cluster, [group])
            yield
    finally:
        apply(cluster, [group])


def files_of(sample: Sample, machine: str) -> dict[str, str]:
    """The files by which a machine joins, with a token that is made now. Raises LabError."""
    spec = sample.topology.machine(machine)
    group = workload_group(sample.mesh, spec, joining_of(spec))
    return written_files(sample.mesh, spec, group)


def of_group(files: Mapping[str, str], group: str) -> dict[str, str]:
    """The same for a machine that registers itself as one of another group."""
    return {"cluster.env": _said(files, "ISTIO_META_AUTO_REGISTER_GROUP", group)}


def on_network(files: Mapping[str, str], network: str) -> dict[str, str]:
    """The same for a machine that says it is on another network."""
    return {"cluster.env": _said(files, "ISTIO_META_NETWORK", network)}


def _said(files: Mapping[str, str], variable: str, value: str) -> str:
    return re.sub(rf"(?m)^{variable}=.*$", f"{variable}={value}", files["cluster.env"])


def _entries(sample: Sample, machine: str) -> list[str]:
    return entries_there(sample.mesh, sample.topology.machine(machine), NAMESPACE)


def _gone(machine: str) -> str:
    return f"the end of each WorkloadEntry of {machine}"


def _await_back(sample: Sample, machine: str) -> None:
    what = f"the WorkloadEntry of {machine}"
    if not converge(lambda: connected(entry_of(sample, machine)), what=what, within=60):
        sample.mesh.mark_dirty(f"machine {machine} does not come back")
        return
    healed(sample)


def _account(name: str) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
