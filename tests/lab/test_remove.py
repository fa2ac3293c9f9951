"""What a lab owns is told by its id; what is the user's, or another state folder's, is not ours."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from meshproof.engine import Container, Network
from meshproof.engine.engine import KIND_LABEL, RUN_LABEL, STATE_LABEL
from meshproof.engine.podman import Podman
from meshproof.lab import remove
from meshproof.lab.ownership import Claim
from meshproof.process import Shell

OURS, FOREIGN = "0a1b2c3d", "deadbeef"
NET = (IPv4Network("172.30.0.0/24"),)


class Machine(Podman):
    """An engine that lists what it is told and notes what it is asked to remove."""

    def __init__(self, mine: str) -> None:
        super().__init__(Shell())
        self.there = [
            Container(f"mp-{OURS}-router", True, {RUN_LABEL: OURS}),
            Container(f"mp-{OURS}-east-control-plane", True, {KIND_LABEL: f"mp-{OURS}-east"}),
            Container(f"mp-{OURS}-west-control-plane", False, {}),
            Container("mp-kind-control-plane", True, {KIND_LABEL: "mp-kind"}),
            Container("kind-control-plane", True, {KIND_LABEL: "kind"}),
            Container(f"mp-{FOREIGN}-router", True, {RUN_LABEL: FOREIGN}),
        ]
        self.nets = [
            Network(f"mp-{OURS}-east", "podman1", NET, {RUN_LABEL: OURS, STATE_LABEL: mine}),
            Network(f"mp-{FOREIGN}-east", "podman2", NET, {RUN_LABEL: FOREIGN, STATE_LABEL: "/x"}),
            Network("kind", "podman3", NET, {}),
        ]

    def containers(self) -> list[Container]:
        return list(self.there)

    def networks(self) -> list[Network]:
        return list(self.nets)

    def volumes(self) -> dict[str, dict[str, str]]:  # type: ignore[override]
        return {}

    def remove_containers(self, names: Sequence[str]) -> None:
        self.there = [one for one in self.there if one.name not in names]

    def remove_network(self, name: str) -> None:
        self.nets = [one for one in self.nets if one.name != name]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path))
    monkeypatch.setattr(remove, "sealed_ids", lambda _: {OURS, FOREIGN})
    monkeypatch.setattr(remove, "unseal", lambda *_: None)
    return Machine(str(tmp_path))


def test_labs_of_another_state_folder_are_not_ours(machine: Machine) -> None:
    assert remove.lab_ids_in(machine) == {OURS}


def test_removal_takes_what_bears_the_id_and_nothing_else(machine: Machine) -> None:
    claim = Claim(OURS)
    claim.take()
    remove.remove_lab(machine, claim)
    assert [one.name for one in machine.there] == [
        "mp-kind-control-plane",
        "kind-control-plane",
        f"mp-{FOREIGN}-router",
    ]
    assert [one.name for one in machine.nets] == [f"mp-{FOREIGN}-east", "kind"]
    assert not claim.folder.exists()
