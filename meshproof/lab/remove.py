"""Removes what a lab owns, however far it got, and nothing else.

What belongs to a lab is told by its id: in the names of its clusters and networks, in a label
where the engine lets us set one, in the name of its nft table, and in the environment of the
programs that it started. Whose the lab is tell its folder, its leases, and the state folder that
its networks and its nft table name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from meshproof.engine import Container, Engine
from meshproof.engine.engine import KIND_LABEL, RUN_LABEL, STATE_LABEL
from meshproof.errors import CommandError, LabError, WaitTimeoutError
from meshproof.lab.network.host import left_on_host, sealed_ids, unseal
from meshproof.lab.network.subnets import Leases
from meshproof.lab.ownership import Claim, is_lab_id, object_name, real_state_dir, table_name
from meshproof.process import RUN_VARIABLE, end_programs
from meshproof.wait import eventually

# Started by the engine on our behalf, but its own: it ends them with their containers, and the
# name server serves other networks as well.
_ENGINES_OWN = frozenset({"conmon", "aardvark-dns", "netavark", "docker-proxy"})


def remove_lab(engine: Engine, claim: Claim) -> list[str]:
    """Remove programs, containers, volumes, networks, host rules, leases and folder of a lab.

    Returns the names of what went; the engine's recorder is told of them as well, also when not
    all goes. Raises LabError that names what could not be removed; the folder then stays, so
    that a later sweep tries again.
    """
    gone: dict[str, None] = {}
    try:
        _remove_all(engine, claim.id, gone)
        folder = _folder(claim)
        claim.forget()
        _note(gone, folder)
    finally:
        if gone:
            engine.shell.recorder.emit("removed", lab=claim.id, what=list(gone))
    return list(gone)


def remains(engine: Engine, lab_id: str) -> list[str]:
    """The names of all that ``remove_lab`` would remove now. Changes nothing."""
    leased = Leases().of(lab_id)
    return [
        *(_program(process) for process in _programs(lab_id)),
        *(f"container {container.name}" for container in _containers(engine, lab_id)),
        *(f"volume {name}" for name in _volumes(engine, lab_id)),
        *(f"network {name}" for name in _networks(engine, lab_id)),
        *(one.name for one in (left_on_host(engine, leased) if leased else ())),
        *([_table(lab_id)] if lab_id in sealed_ids(engine.shell) else ()),
        *(f"lease of {subnet.network}" for subnet in leased),
        *_folder(Claim(lab_id)),
    ]


def lab_ids_in(engine: Engine) -> set[str]:
    """The ids of all labs of this state folder that are known by more than a folder.

    That is by networks, nft rules or leases: they name the state folder. A container alone does
    not, and labs that were made with another state folder are somebody else's to remove.
    """
    mine = str(real_state_dir())
    networks = engine.networks()
    foreign = {n.labels.get(RUN_LABEL) for n in networks if n.labels.get(STATE_LABEL) != mine}
    named = {n.labels.get(RUN_LABEL, "") for n in networks}
    found = named | sealed_ids(engine.shell) | Leases().owners()
    return {lab_id for lab_id in found - foreign if is_lab_id(lab_id)}


def _remove_all(engine: Engine, lab_id: str, gone: dict[str, None]) -> None:
    """Remove all but the folder, and note what went."""
    leases = Leases()
    leased = leases.of(lab_id)  # read first: when it cannot be, nothing has been removed yet
    _end(list(_programs(lab_id)), gone)
    try:
        eventually(
            lambda: _remove_once(engine, lab_id, gone),
            what=f"the removal of lab {lab_id}",
            until=lambda left: not left,
            within=60,
            every=0.5,
        )
    except WaitTimeoutError as error:
        raise LabError(error.cause, "try 'meshproof sweep' again later") from None
    _end(list(_orphaned_monitors(lab_id)), gone)
    for one in left_on_host(engine, leased) if leased else ():
        one.remove(engine.shell)
        _note(gone, [one.name])
    if unseal(engine.shell, lab_id):
        _note(gone, [_table(lab_id)])
    _end(list(_programs(lab_id)), gone)  # what the others' end has started
    if still := ", ".join(_program(process) for process in _programs(lab_id)):
        raise LabError(f"of lab {lab_id} there is still: {still}", "end it by hand")
    leases.give_back(lab_id)
    _note(gone, [f"lease of {subnet.network}" for subnet in leased])


def _remove_once(engine: Engine, lab_id: str, gone: dict[str, None]) -> list[str]:
    """One attempt; returns what is still there. Something can be half made at the first."""
    containers = [container.name for container in _containers(engine, lab_id)]
    try:
        engine.remove_containers(containers)
        _note(gone, [f"container {name}" for name in containers])
        volumes = _volumes(engine, lab_id)
        engine.remove_volumes(volumes)
        _note(gone, [f"volume {name}" for name in volumes])
        for network in _networks(engine, lab_id):
            engine.remove_network(network)
            _note(gone, [f"network {network}"])
    except CommandError as error:
        return [error.cause]
    return [
        *(container.name for container in _containers(engine, lab_id)),
        *_volumes(engine, lab_id),
        *_networks(engine, lab_id),
    ]


def _containers(engine: Engine, lab_id: str) -> list[Container]:
    """The router by its label, the nodes by their cluster's name: kind takes no labels.

    A container that was half made when its maker was killed has no label yet: its name tells.
    """
    prefix = object_name(lab_id, "")
    return [
        container
        for container in engine.containers()
        if container.labels.get(RUN_LABEL) == lab_id
        or container.labels.get(KIND_LABEL, "").startswith(prefix)
        or (not container.labels and container.name.startswith(prefix))
    ]


def _volumes(engine: Engine, lab_id: str) -> list[str]:
    """kind labels a node's volume with the name of the node (podman), or removes it itself."""
    prefix = object_name(lab_id, "")
    return [
        name
        for name, labels in engine.volumes().items()
        if any(label.startswith(prefix) for label in labels)
    ]


