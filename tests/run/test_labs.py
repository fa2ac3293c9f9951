"""The lab of the moment: one attempt at each bring-up, and its cause for whoever needs it; what
becomes of one that dies."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from meshproof.errors import LabError, MeshproofError
from meshproof.events import Recorder
from meshproof.files import read_footprint, topology_named
from meshproof.lab import Lab
from meshproof.model import Deployment, Footprint, Version, Wiring, isolated
from meshproof.process import Shell
from meshproof.run import labs as labs_module
from meshproof.run.labs import Labs
from meshproof.run.session import Choices, Session

KUBERNETES = Version(1, 36, 3)


class BrokenLabs(Labs):
    """Labs of which none comes up."""

    def __init__(self, error: Exception) -> None:
        super().__init__(Session(Choices(reports=None), []), reuse=None)
        self.error = error
        self.attempts = 0

    def _bring_up(self, footprint: Footprint, wiring: Wiring) -> Lab:
        self.attempts += 1
        raise self.error


def footprint(clusters: str = "east,west") -> Footprint:
    return read_footprint(clusters, KUBERNETES)


def deployment(name: str = "primary-remote-split-horizon") -> Deployment:
    topology = topology_named(name)
    return Deployment(topology, dict.fromkeys(topology.names, Version(1, 31, 1)), KUBERNETES)


def test_a_failed_bring_up_is_tried_once_and_its_cause_repeated() -> None:
    labs = BrokenLabs(LabError("cluster west did not become ready"))
    for _ in range(3):
        with pytest.raises(LabError, match="cluster west did not become ready"):
            labs.bare(footprint(), isolated())
    assert labs.attempts == 1


def test_deployments_on_the_same_clusters_share_the_cause() -> None:
    labs = BrokenLabs(LabError("no room"))
    for name in ("primary-remote-flat", "primary-remote-split-horizon"):
        with pytest.raises(LabError, match="no room"):
            labs.sample(deployment(name))
    assert labs.attempts == 1


def test_other_clusters_get_an_attempt_of_their_own() -> None:
    labs = BrokenLabs(LabError("no room"))
    for clusters in ("east,west", "east=same,west=same"):
        with pytest.raises(LabError):
            labs.bare(footprint(clusters), isolated())
    assert labs.attempts == 2


def test_what_nobody_foresaw_is_remembered_as_well() -> None:
    labs = BrokenLabs(KeyError("status"))
    for _ in range(2):
        with pytest.raises(MeshproofError, match="KeyError"):
            labs.bare(footprint(), isolated())
    assert labs.attempts == 1


def test_without_a_lab_nothing_is_lost() -> None:
    assert BrokenLabs(LabError("x")).lost() is None


class Dying(Labs):
    """Labs that come up. ``dns``: what goes wrong with the DNS of each, if anything does."""

    def __init__(self, dns: Exception | None = None) -> None:
        super().__init__(Session(Choices(reports=None), []), reuse=None)
        self.dns, self.made = dns, 0

    def _bring_up(self, footprint: Footprint, wiring: Wiring) -> Lab:
        self.made += 1
        shell = Shell()

        def await_dns() -> None:
            if self.dns is not None:
                shell.cancel()  # as when one of several side by side fails
                raise self.dns

        made = SimpleNamespace(
            id="0a1b2c3d",
            kept=False,
            shared=False,
            footprint=footprint,
            is_made_of=lambda asked: asked == footprint,
            wiring=wiring,
            recorder=Recorder(),
            shell=shell,
            await_dns=await_dns,
            claim=SimpleNamespace(folder=Path("lab")),
        )
        return cast(Lab, made)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What of the lab is lost, if anything is written there. No lab has a mesh."""
    lost: list[str] = []
    monkeypatch.setattr(labs_module, "lost_part", lambda lab: lost[0] if lost else None)
    monkeypatch.setattr(labs_module, "remove_noted", lambda lab: False)
    return lost


def test_a_cluster_without_dns_is_the_cause_for_all_deployments_on_these_clusters(
    parts: list[str],
) -> None:
    labs = Dying(LabError("the DNS of west did not come about within 120 s"))
    for name in ("primary-remote-flat", "multi-primary-split-horizon", "primary-remote-flat"):
        with pytest.raises(LabError, match="the DNS of west did not come about within 120 s"):
            labs.sample(deployment(name))
        assert labs.lost() is None  # that its programs were called off says nothing of it
    assert labs.made == 1


def test_what_is_lost_in_the_middle_of_a_run_is_found_once_and_told_to_all(
    parts: list[str],
) -> None:
    labs = Dying()
    labs.bare(footprint(), isolated())
    assert labs.lost() is None
    parts.append("cluster east is lost: container mp-0a1b2c3d-east-control-plane does not run")
    first = labs.lost()
    parts[:] = ["cluster west is lost: in consequence"]
    assert first is not None and labs.lost() is first
    for _ in range(2):
        with pytest.raises(LabError) as raised:
            labs.bare(footprint(), isolated())
        assert raised.value is first
    with pytest.raises(LabError, match="cluster east is lost"):
        labs.sample(deployment())
    assert labs.made == 1


class Theirs(Labs):
    """Labs of somebody's clusters. ``did``: what was done to them, in order."""

    def __init__(self, did: list[str]) -> None:
        super().__init__(Session(Choices(reports=None), []), reuse=None)
        self.did = did

    def _bring_up(self, footprint: Footprint, wiring: Wiring) -> Lab:
        made = SimpleNamespace(
            id="0a1b2c3d",
            kept=False,
            shared=True,
            footprint=footprint,
            is_made_of=lambda asked: asked.names == footprint.names,
            wiring=wiring,
            recorder=Recorder(),
            shell=Shell(),
            claim=SimpleNamespace(folder=Path("lab")),
            __exit__=lambda: self.did.append("leave"),
        )
        return cast(Lab, made)


def test_in_somebodys_clusters_the_mesh_goes_before_the_lab_and_then_it_is_looked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    did: list[str] = []
    monkeypatch.setattr(labs_module, "remove_noted", lambda _: did.append("remove"))
    monkeypatch.setattr(labs_module, "check_left_as_it_was", lambda *_: did.append("look"))
    labs = Theirs(did)
    labs.bare(footprint(), isolated())
    did.clear()
    labs.close()
    assert did == ["remove", "leave", "look"]


def test_what_cannot_be_removed_of_a_mesh_keeps_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []

    def resists(_: object) -> bool:
        if did:
            raise LabError("Namespace istio-system is still there")
        return False

    monkeypatch.setattr(labs_module, "remove_noted", resists)
    labs = Theirs(did)
    labs.bare(footprint(), isolated())
    did.append("begun")
    with pytest.raises(LabError, match="Namespace istio-system is still there"):
        labs.close()
    assert did == ["begun"]
