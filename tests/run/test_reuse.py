"""A mesh that is found on a kept lab is judged as it is; with --repair it is installed anew where
it is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError, UsageError
from meshproof.events import Event, Recorder
from meshproof.faults.unhealed import InForce, Stays, unhealed
from meshproof.files import read_footprint, topology_named
from meshproof.lab import Lab
from meshproof.mesh import keep
from meshproof.mesh.inventory import Inventory
from meshproof.mesh.mesh import Mesh, Settling
from meshproof.model import Deployment, Footprint, Mtls, Version, Wiring, isolated
from meshproof.process import Shell
from meshproof.run import labs as labs_module
from meshproof.run import reuse
from meshproof.run.labs import Labs
from meshproof.run.session import Choices, Session
from meshproof.workloads.sample import Sample

KUBERNETES = Version(1, 36, 3)
FLAT = "primary-remote-flat"
GONE = "Secret istio-system/remote in east is gone"


def deployment(name: str = FLAT, mtls: Mtls = Mtls.STRICT) -> Deployment:
    topology = topology_named(name)
    istio = dict.fromkeys(topology.names, Version(1, 31, 1))
    return Deployment(topology, istio, KUBERNETES, mtls)


BUNDLE: Any = SimpleNamespace(istioctl={})


class World:
    """A kept lab whose note is in ``folder``. ``differs``: what is not as it was installed;
    ``did``: what was done to the mesh."""

    def __init__(self, folder: Path) -> None:
        self.events: list[Event] = []
        self.differs: list[str] = []
        self.did: list[str] = []
        self.settles: Callable[[], Settling] = lambda: Settling(0.1, "")
        self.lab: Any = SimpleNamespace(
            id="0a1b2c3d",
            kept=True,
            shared=False,
            clusters={"east": None, "west": None},
            recorder=Recorder(listeners=[self.events.append]),
            shell=Shell(),
            claim=SimpleNamespace(id="0a1b2c3d", folder=folder),
            wiring=None,
            rewire=lambda wiring: None,
            is_made_of=lambda footprint: footprint == self.lab.footprint,
            await_dns=lambda: None,
            __exit__=lambda: None,
        )

    def note(self, of: Deployment, *, dirty: str | None = None, compared: bool = True) -> None:
        self.lab.footprint = of.topology.footprint(of.kubernetes)
        mesh = self.mesh(of)
        mesh.dirty, mesh.installed = dirty, {} if compared else None
        keep.keep_mesh(mesh)

    def mesh(self, of: Deployment) -> Mesh:
        before = dict.fromkeys(self.lab.clusters, Inventory(frozenset()))
        return Mesh(self.lab, of, BUNDLE, self.lab.claim.folder, before)

    def found(self) -> list[tuple[str, str]]:
        told = [one.data for one in self.events if one.kind == "found"]
        return [(one["done"], one["text"]) for one in told]


class KeptLabs(Labs):
    """Labs that take over the world's lab."""

    def __init__(self, world: World, *, repair: bool = False) -> None:
        session = Session(Choices(reports=None), [])
        session.__dict__["bundle"] = BUNDLE
        super().__init__(session, reuse="0a1b2c3d", repair=repair)
        self.world = world

    def _bring_up(self, footprint: Footprint, wiring: Wiring) -> Lab:
        self.world.lab.footprint, self.world.lab.wiring = footprint, wiring
        return cast(Lab, self.world.lab)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)

    def install(mesh: Mesh) -> None:
        made.did.append(f"install {mesh.deployment}")

    def turn(sample: Sample, to: Deployment) -> None:
        made.did.append(f"turn to {to}")
        sample.mesh.deployment = to

    monkeypatch.setattr(keep, "remove_mesh", lambda *_: made.did.append("remove"))
    monkeypatch.setattr(reuse, "changed_since_installed", lambda *_: made.differs)
    monkeypatch.setattr(reuse, "settle", lambda sample: made.settles())
    for name, value in {
        "install_mesh": install,
        "turn": turn,
        "deploy_sample": Sample,
        "settle": lambda sample: Settling(0.1, ""),
        "note_installed": lambda mesh: made.did.append("take down"),
        "lost_part": lambda lab: None,
    }.items():
        monkeypatch.setattr(labs_module, name, value)
    monkeypatch.setattr(Mesh, "begin", lambda lab, of, *_: made.mesh(of))
    return made


