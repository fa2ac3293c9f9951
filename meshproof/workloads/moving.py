"""A version of helloworld that comes up in another cluster, and ends in its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from meshproof.kube.rollout import (
    await_end_of,
    await_no_pods,
    await_rollout,
    change_template,
    pods_of,
)
from meshproof.workloads.sample import (
    HELLOWORLD,
    NAMESPACE,
    Sample,
    ending_gracefully,
    helloworld_objects,
)
from meshproof.workloads.scale import also_deployed, scaled, usual

_GOES_ON = 15
"""Seconds in which who was told to end still answers: proxies learn of it within one or two."""


@contextmanager
def ends_gracefully(sample: Sample, version: str) -> Iterator[None]:
    """The pods of a version that end inside the block go on for a while, until proxies have learnt
    of it; afterwards they end at once again, as the sample's do. They are restarted for that, each
    time one after the other, and the last of the old ones has ended when this goes on.

    Raises LabError, and then the mesh is marked dirty.
    """
    usually = _pod(helloworld_objects(version))
    gracefully = _pod(ending_gracefully(helloworld_objects(version), _GOES_ON))
    try:
        _change(sample, version, gracefully)
        yield
    finally:
        try:
            # In a patch what is to go is named.
            _change(sample, version, {**usually, "lifecycle": None})
        except BaseException:
            sample.mesh.mark_dirty(f"the pods of {version} do not end as they did before")
            raise


@contextmanager
def also_in(sample: Sample, version: str, cluster: str) -> Iterator[None]:
    """A version has as many pods in another cluster as in its own, all ready, inside the block, and
    none of them is left afterwards. They end as inside ``ends_gracefully``. Proxies learn of both
    later. Raises LabError, and WaitTimeoutError when they do not end; then the mesh is marked
    dirty: whoever asks for the version elsewhere would be answered by them."""
    # The account is there: another version runs in that cluster.
    objects = ending_gracefully(helloworld_objects(version, usual(sample, version)), _GOES_ON)
    try:
        with also_deployed(sample, cluster, objects[-1:]):
            yield
    finally:
        labels = f"app={HELLOWORLD},version={version}"
        try:
            await_no_pods(sample.mesh.cluster(cluster), NAMESPACE, labels)
        except BaseException:
            sample.mesh.mark_dirty(f"pods of {version} are left in {cluster}")
            raise


@contextmanager
def ended(sample: Sample, version: str) -> Iterator[None]:
    """A version has no pod in its own cluster inside the block, the last of them has ended; and as
    many as before afterwards, all ready. Raises LabError as ``scaled``."""
    cluster, name = sample.mesh.cluster(sample.versions[version]), _name(version)
    before = pods_of(cluster, NAMESPACE, name)
    with scaled(sample, version, 0):
        await_end_of(cluster, NAMESPACE, name, before)
        yield


def _name(version: str) -> str:
    return f"{HELLOWORLD}-{version}"


def _pod(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """How the pod of a Deployment, the last of these objects, ends."""
    pod = objects[-1]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return {"grace": pod["terminationGracePeriodSeconds"], "lifecycle": container.get("lifecycle")}


def _change(sample: Sample, version: str, ending: Mapping[str, Any]) -> None:
    cluster, name = sample.mesh.cluster(sample.versions[version]), _name(version)
    before = pods_of(cluster, NAMESPACE, name)
    container = {"name": HELLOWORLD, "lifecycle": ending["lifecycle"]}
    pod = {"terminationGracePeriodSeconds": ending["grace"], "containers": [container]}
    change_template(cluster, NAMESPACE, name, {"spec": pod})
    await_rollout(cluster, NAMESPACE, {name}, sample.mesh.shell)
    await_end_of(cluster, NAMESPACE, name, before)
