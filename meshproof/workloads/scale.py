"""More, or other, instances of helloworld for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from meshproof.errors import MeshproofError
from meshproof.lab.objects import Object, applied, apply
from meshproof.lab.rollout import await_rollout
from meshproof.workloads.sample import HELLOWORLD, NAMESPACE, Sample, helloworld_objects


@contextmanager
def scaled(sample: Sample, version: str, replicas: int) -> Iterator[None]:
    """A version has so many pods, all ready, inside the block; afterwards one again.

    Proxies learn of it later: wait for their endpoints. Raises LabError as ``await_rollout``.
    """
    try:
        _scale(sample, version, replicas)
        yield
    finally:
        _heal(sample, version)


def _heal(sample: Sample, version: str) -> None:
    try:
        _scale(sample, version, 1)
    except MeshproofError:
        sample.mesh.mark_dirty(f"{version} could not be scaled back to one")
        raise


def _scale(sample: Sample, version: str, replicas: int) -> None:
    cluster = sample.mesh.cluster(sample.plan[version])
    image = sample.mesh.bundle.images[f"{HELLOWORLD}-{version}"]
    apply(cluster, helloworld_objects(image, version, replicas=replicas))
    await_rollout(cluster, NAMESPACE, {f"{HELLOWORLD}-{version}"}, sample.mesh.shell)


@contextmanager
def also_deployed(sample: Sample, cluster: str, objects: Sequence[Object]) -> Iterator[None]:
    """Further workloads run in a cluster's sample namespace inside the block.

    Raises LabError when they will not run.
    """
    running = sample.mesh.cluster(cluster)
    names = {one["metadata"]["name"] for one in objects if one["kind"] == "Deployment"}
    with applied(running, objects):
        await_rollout(running, NAMESPACE, names, sample.mesh.shell)
        yield
