"""Machines outside Kubernetes join a mesh, step by step as a user lets them, and leave it.

The steps are those of https://istio.io/latest/docs/setup/install/virtual-machine/: a WorkloadGroup,
files by istioctl, Istio's own package and its one unit on the machine, which registers itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from meshproof.errors import LabError, MeshproofError
from meshproof.kube.objects import Object, apply, read, read_all
from meshproof.mesh.istioctl import Istioctl
from meshproof.mesh.machine_setup import UNIT, install_package, place_files, said_last
from meshproof.mesh.manifests import LOCALITY_LABEL
from meshproof.mesh.mesh import Mesh
from meshproof.model import Machine, Version
from meshproof.process import Shell, called_off
from meshproof.wait import eventually

_NETWORKING = "networking.istio.io/v1"
_GROUP = "istio.io/autoRegistrationGroup"
"""By which a WorkloadEntry says whose it is (pilot/pkg/autoregistration/controller.go of Istio)."""
_REGISTERED_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Joining:
    """How a machine joins. ``namespace`` and ``account``: whose it is; ``labels``: of its
    instances, beside its locality's."""

    namespace: str
    account: str
    labels: Mapping[str, str]


def entry_name(machine: Machine, address: IPv4Address) -> str:
    """What the WorkloadEntry is called that istiod makes when the machine registers itself, after
    its group, address and network (pilot/pkg/autoregistration/controller.go of Istio)."""
    return f"{machine.name}-{address}-{machine.network}"


def workload_entry(
    mesh: Mesh, machine: Machine, namespace: str, address: IPv4Address | None = None
) -> Object | None:
    """The WorkloadEntry of a machine at an address, by default its own now; None when there is
    none. Raises LabError."""
    name = entry_name(machine, address or mesh.lab.machines[machine.name].address)
    wanted = _object("WorkloadEntry", name, namespace)
    return read(mesh.cluster(machine.primary), wanted)


def entries_of_group(
    mesh: Mesh, cluster: str, group: str, namespace: str
) -> dict[IPv4Address, Object]:
    """The WorkloadEntries of those that have registered themselves as of a group, by their
    addresses. Raises LabError."""
    entries = read_all(mesh.cluster(cluster), _NETWORKING, "WorkloadEntry", namespace)
    return {
        IPv4Address(one["spec"]["address"]): one
        for one in entries
        if (one["metadata"].get("annotations") or {}).get(_GROUP) == group
    }


def entries_there(mesh: Mesh, machine: Machine, namespace: str) -> list[str]:
    """The names of all WorkloadEntries at a machine's address now, of whichever group and network:
    several, where it said it is on another network before the entry of the first went. Raises
    LabError."""
    address = str(mesh.lab.machines[machine.name].address)
    entries = read_all(mesh.cluster(machine.primary), _NETWORKING, "WorkloadEntry", namespace)
    return [one["metadata"]["name"] for one in entries if one["spec"].get("address") == address]


def workload_group(mesh: Mesh, machine: Machine, joining: Joining) -> Object:
    """A machine's WorkloadGroup as istioctl writes it. Raises LabError with its words.

    The locality goes by the label: what the template says of it is replaced by what a machine says
    of itself, which without that label is nothing (``workloadEntryFromGroup`` in
    pilot/pkg/autoregistration of Istio).
    """
    labels = dict(joining.labels)
    if machine.locality:
        labels[LOCALITY_LABEL] = machine.locality
    return _istioctl(mesh).workload_group(
        mesh.cluster(machine.primary),
        mesh.deployment.istio[machine.primary],
        (machine.name, joining.namespace, joining.account),
        machine.network,
        labels,
    )


def join(mesh: Mesh, machine: Machine, joining: Joining) -> None:
    """Let a machine join: its account and group, its files, Istio on it, its unit started; and wait
    until its WorkloadEntry is there.

    Its namespace must be there, and istiod must have given that its root certificate. Raises
    LabError with the words of istioctl, or of the machine's own agent, when that does not come
    about.
    """
    with mesh.lab.recorder.step(f"let machine {machine.name} join"):
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": joining.account, "namespace": joining.namespace},
        }
        group = workload_group(mesh, machine, joining)
        apply(mesh.cluster(machine.primary), [account, group])
        running = mesh.lab.machines[machine.name]
        version = mesh.deployment.istio[machine.primary]
        install_package(running, mesh.lab.machine_artifacts.packages[version])
        place_files(running, written_files(mesh, machine, group))
        running.script(f"systemctl enable {UNIT} 2>&1\nsystemctl start {UNIT}\n")
        await_registered(mesh, machine, joining.namespace)


def renew(
    mesh: Mesh, machine: Machine, joining: Joining, version: Version, revision: str = ""
) -> None:
    """Put Istio's package of another version on a machine, as its package manager would: the unit
    is stopped, files are replaced, and it is started; and wait until its WorkloadEntry says that it
    is connected. ``revision``: whose istiod it is led to by new files, "" to leave it to its own.

    Raises as ``join``.
    """
    running = mesh.lab.machines[machine.name]
    with mesh.lab.recorder.step(f"Istio {version} on machine {machine.name}"):
        running.script(f"systemctl stop {UNIT}\n")
        install_package(running, mesh.lab.machine_artifacts.packages[version])
        if revision:
            group = workload_group(mesh, machine, joining)
            place_files(running, written_files(mesh, machine, group, revision))
        running.script(f"systemctl start {UNIT}\n")
        await_registered(mesh, machine, joining.namespace)


def written_files(
    mesh: Mesh, machine: Machine, group: Object, revision: str = ""
) -> dict[str, str]:
    """The files that istioctl writes for a machine of this group, by their names. They are kept in
    the mesh's folder, but for the token. ``revision``: whose istiod they lead to, "" for the
    mesh's. Raises LabError with its words."""
    return _istioctl(mesh).workload_files(
        mesh.cluster(machine.primary),
        mesh.deployment.istio[machine.primary],
        group,
        mesh.way_to_istiod(machine.primary),
        revision or mesh.deployment.revision,
    )


def await_registered(
    mesh: Mesh, machine: Machine, namespace: str, within: float = _REGISTERED_WITHIN
) -> None:
    """Wait until a machine's WorkloadEntry is there and says that it is connected. Raises LabError
    with what its agent said last when that does not come about."""
    running = mesh.lab.machines[machine.name]
    try:
        eventually(
            lambda: connected(workload_entry(mesh, machine, namespace)),
            fail_if=lambda _: called_off(mesh.lab.shell),
            what=f"the WorkloadEntry of machine {machine.name}",
            within=within,
            every=0.5,
            recorder=mesh.lab.recorder,
        )
    except MeshproofError as error:
        said = said_last(running) or "its agent said nothing"
        raise LabError(f"{error.cause}; on {running}: {said}") from error


def connected(entry: Object | None) -> bool:
    """Whether a WorkloadEntry says that its machine is connected to an istiod."""
    notes = (entry or {}).get("metadata", {}).get("annotations", {})
    return "istio.io/connectedAt" in notes


def _istioctl(mesh: Mesh) -> Istioctl:
    return Istioctl(mesh.bundle.istioctl, Shell(mesh.lab.recorder), mesh.folder)


def _object(kind: str, name: str, namespace: str) -> Object:
    return {
        "apiVersion": _NETWORKING,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
    }
