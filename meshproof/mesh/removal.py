"""Brings a cluster back to what it held before a mesh was installed, the quick way.

What goes is the difference between two inventories, whoever made it. The order is what makes it
quick and final. Webhooks first: without their server they would refuse every later change.
Then the rights of what runs: a control plane whose program still ends could otherwise make its
ConfigMaps again, in its own cluster and in those it serves. Then the namespaces: one that is
going takes no new pods, and the namespace controller lets it wait for 5 s anyway
(namespaceDeletionGracePeriod in pkg/controller/namespace), time enough for all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import IntEnum
from itertools import groupby

from meshproof.errors import LabError
from meshproof.events import Recorder
from meshproof.kube import client
from meshproof.kube.cluster import RunningCluster
from meshproof.kube.seam import lab_errors
from meshproof.mesh.inventory import (
    AT_ONCE,
    Inventory,
    Resource,
    Thing,
    list_things,
    request,
    survey,
    take_inventory,
)
from meshproof.wait import eventually

Patch = dict[str, dict[str, dict[str, str | None]]]

# What a deletion meets that was done already, whose kind's definition went meanwhile (404, or 405
# while the API server learns of it), or that the next round does again.
_TOLERATED = (404, 405, 409, 429, 503)
_WITHOUT_FINALIZERS = {"metadata": {"finalizers": None}}
_WITHIN, _WITHIN_THEIRS = 60.0, 300.0
"""Seconds for each part of it: in somebody else's cluster a load balancer goes with it, which is
somewhere else."""
_NAMED = 100
"""How many of the objects removed are named in the record; all are counted."""


class Stage(IntEnum):
    """When a thing's turn to be deleted comes."""

    ADMISSION = 1
    RIGHTS = 2
    NAMESPACES = 3
    WORKLOADS = 4
    REPLICA_SETS = 5  # after the Deployments, which would make them again
    PODS = 6
    DEFINITIONS = 7  # their objects go with them
    THE_REST = 8


_STAGES = {
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): Stage.RIGHTS,
    ("rbac.authorization.k8s.io", "RoleBinding"): Stage.RIGHTS,
    ("", "Namespace"): Stage.NAMESPACES,
    ("", "ReplicationController"): Stage.WORKLOADS,
    ("apps", "DaemonSet"): Stage.WORKLOADS,
    ("apps", "Deployment"): Stage.WORKLOADS,
    ("apps", "StatefulSet"): Stage.WORKLOADS,
    ("batch", "CronJob"): Stage.WORKLOADS,
    ("batch", "Job"): Stage.REPLICA_SETS,
    ("apps", "ReplicaSet"): Stage.REPLICA_SETS,
    ("", "Pod"): Stage.PODS,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Stage.DEFINITIONS,
}


def remove_mesh(cluster: RunningCluster, before: Inventory, *, recorder: Recorder) -> None:
    """Delete all that is new in a cluster since ``before``, and take new marks off what is not.

    For a mesh of one cluster. For more, ``stop_mesh`` in all of them, then ``remove_rest`` in
    all of them. Most of the time is the namespace controller's 5 s. Raises as those do.
    """
    stop_mesh(cluster, before, recorder=recorder)
    remove_rest(cluster, before, recorder=recorder)


def stop_mesh(cluster: RunningCluster, before: Inventory, *, recorder: Recorder) -> None:
    """End all that is new since ``before`` and acts: webhooks, role bindings, workloads, pods.

    New namespaces begin to go as well. Raises WaitTimeoutError, naming them, when workloads or
    pods are still there after a minute; LabError when the API server refuses, or when
    ``before`` was not taken of this cluster.
    """
    doing = f"stop the mesh of {cluster.name}"
    with recorder.step(doing, cluster=cluster.name), lab_errors(doing):
        api = cluster.api
        acting = [one for one in survey(api) if stage(one) <= Stage.PODS or _is_node(one)]
        gone = _Gone(cluster.name)

        def delete_again() -> str:
            now = list_things(api, acting)
            if cluster.foreign is not None:
                now = now.of_foreign(cluster.foreign)
            _check_origin(cluster, now, before)
            new = now.new_since(before)
            _delete(api, deletable(new, before), gone)
            return named(one for one in new if Stage.WORKLOADS <= stage(one) <= Stage.PODS)

        what = f"the end of the workloads of {cluster.name}"
        with gone.recorded(recorder):
            eventually(
                delete_again, until=_nothing, what=what, within=_within(cluster), recorder=recorder
            )


