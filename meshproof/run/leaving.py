"""Clusters of one's own are left as they were: by diff, and after a run that was killed too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.foreign import OWN_NAMESPACE
from meshproof.kube.seam import lab_errors
from meshproof.lab import Lab
from meshproof.lab.own.lab import KubeconfigLab
from meshproof.lab.own.there import holder_of
from meshproof.lab.ownership import Claim, Description
from meshproof.mesh.inventory import Inventory, Thing, take_inventory, take_whole
from meshproof.mesh.mesh import remove_mesh
from meshproof.process import Shell

_SHOWN = 12


def whole(lab: Lab) -> dict[str, Inventory]:
    """By cluster what there is that is not ours, before Istio is installed. Raises LabError."""
    found = {}
    for name, cluster in lab.clusters.items():
        with lab_errors(f"list what is in {name}"):
            everything = take_whole(cluster)
            found[name] = everything.without(everything.of_lab(lab.id, istios=False))
    return found


def check_left_as_it_was(lab: Lab, before: Mapping[str, Inventory]) -> None:
    """See, once all is removed, that nothing of ours is in the clusters, and say what else is not
    as it was: others may have changed it meanwhile. ``before``: as ``whole`` gave it. Raises
    LabError that names what is left of ours, or cannot be looked at."""
    for name, cluster in lab.clusters.items():
        with lab_errors(f"list what is in {name}"):
            now = take_whole(cluster)
        ours = now.of_lab(lab.id).new_since(before[name])
        if ours:
            raise LabError(f"in cluster {name} there is still of lab {lab.id}: {_some(ours)}")
        for what, things in (
            ("is new", now.new_since(before[name])),
            ("is missing", now.missing_since(before[name])),
        ):
            others = [one for one in things if (one.group, one.kind) != ("", "Node")]
            if others:
                text = f"in cluster {name} there {what}, not by us: {_some(others)}"
                lab.recorder.emit("notice", text=text)
        count = len(now.things)
        lab.recorder.emit("notice", text=f"cluster {name} holds nothing of ours ({count} objects)")


def _some(things: Sequence[Thing]) -> str:
    more = " …" if len(things) > _SHOWN else ""
    return ", ".join(map(str, things[:_SHOWN])) + more


def leave(claim: Claim, about: Description, recorder: Recorder) -> None:
    """Remove from clusters what a run that was killed has left there, as far as its lock is there:
    without that an Istio may be somebody else's by now. Raises LabError or WaitTimeoutError that
    names what cannot be removed, LabInUseError where the run lives."""
    lab = KubeconfigLab.left_by(claim, about, recorder)
    try:
        for name in [one.name for one in lab.clusters.values() if not _is_locked(one, lab.id)]:
            text = f"cluster {name} is not locked by lab {lab.id} any more, and is left as it is"
            recorder.emit("notice", text=text)
            del lab.clusters[name]
        remove_mesh(lab, {name: _lock(one) for name, one in lab.clusters.items()}, Shell(recorder))
        lab.remove()
    except BaseException:
        claim.release()
        raise


def _is_locked(cluster: RunningCluster, lab_id: str) -> bool:
    with lab_errors(f"look for the lock of {cluster.name}"):
        return holder_of(cluster.api) == lab_id


def _lock(cluster: RunningCluster) -> Inventory:
    """The lock, with what is in it: it goes last, so that whoever is interrupted finds it again."""
    own = ("", "Namespace", "", OWN_NAMESPACE)
    found = take_inventory(cluster).things
    return Inventory(
        frozenset(one for one in found if one.namespace == OWN_NAMESPACE or one.key == own)
    )
