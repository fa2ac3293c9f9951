"""What several tests stand on: set up once for each mesh, and taken down before that goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import pytest

from meshproof.errors import EvidenceError
from meshproof.files import topology_named
from meshproof.mesh.mesh import Mesh
from meshproof.model import Deployment, Version
from meshproof.run.standing import Standing
from meshproof.workloads.sample import Sample


class Site:
    """A sample of a mesh, and what was done on it."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.done: list[str] = []
        self.mesh = Mesh.__new__(Mesh)
        self.mesh.standing, self.mesh.dirty = [], None
        self.mesh.lab = SimpleNamespace(recorder=SimpleNamespace(emit=lambda *_, **__: None))  # type: ignore[assignment]
        self.stuck = stuck

    @contextmanager
    def setup(self, _: Sample) -> Iterator[str]:
        self.done.append("up")
        try:
            yield "thing"
        finally:
            self.done.append("down")
            if self.stuck:
                raise EvidenceError("it is still there")

    @property
    def sample(self) -> Sample:
        return cast(Sample, self)


def test_it_is_set_up_once_and_taken_down_at_the_end() -> None:
    site = Site()
    standing = Standing(site.setup)
    assert [standing.on(site.sample), standing.on(site.sample)] == ["thing", "thing"]
    assert site.done == ["up"]
    standing.close()
    assert site.done == ["up", "down"]
    site.mesh.take_down()
    assert site.done == ["up", "down"]


def test_it_is_taken_down_before_its_mesh_goes_and_set_up_on_the_next() -> None:
    first, second = Site(), Site()
    standing = Standing(lambda sample: cast(Site, sample).setup(sample))
    standing.on(first.sample)
    first.mesh.take_down()
    assert first.done == ["up", "down"]
    standing.on(second.sample)
    assert second.done == ["up"]
    standing.close()
    assert (first.done, second.done) == (["up", "down"], ["up", "down"])


def test_on_a_part_of_a_mesh_it_stands_until_another_part_is_asked_for() -> None:
    site = Site()
    topology = topology_named("hybrid")
    versions = dict.fromkeys(topology.names, Version(1, 31, 1))
    site.mesh.deployment = Deployment(topology, versions, Version(1, 36, 3))
    near, far = map(topology.part, topology.meshes)
    parts = [site.mesh.part(one) for one in (near, near, far)]
    standing = Standing(site.setup)
    for mesh, done in zip(parts, [["up"], ["up"], ["up", "down", "up"]], strict=True):
        standing.on(cast(Sample, SimpleNamespace(mesh=mesh)))
        assert site.done == done
    site.stuck = True
    with pytest.raises(EvidenceError):
        standing.close()
    assert site.mesh.dirty is not None


def test_what_cannot_be_taken_down_goes_with_its_mesh() -> None:
    site = Site(stuck=True)
    Standing(site.setup).on(site.sample)
    site.mesh.take_down()
    assert site.done == ["up", "down"]


def test_an_interruption_while_it_is_taken_down_is_not_lost() -> None:
    site = Site()

    def interrupted() -> None:
        raise KeyboardInterrupt

    site.mesh.standing.append(interrupted)
    with pytest.raises(KeyboardInterrupt):
        site.mesh.take_down()


def test_a_mesh_from_which_it_cannot_be_taken_down_is_damaged() -> None:
    site = Site(stuck=True)
    standing = Standing(site.setup)
    standing.on(site.sample)
    with pytest.raises(EvidenceError):
        standing.close()
    assert site.mesh.dirty is not None
    assert "it is still there" in site.mesh.dirty