def remove_rest(cluster: RunningCluster, before: Inventory, *, recorder: Recorder) -> None:
    """Delete what is new since ``before``, and give namespaces and nodes their marks back.

    To be called when ``stop_mesh`` is done in every cluster of the mesh: an istiod that runs
    makes its ConfigMaps again in all clusters that it serves. Returns when nothing is new.
    Raises WaitTimeoutError, naming what is left, after a minute; LabError as ``stop_mesh``.
    """
    doing = f"remove what the mesh left in {cluster.name}"
    with recorder.step(doing, cluster=cluster.name), lab_errors(doing):
        gone = _Gone(cluster.name)

        def delete_again() -> str:
            now = take_inventory(cluster)
            _check_origin(cluster, now, before)
            new = now.new_since(before)
            going = {
                one.name for one in new if stage(one) is Stage.NAMESPACES and not before.knows(one)
            }
            outside = [one for one in new if one.namespace not in going]
            _delete(cluster.api, deletable(outside, before), gone)
            _let_go(cluster.api, new)
            for path, patch in mark_patches(now, before).items():
                _tolerant(cluster.api, "PATCH", path, patch)
                gone.note([f"marks of {path}"])
            if going:
                _await_end(cluster, going, recorder)
            return named(new)

        what = f"the state before the mesh in {cluster.name}"
        with gone.recorded(recorder):
            eventually(
                delete_again, until=_nothing, what=what, within=_within(cluster), recorder=recorder
            )


def leftovers(cluster: RunningCluster, before: Inventory) -> tuple[Thing, ...]:
    """What is in a cluster that was not ``before``. Raises as ``take_inventory`` does."""
    return take_inventory(cluster).new_since(before)


def stage(one: Thing | Resource) -> Stage:
    """When a thing, or things of a kind, are to be deleted."""
    if one.group == "admissionregistration.k8s.io":
        return Stage.ADMISSION
    return _STAGES.get((one.group, one.kind), Stage.THE_REST)


def deletable(new: Iterable[Thing], before: Inventory) -> list[list[Thing]]:
    """What of all that is ``new`` is to be deleted, as groups, one after the other.

    Not what was there ``before`` and only has new marks, and no nodes: they are the lab's.
    """
    todo = [one for one in new if not before.knows(one) and not _is_node(one)]
    ordered = sorted(todo, key=lambda one: (stage(one), one.key))
    return [list(group) for _, group in groupby(ordered, stage)]


def mark_patches(now: Inventory, before: Inventory) -> dict[str, Patch]:
    """By path, the merge patches that give what was there ``before`` its marks back."""
    patches: dict[str, Patch] = {}

    def note(thing: Thing, mark: str, back: bool) -> None:
        sort, _, pair = mark.partition(" ")
        key, _, value = pair.partition("=")
        metadata = patches.setdefault(thing.path, {}).setdefault("metadata", {})
        metadata.setdefault(f"{sort}s", {})[key] = value if back else None

    for thing in now.new_since(before):
        for mark in thing.marks if before.knows(thing) else ():
            note(thing, mark, back=False)
    # After the new ones: a mark of another value is both new and missing.
    for thing in now.missing_since(before):
        for mark in thing.marks if now.knows(thing) else ():
            note(thing, mark, back=True)
    return patches


def named(things: Iterable[Thing]) -> str:
    """The things' names in one line; empty when there are none."""
    return ", ".join(str(thing) for thing in things)


