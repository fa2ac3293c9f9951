"""The mesh that a run finds on a kept lab: what of it is not as it was installed is said, and left
as it is, or with --repair installed anew."""

from __future__ import annotations

from meshproof.artifacts import Bundle
from meshproof.errors import MeshproofError
from meshproof.faults.unhealed import Stays, forget, unhealed
from meshproof.lab import Lab
from meshproof.lab.found import BROKEN, LEFT, REPAIRED, say
from meshproof.mesh.keep import Noted, changed_since_installed, keep_mesh, read_noted, take_over
from meshproof.mesh.mesh import Mesh
from meshproof.model import Deployment
from meshproof.traffic.settle import settle
from meshproof.workloads.sample import Sample


def as_kept(lab: Lab, deployment: Deployment, bundle: Bundle, *, repair: bool) -> Sample | None:
    """The sample on the mesh that a kept lab holds, to be judged as it is; None when there is
    none, or when it is to be installed anew: it may be (``repair``) and is not as it should be.

    Raises UsageError, which names both, for a mesh of another deployment that may not be removed;
    LabError when it cannot be looked at.
    """
    noted = read_noted(lab)
    if noted is None:
        return None
    if not noted.is_of(deployment):
        refusal = noted.refusal([str(deployment)])
        if not repair:
            raise refusal
        say(lab, REPAIRED, [refusal.cause])
        return None
    with lab.recorder.step("compare the mesh with what was installed"):
        found = _not_as_installed(lab, noted)
    if repair and found:
        say(lab, REPAIRED, found)
        return None
    say(lab, LEFT, found)
    sample = Sample(take_over(lab, noted, deployment, bundle))
    try:
        sample.mesh.settling = settle(sample)
    except MeshproofError:
        keep_mesh(sample.mesh)  # as it was noted before
        raise
    return sample


def leave_damage(mesh: Mesh) -> None:
    """Go on with a mesh that may not be changed although a test has damaged it, and say so."""
    reason = mesh.leave_damage()
    if reason is not None:
        say(mesh.lab, LEFT, [f"the mesh {mesh.deployment} is damaged: {reason}"])


def tell_unhealed(lab: Lab) -> None:
    """Say which faults were in force when their process was killed: those that are in the lab, and
    no installation mends. Raises LabError when their note cannot be read."""
    forget(lab.claim, Stays.UNTIL_USED)  # the lab has been taken over
    say(lab, BROKEN, [str(one) for one in unhealed(lab.claim) if one.stays is Stays.IN_LAB])


def _not_as_installed(lab: Lab, noted: Noted) -> list[str]:
    """Why the mesh may not be as it was installed, in a sentence each."""
    whole = f"the mesh {noted.name}"
    found = [f"{whole} is damaged: {noted.dirty}"] if noted.dirty else []
    found += [str(one) for one in unhealed(lab.claim) if one.stays is Stays.IN_MESH]
    if noted.installed is None:
        found.append(f"{whole} cannot be compared: nobody took down what was installed")
    return found + [str(one) for one in changed_since_installed(lab, noted)]
