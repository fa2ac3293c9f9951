"""Removes what a lab owns, however far it got, and nothing else.

What belongs to a lab is told by its id: in the names of its clusters and networks, in a label
where the engine lets us set one, in the name of its nft table, and in the environment of the
programs that it started.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import psutil

from meshproof.engine import Container, Engine
from meshproof.engine.engine import KIND_LABEL, RUN_LABEL, STATE_LABEL
from meshproof.errors import CommandError, LabError, WaitTimeoutError
from meshproof.lab.host import clear_subnet, sealed_ids, unseal
from meshproof.lab.ownership import Claim, object_name
from meshproof.lab.subnets import Leases
from meshproof.paths import state_dir
from meshproof.process import RUN_VARIABLE, end_programs
from meshproof.wait import eventually

# Started by the engine on our behalf, but its own: it ends them with their containers, and the
# name server serves other networks as well.
_ENGINES_OWN = frozenset({"conmon", "aardvark-dns", "netavark", "docker-proxy"})
_NODE = re.compile(r"mp-([0-9a-f]{8})-[a-z]+")


def remove_lab(engine: Engine, claim: Claim) -> None:
    """Remove programs, containers, volumes, networks, host rules, leases and folder of a lab.

    Raises LabError that names what could not be removed; the folder then stays, so that a
    later sweep tries again.
    """
    end_programs(list(_programs(claim.id)))
    try:
        eventually(
            lambda: _remove_once(engine, claim.id),
            what=f"the removal of lab {claim.id}",
            until=lambda left: not left,
            within=60,
            every=0.5,
        )
    except WaitTimeoutError as error:
        raise LabError(error.cause, "try 'meshproof sweep' again later") from None
    end_programs(list(_orphaned_monitors(claim.id)))
    for subnet in Leases().of(claim.id):
        clear_subnet(engine.shell, subnet)
    unseal(engine.shell, claim.id)
    Leases().give_back(claim.id)
    claim.forget()


def remains(engine: Engine, lab_id: str) -> list[str]:
    """The names of all that a lab still has in the engine, on the host and among programs."""
    containers = [f"container {c.name}" for c in _containers(engine, lab_id)]
    volumes = [f"volume {name}" for name in _volumes(engine, lab_id)]
    networks = [f"network {name}" for name in _networks(engine, lab_id)]
    rules = ["nft rules"] if lab_id in sealed_ids(engine.shell) else []
    leases = ["leased subnets"] if lab_id in Leases().owners() else []
    programs = [f"program {process.pid}" for process in _programs(lab_id)]
    return containers + volumes + networks + rules + leases + programs


def lab_ids_in(engine: Engine) -> set[str]:
    """The ids of all labs that have left anything in the engine, in host rules or in leases.

    Labs that were made with another state folder are somebody else's to remove.
    """
    mine = str(state_dir())
    networks = engine.networks()
    foreign = {n.labels.get(RUN_LABEL) for n in networks if n.labels.get(STATE_LABEL) != mine}
    found = {c.labels[RUN_LABEL] for c in engine.containers() if RUN_LABEL in c.labels}
    found |= {n.labels[RUN_LABEL] for n in networks if RUN_LABEL in n.labels}
    return (found | sealed_ids(engine.shell) | Leases().owners()) - foreign


def _remove_once(engine: Engine, lab_id: str) -> list[str]:
    """One attempt; returns what is still there. Something can be half made at the first."""
    try:
        engine.remove_containers([container.name for container in _containers(engine, lab_id)])
        engine.remove_volumes(_volumes(engine, lab_id))
        for network in _networks(engine, lab_id):
            engine.remove_network(network)
    except CommandError as error:
        return [error.cause]
    return [
        *(container.name for container in _containers(engine, lab_id)),
        *_volumes(engine, lab_id),
        *_networks(engine, lab_id),
    ]


def _containers(engine: Engine, lab_id: str) -> list[Container]:
    """The router by its label, the nodes by their cluster's name: kind takes no labels.

    A container that was half made when its maker was killed has neither: its name tells.
    """
    return [
        container
        for container in engine.containers()
        if container.labels.get(RUN_LABEL) == lab_id
        or container.name.startswith(object_name(lab_id, ""))
        or _lab_of_cluster(container.labels.get(KIND_LABEL, "")) == lab_id
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
    return [n.name for n in engine.networks() if n.labels.get(RUN_LABEL) == lab_id]


def _lab_of_cluster(name: str) -> str | None:
    match = _NODE.fullmatch(name)
    return match.group(1) if match else None


def _orphaned_monitors(lab_id: str) -> Iterator[psutil.Process]:
    """podman's monitors of containers that are gone; forced removal can leave one behind."""
    for process in psutil.process_iter(["name", "cmdline"]):
        words = process.info["cmdline"] or []
        if process.info["name"] == "conmon" and any(
            word.startswith(object_name(lab_id, "")) for word in words
        ):
            yield process


def _programs(lab_id: str) -> Iterator[psutil.Process]:
    """Programs of this lab on this machine; what runs inside containers ends with them."""
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(RUN_VARIABLE) == lab_id
            if ours and process.name() not in _ENGINES_OWN:
                yield process
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
