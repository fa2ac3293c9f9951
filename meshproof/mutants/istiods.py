"""The istiods of a mesh: which program they run, and which mutant is on in it.

The program with the mutants is put on the nodes, and run in the pods' own container in place of the
image's: labs, images and proxies are those of any other run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meshproof.kube.rollout import await_rollout, change_template
from meshproof.kube.seam import lab_errors
from meshproof.mesh.istiod import CONTAINER, ISTIOD, deployed
from meshproof.mesh.manifests import SYSTEM
from meshproof.mesh.mesh import Mesh
from meshproof.mutants.source import VARIABLE
from meshproof.traffic.connected import await_proxies
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, SLEEP, Sample

_RESTARTED = "meshproof.io/restarted-for"
_ON_NODES, _IN_PODS, _VOLUME = "/meshproof-mutants", "/mutants", "mutants"
_DELETE = {"$patch": "delete"}


@dataclass(frozen=True, slots=True)
class State:
    """What a control plane's istiod is told to run. ``command``: the program in place of its
    image's own, "" for that; ``mutant``: the one that is on, None when none is."""

    command: str = ""
    mutant: str | None = None


def switch(sample: Sample, program: Path, mutant: str | None, *, renew: bool = False) -> None:
    """Have every control plane run the program with this mutant on, or with none, and wait until
    all proxies have their configuration from such istiods.

    ``renew``: workloads are restarted then, so that their certificates are of these istiods.
    Raises LabError when something does not come up again, WaitTimeoutError when a proxy does not
    come back.
    """
    _put(sample.mesh, program)
    what = f"switch {mutant} on" if mutant else "switch mutants off"
    _change(sample, what, State(command_of(program), mutant), renew=renew)


def restore(sample: Sample) -> None:
    """Have the control planes run their images' own program again. Raises as ``switch``."""
    _change(sample, "run the ordinary istiod again", State(), renew=False)


def states(mesh: Mesh) -> list[State]:
    """What each control plane's istiod runs, by its Deployment. Raises LabError."""
    return [_state(mesh, one.name) for one in mesh.deployment.topology.control_planes]


def command_of(program: Path) -> str:
    """Where the pods of an istiod find the program, which the store has by its content."""
    return f"{_IN_PODS}/{_key(program)}/{program.name}"


def template_for(state: State) -> dict[str, Any]:
    """What a pod's template needs for a state, as a strategic merge patch of it."""
    on = state.mutant
    env = {"name": VARIABLE, "value": on} if on else {"name": VARIABLE, **_DELETE}
    volume: dict[str, Any] = {"name": _VOLUME}
    mount: dict[str, Any] = {"mountPath": _IN_PODS}
    if state.command:
        volume["hostPath"] = {"path": _ON_NODES, "type": "Directory"}
        mount |= {"name": _VOLUME, "readOnly": True}
    else:
        volume, mount = volume | _DELETE, mount | _DELETE
    command = [state.command] if state.command else None
    container = {"name": CONTAINER, "command": command, "env": [env], "volumeMounts": [mount]}
    return {"spec": {"containers": [container], "volumes": [volume]}}


def _change(sample: Sample, what: str, state: State, *, renew: bool) -> None:
    mesh = sample.mesh
    with mesh.lab.recorder.step(what):
        name = mesh.blueprint.revised(ISTIOD)
        for member in mesh.deployment.topology.control_planes:
            cluster = mesh.cluster(member.name)
            change_template(cluster, SYSTEM, name, template_for(state))
            await_rollout(cluster, SYSTEM, {name}, mesh.shell)
        if renew:
            _restart(sample, state.mutant or "none")
        await_proxies(sample)


def _put(mesh: Mesh, program: Path) -> None:
    """Have the program on the nodes of every control plane, whole or not at all."""
    folder = f"{_ON_NODES}/{_key(program)}"
    target = f"{folder}/{program.name}"
    for member in mesh.deployment.topology.control_planes:
        cluster = mesh.cluster(member.name)
        with lab_errors(f"put the program with the mutants on the nodes of {member.name}"):
            for node in cluster.nodes:
                if cluster.on_node(node, "test", "-x", target, check=False).returncode == 0:
                    continue
                cluster.on_node(node, "mkdir", "-p", folder)
                mesh.lab.engine.copy_in(program, node.container, f"{target}.new")
                cluster.on_node(node, "chmod", "0755", _ON_NODES, folder, f"{target}.new")
                cluster.on_node(node, "mv", f"{target}.new", target)


def _key(program: Path) -> str:
    return program.parent.name[:16]


def _state(mesh: Mesh, control_plane: str) -> State:
    container = deployed(mesh.cluster(control_plane), mesh.blueprint.revised(ISTIOD))
    mutant = next((one.value for one in container.env or [] if one.name == VARIABLE), None)
    return State(next(iter(container.command or []), ""), mutant)


def _restart(sample: Sample, reason: str) -> None:
    """Replace the pods of sleep and helloworld."""
    mesh = sample.mesh
    template = {"metadata": {"annotations": {_RESTARTED: reason}}}
    for home in sample.clusters:
        names = {SLEEP, *(f"{HELLOWORLD}-{one}" for one in sample.versions_in(home))}
        for name in names:
            change_template(mesh.cluster(home), NAMESPACE, name, template)
        await_rollout(mesh.cluster(home), NAMESPACE, names, mesh.shell)
    sample.callers.clear()