class _Gone:
    """The names of what was removed from a cluster, each once, in order."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster
        self._names: dict[str, None] = {}

    def note(self, names: Iterable[str]) -> None:
        """Note what has just been asked to go."""
        self._names.update(dict.fromkeys(names))

    @contextmanager
    def recorded(self, recorder: Recorder) -> Iterator[None]:
        """At the end of the block, also when it fails, record what went."""
        try:
            yield
        finally:
            if self._names:
                what = list(self._names)[:_NAMED]
                count = len(self._names)
                recorder.emit("removed", cluster=self._cluster, count=count, what=what)


def _nothing(left: str) -> bool:
    return not left


def _check_origin(cluster: RunningCluster, now: Inventory, before: Inventory) -> None:
    """Nodes outlive any mesh, and their names hold their lab's id. Without this check, a wrong
    inventory would end the cluster. Of a foreign one only what is ours is listed at all."""
    if cluster.foreign is not None:
        return
    nodes = [one for one in now.things if _is_node(one)]
    strange = [one for one in nodes if not before.knows(one)]
    if not nodes:
        raise LabError(f"{cluster.name} lists no node, so nothing shows what was there before")
    if strange:
        raise LabError(
            f"the inventory to go back to does not hold {named(strange)} of {cluster.name}",
            "take it of the same cluster, before the mesh is installed",
        )


def _delete(api: client.ApiClient, groups: Iterable[Iterable[Thing]], gone: _Gone) -> None:
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for group in groups:
            things = list(group)
            gone.note(map(str, things))
            list(pool.map(lambda thing: _delete_one(api, thing), things))


def _let_go(api: client.ApiClient, new: Iterable[Thing]) -> None:
    """Take the finalizers off objects of kinds that are new themselves and have some: whoever would
    have done so has been stopped."""
    things = list(new)
    groups = {one.name.partition(".")[2] for one in things if stage(one) is Stage.DEFINITIONS}
    own = [one.path for one in things if one.held and one.group in groups]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        list(pool.map(lambda path: _tolerant(api, "PATCH", path, _WITHOUT_FINALIZERS), own))


def _delete_one(api: client.ApiClient, thing: Thing) -> None:
    options: dict[str, object] = {"propagationPolicy": "Background"}
    if stage(thing) is Stage.PODS:
        # The kubelet learns of one second's grace first: to the containers of a pod that is
        # just gone it gives the pod's own grace, half a minute (calculateEffectiveGracePeriod
        # in pkg/kubelet), in which a control plane would go on working.
        _tolerant(api, "DELETE", thing.path, {**options, "gracePeriodSeconds": 1})
        options["gracePeriodSeconds"] = 0
    _tolerant(api, "DELETE", thing.path, options)


def _tolerant(api: client.ApiClient, method: str, path: str, body: object) -> None:
    try:
        request(api, method, path, body=body)
    except client.ApiException as error:
        if error.status not in _TOLERATED:
            raise


def _await_end(cluster: RunningCluster, namespaces: set[str], recorder: Recorder) -> None:
    """Wait for namespaces to be gone; costs far less than inventories one after the other."""

    def left() -> str:
        found = [n for n in cluster.core.list_namespace().items if n.metadata.name in namespaces]
        return "; ".join(_in_the_way(namespace) for namespace in found)

    what = f"the end of the mesh's namespaces in {cluster.name}"
    eventually(
        left, until=lambda seen: not seen, what=what, within=_within(cluster), recorder=recorder
    )


def _in_the_way(namespace: client.V1Namespace) -> str:
    """A namespace that is going, and what its status says keeps it."""
    conditions = namespace.status.conditions or []
    said = [one.message for one in conditions if one.status == "True" and one.message]
    return f"{namespace.metadata.name}: {' '.join(said) or 'is going'}"


def _within(cluster: RunningCluster) -> float:
    return _WITHIN if cluster.foreign is None else _WITHIN_THEIRS


def _is_node(one: Thing | Resource) -> bool:
    return (one.group, one.kind) == ("", "Node")