def test_a_mesh_as_it_was_installed_is_used_as_it_is(world: World) -> None:
    for repair in (False, True):
        world.note(deployment())
        labs = KeptLabs(world, repair=repair)
        sample = labs.sample(deployment())
        assert sample.mesh.settling is not None and labs.sample(deployment()) is sample
        labs.close()
        assert labs.on_kept == str(deployment())
    assert world.did == [] and world.found() == []


def test_what_differs_is_said_and_left(world: World) -> None:
    world.note(deployment())
    world.differs = [GONE]
    KeptLabs(world).sample(deployment())
    assert world.did == []
    assert world.found() == [("left", GONE)]


def test_what_differs_is_said_and_installed_anew_where_it_may_be(world: World) -> None:
    world.note(deployment())
    world.differs = [GONE]
    labs = KeptLabs(world, repair=True)
    labs.sample(deployment())
    assert world.did == ["remove", f"install {deployment()}", "take down"]
    assert world.found() == [("repaired", GONE)]
    assert labs.sample(deployment(mtls=Mtls.DISABLED)).mesh.deployment.mtls is Mtls.DISABLED
    assert world.did[3:] == [f"turn to {deployment(mtls=Mtls.DISABLED)}", "take down"]


def test_a_fault_in_the_mesh_that_nobody_healed_is_said_until_the_mesh_is_installed_anew(
    world: World,
) -> None:
    world.note(deployment())
    left = InForce("0a1b2c3d", "no-istiod", ["east"], Stays.IN_MESH)
    unhealed_on(world, left)
    KeptLabs(world).sample(deployment())
    assert world.did == [] and world.found() == [("left", str(left))]
    world.note(deployment())
    KeptLabs(world, repair=True).sample(deployment())
    assert world.did == ["remove", f"install {deployment()}", "take down"]
    assert world.found()[1:] == [("repaired", str(left))]
    assert unhealed(world.lab.claim) == []


def test_a_fault_in_the_lab_that_nobody_healed_is_said_by_every_run(world: World) -> None:
    left = InForce("0a1b2c3d", "partition", ["east", "west"], Stays.IN_LAB)
    unhealed_on(world, left, InForce("0a1b2c3d", "no-nodes", ["east"], Stays.UNTIL_USED))
    for _ in range(2):
        reuse.tell_unhealed(world.lab)
    assert world.found() == [("broken", str(left))] * 2
    assert unhealed(world.lab.claim) == [left]


def unhealed_on(world: World, *faults: InForce) -> None:
    """Let the lab say that these were in force when their processes were killed."""
    data = [{**asdict(one), "stays": one.stays.value} for one in faults]
    (world.lab.claim.folder / "faults.json").write_text(json.dumps(data))


@pytest.mark.parametrize(
    "other", [deployment(mtls=Mtls.DISABLED), deployment("multi-primary-flat")]
)
def test_a_mesh_of_another_deployment_is_refused_or_installed_anew(
    world: World, other: Deployment
) -> None:
    world.note(other)
    with pytest.raises(UsageError) as raised:
        KeptLabs(world).sample(deployment())
    assert f"lab 0a1b2c3d holds {other}, and {deployment()} is asked for" in str(raised.value)
    assert world.did == [] and world.found() == []
    KeptLabs(world, repair=True).sample(deployment())
    assert world.did == ["remove", f"install {deployment()}", "take down"]
    assert world.found() == [("repaired", raised.value.cause)]