def _networks(engine: Engine, lab_id: str) -> list[str]:
    mine = {RUN_LABEL: lab_id, STATE_LABEL: str(real_state_dir())}
    return [n.name for n in engine.networks() if mine.items() <= dict(n.labels).items()]


def _table(lab_id: str) -> str:
    return f"nft table {table_name(lab_id)}"


def _folder(claim: Claim) -> list[str]:
    return [f"folder {claim.folder}"] if claim.has_folder else []


def _end(programs: list[psutil.Process], gone: dict[str, None]) -> None:
    _note(gone, [_program(process) for process in programs])
    end_programs(programs)


def _note(gone: dict[str, None], names: Iterable[str]) -> None:
    """Note names, each once: what resists is tried again."""
    gone.update(dict.fromkeys(names))


def _orphaned_monitors(lab_id: str) -> Iterator[psutil.Process]:
    """podman's monitors of containers that are gone; forced removal can leave one behind."""
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["name"] == "conmon" and any(
            word.startswith(object_name(lab_id, "")) for word in words
        ):
            yield process


def _programs(lab_id: str) -> Iterator[psutil.Process]:
    """Programs of this lab on this machine; what runs inside containers ends with them.

    Never this process or one that it descends from: who asks for the removal may have the lab's
    id in the environment. Nor any in other namespaces of users or processes than this one's:
    they are a container's.
    """
    here = psutil.Process()
    spared = {here.pid, *(parent.pid for parent in here.parents())}
    for process in psutil.process_iter():
        try:
            if process.environ().get(RUN_VARIABLE) != lab_id or process.pid in spared:
                continue
            if process.name() not in _ENGINES_OWN and _place(process.pid) == _place(here.pid):
                yield process
        except (psutil.Error, OSError):
            continue


def _place(pid: int) -> tuple[str, ...]:
    """The namespaces of users and of processes that a process is in (namespaces(7))."""
    folder = Path("/proc") / str(pid) / "ns"
    return tuple(str((folder / name).readlink()) for name in ("user", "pid"))


def _program(process: psutil.Process) -> str:
    try:
        return f"program {process.pid} ({process.name()})"
    except psutil.Error:
        return f"program {process.pid} (ended)"
