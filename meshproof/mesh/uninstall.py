"""Removes a mesh as Istio's documents have it, to see what that leaves.

The steps are those of "Cleanup" on the pages of https://istio.io/latest/docs/setup/install/multicluster/:
in each cluster what installed it removes it again, `istioctl uninstall -y --purge` or `helm delete`
of each release, then `kubectl delete namespace istio-system`. What a user has installed besides,
workloads and their namespaces, and what he has said of his nodes, goes first.
"""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.kube import RunningCluster
from meshproof.kube.objects import Object, await_absence, delete
from meshproof.kube.seam import lab_errors
from meshproof.mesh.installer import installer_of
from meshproof.mesh.manifests import SYSTEM, node_labels
from meshproof.mesh.mesh import Mesh
from meshproof.model import Member
from meshproof.process import Shell, side_by_side


def uninstall(mesh: Mesh, namespaces: Iterable[str]) -> None:
    """Uninstall a mesh's deployment, cluster by cluster in the order of its topology.

    ``namespaces``: those of the workloads. The mesh is marked when this does not come to its end.
    Raises LabError with the installer's own words, WaitTimeoutError when a namespace stays.
    """
    shell = Shell(mesh.lab.recorder)
    installer = installer_of(mesh, shell)
    members = mesh.deployment.topology.members
    clusters = [mesh.cluster(one.name) for one in members]
    try:
        side_by_side(shell, lambda one: _remove(one, namespaces), clusters)
        for member in members:
            cluster = mesh.cluster(member.name)
            _unlabel(cluster, member)
            with mesh.lab.recorder.step(f"uninstall Istio in {member.name}"):
                installer.uninstall(cluster, mesh.deployment.istio[member.name])
                _remove(cluster, [SYSTEM])
    except BaseException:  # Ctrl-C as well: a lab that is kept would be taken for whole
        mesh.mark_dirty("its uninstallation did not come to an end")
        raise


def _unlabel(cluster: RunningCluster, member: Member) -> None:
    """Take off the nodes where they are, as the topology has said it."""
    said = node_labels(member, [one.container for one in cluster.nodes])
    for name, labels in said.items():
        with lab_errors(f"take the labels off node {name} of {cluster.name}"):
            gone = {"metadata": {"labels": dict.fromkeys(labels)}}
            cluster.core.patch_node(name, gone)


def _remove(cluster: RunningCluster, namespaces: Iterable[str]) -> None:
    delete(cluster, [_namespace(name) for name in namespaces])
    for name in namespaces:
        await_absence(cluster, name)


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