def test_where_there_is_no_mesh_one_is_installed(world: World) -> None:
    labs = KeptLabs(world)
    labs.sample(deployment())
    assert world.did == [f"install {deployment()}", "take down"]
    labs.sample(deployment(mtls=Mtls.DISABLED))  # the run's own, which it may change
    assert world.did[2:] == [f"turn to {deployment(mtls=Mtls.DISABLED)}", "take down"]
    labs.sample(deployment("multi-primary-flat"))
    assert world.did[4:] == ["remove", f"install {deployment('multi-primary-flat')}", "take down"]


def test_a_mesh_that_was_found_becomes_no_other_in_the_middle_of_a_run(world: World) -> None:
    world.note(deployment())
    labs = KeptLabs(world)
    sample = labs.sample(deployment())
    for other in (deployment(mtls=Mtls.DISABLED), deployment("multi-primary-flat")):
        with pytest.raises(UsageError, match=r"lab 0a1b2c3d holds .* is asked for"):
            labs.sample(other)
    bare = read_footprint("east,west", KUBERNETES)
    with pytest.raises(UsageError, match=r"and clusters without a mesh \(east, west\) is asked"):
        labs.bare(bare, isolated())
    assert world.did == []
    assert sample.mesh.deployment == deployment()


def test_bare_clusters_are_not_made_of_a_kept_mesh_but_where_it_may_go(world: World) -> None:
    world.note(deployment())
    bare = read_footprint("east,west", KUBERNETES)
    with pytest.raises(UsageError, match="lab 0a1b2c3d holds"):
        KeptLabs(world).bare(bare, isolated())
    assert world.did == []
    KeptLabs(world, repair=True).bare(bare, isolated())
    assert world.did == ["remove"]


def test_damage_is_said_and_the_mesh_judged_all_the_same(world: World) -> None:
    world.note(deployment(), dirty="a policy did not go")
    labs = KeptLabs(world)
    sample = labs.sample(deployment())
    sample.mesh.mark_dirty("an entry did not go")
    assert labs.sample(deployment()) is sample and sample.mesh.dirty is None
    whole = f"the mesh {deployment()} is damaged"
    assert world.found() == [
        ("left", f"{whole}: a policy did not go"),
        ("left", f"{whole}: an entry did not go"),
    ]
    labs.close()
    assert world.did == [] and labs.on_kept == str(deployment())
    noted = keep.read_noted(world.lab)
    assert noted is not None and noted.dirty == "a policy did not go"


def test_damage_by_the_last_test_is_noted_and_left_as_well(world: World) -> None:
    world.note(deployment())
    labs = KeptLabs(world)
    labs.sample(deployment()).mesh.mark_dirty("an entry did not go")
    labs.close()
    noted = keep.read_noted(world.lab)
    assert noted is not None and noted.dirty == "an entry did not go"
    assert labs.on_kept == str(deployment())
    KeptLabs(world, repair=True).sample(deployment())
    assert world.did == ["remove", f"install {deployment()}", "take down"]


def test_what_cannot_be_compared_is_said_and_repaired_where_it_may_be(world: World) -> None:
    world.note(deployment(), compared=False)
    KeptLabs(world).sample(deployment())
    assert world.did == []
    said = f"the mesh {deployment()} cannot be compared: nobody took down what was installed"
    assert world.found() == [("left", said)]
    world.note(deployment(), compared=False)
    KeptLabs(world, repair=True).sample(deployment())
    assert world.did == ["remove", f"install {deployment()}", "take down"]


def test_a_mesh_that_cannot_be_looked_at_is_noted_as_before(world: World) -> None:
    world.note(deployment())

    def fails() -> Settling:
        raise LabError("no pod of sleep")

    world.settles = fails
    labs = KeptLabs(world)
    with pytest.raises(LabError, match="no pod of sleep"):
        labs.sample(deployment())
    labs.close()
    noted = keep.read_noted(world.lab)
    assert noted is not None and noted.dirty is None
    assert world.did == []


def test_a_run_that_is_killed_leaves_word_of_it(world: World) -> None:
    world.note(deployment())
    KeptLabs(world).sample(deployment())
    noted = keep.read_noted(world.lab)
    assert noted is not None and noted.dirty == "a run that used it did not come to its end"
