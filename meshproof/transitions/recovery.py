"""A cluster that was lost with all that it held is made anew, and takes its place in its mesh
again: what its administrators would do, step by step."""

from __future__ import annotations

from meshproof.mesh.installation import installation_of
from meshproof.mesh.inventory import take_inventory
from meshproof.workloads.sample import Sample, deploy_in


def make_anew(sample: Sample, name: str) -> None:
    """Make a lost cluster (``Lab.lose``) anew: its nodes, what it has of Istio with certificates of
    the same root, the remote secrets of it and those that its istiod has, its gateway, and its
    workloads. Nobody restarts anything elsewhere.

    The mesh is marked, since it is not the one that was installed any more. Raises LabError for
    what does not come up, ValueError as ``Installation.anew``.
    """
    mesh, lab = sample.mesh, sample.mesh.lab
    mesh.mark_dirty(f"cluster {name} was lost, and made anew")
    with lab.recorder.step(f"make {name} anew"):
        lab.remake(name)
        sample.forget_callers(name)
        mesh.before = {**mesh.before, name: take_inventory(mesh.cluster(name))}
        installation_of(mesh).anew(sample.topology[name])
        deploy_in(mesh, mesh.cluster(name), mesh.shell)
