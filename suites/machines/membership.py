"""Machines that leave a mesh and come back, and that try to join it as what they are not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address

from meshproof.faults.machine import machine_killed
from meshproof.kube.objects import Object, apply
from meshproof.mesh.gateways import gateway_workload, sni_of
from meshproof.mesh.machine_setup import ERRORS, LOG, SERVER_UNIT, UNIT, place_files
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


def serving(sample: Sample) -> str:
    """The first machine that has a version."""
    return next(name for name, one in sample.machines.items() if one.version)


def entry_of(sample: Sample, machine: str, address: IPv4Address | None = None) -> Object | None:
    """The WorkloadEntry of a machine, as its name and address say, by default its own now; None
    when there is none."""
    return workload_entry(sample.mesh, sample.topology.machine(machine), NAMESPACE, address)


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


@contextmanager
def powerless(sample: Sample, machine: str, then: IPv4Address | None = None) -> Iterator[None]:
    """A machine is without power inside the block; afterwards it runs again, at the address
    ``then``, by default at that which it had, and has joined with new files, for the token and the
    name of istiod are gone as after any restart; or the mesh is marked dirty."""
    running = sample.machines[machine].running
    try:
        with machine_killed(sample.mesh.lab, machine, then or running.address):
            yield
    finally:
        place_files(running, files_of(sample, machine))
        running.script(f"systemctl restart {UNIT}\n")
        _await_back(sample, machine)


@contextmanager
def server_stopped(sample: Sample, machine: str) -> Iterator[None]:
    """helloworld does not run on a machine inside the block; afterwards it does, and answers, or
    the mesh is marked dirty."""
    running = sample.machines[machine].running
    running.script(f"systemctl stop {SERVER_UNIT}\n")
    try:
        yield
    finally:
        running.script(f"systemctl start {SERVER_UNIT}\n")
        healed(sample)


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
def grouped(
    sample: Sample, machine: str, group: Object, more: Sequence[Object] = ()
) -> Iterator[None]:
    """A machine is one of a group that is otherwise than its own inside the block, by whose files
    it has joined. ``more``: what that group needs beside it. Raises as ``joining_with``."""
    spec, mesh = sample.topology.machine(machine), sample.mesh
    usual = workload_group(mesh, spec, joining_of(spec))
    cluster = mesh.cluster(spec.primary)
    apply(cluster, [*more, group])
    try:
        with joining_with(sample, machine, written_files(mesh, spec, group)):
            what = f"{machine} as one of the group"
            require(lambda: connected(entry_of(sample, machine)), what=what)
            healed(sample)
            apply(cluster, [usual])
            yield
    finally:
        apply(cluster, [usual])


@contextmanager
def with_account(sample: Sample, machine: str, account: str) -> Iterator[None]:
    """A machine is another account's inside the block, by its group and its token. Raises as
    ``joining_with``."""
    group = group_of_account(sample, machine, account)
    with grouped(sample, machine, group, [_account(account)]):
        yield


def group_of_account(sample: Sample, machine: str, account: str) -> Object:
    """A machine's WorkloadGroup, but of another account."""
    spec = sample.topology.machine(machine)
    return workload_group(sample.mesh, spec, Joining(NAMESPACE, account, joining_of(spec).labels))


def files_of(sample: Sample, machine: str) -> dict[str, str]:
    """The files by which a machine joins, with a token that is made now. Raises LabError."""
    spec = sample.topology.machine(machine)
    group = workload_group(sample.mesh, spec, joining_of(spec))
    return written_files(sample.mesh, spec, group)


def files_of_account(sample: Sample, machine: str, account: str) -> dict[str, str]:
    """The files of a machine that is another account's. Raises LabError."""
    group = group_of_account(sample, machine, account)
    return written_files(sample.mesh, sample.topology.machine(machine), group)


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


def await_connected(sample: Sample, machine: str) -> bool:
    """Wait until a machine's WorkloadEntry is there and connected, or a minute has passed. Returns
    whether that came about."""
    what = f"the WorkloadEntry of {machine}"
    return converge(lambda: connected(entry_of(sample, machine)), what=what, within=60)


def _await_back(sample: Sample, machine: str) -> None:
    if not await_connected(sample, machine):
        sample.mesh.mark_dirty(f"machine {machine} does not come back")
        return
    healed(sample)


def _account(name: str) -> Object:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
