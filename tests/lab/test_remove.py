"""What a lab owns is told by its id; what is the user's, or another state folder's, is not ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Network
from pathlib import Path

import psutil
import pytest

from meshproof.engine import Container, Network
from meshproof.engine.engine import KIND_LABEL, RUN_LABEL, STATE_LABEL
from meshproof.engine.podman import Podman
from meshproof.errors import LabError
from meshproof.lab import remove
from meshproof.lab.network.subnets import Leases
from meshproof.lab.ownership import Claim
from meshproof.process import RUN_VARIABLE, Shell
from tests.lab.fakes import FakeEngine, network

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


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path))
    return FakeEngine()


@pytest.fixture
def claim(fake: FakeEngine) -> Claim:
    claim = Claim(OURS)
    claim.take()
    return claim


def test_what_bears_only_part_of_a_proof_stays(fake: FakeEngine, claim: Claim) -> None:
    state = str(claim.folder.parents[1])
    fake.there = [
        Container(f"mp-{OURS}-notes", True, {"app": "mine"}),
        Container(f"mp-{OURS}", True, {}),
        Container(f"my-mp-{OURS}-x", True, {}),
        Container("other", True, {RUN_LABEL: f"{OURS}0"}),
        Container("kindly", True, {KIND_LABEL: f"mp-{OURS}"}),
    ]
    fake.nets = [
        network(f"mp-{OURS}-east", OURS, "/another/state"),
        Network(f"mp-{OURS}-west", "podman2", NET, {RUN_LABEL: OURS}),
        Network(f"mp-{OURS}-far", "podman3", NET, {STATE_LABEL: state}),
    ]
    fake.stores = {f"mp-{OURS}-data": {}, "data": {"note": f"mp-{OURS}-east"}}
    before = fake.names()
    assert remove.remains(fake, OURS) == [f"folder {claim.folder}"]
    assert remove.remove_lab(fake, claim) == [f"folder {claim.folder}"]
    assert fake.names() == before


def test_what_goes_is_named_before_and_after(fake: FakeEngine, claim: Claim) -> None:
    state = claim.folder.parents[1]
    fake.there = [
        Container(f"mp-{OURS}-router", True, {RUN_LABEL: OURS}),
        Container(f"mp-{OURS}-west2-control-plane", True, {KIND_LABEL: f"mp-{OURS}-west2"}),
    ]
    fake.nets = [network(f"mp-{OURS}-east", OURS, state)]
    fake.stores = {"abc": {f"mp-{OURS}-east-control-plane": ""}, "theirs": {}}
    Leases().take(OURS, 1, [])
    before = fake.names()
    expected = [
        f"container mp-{OURS}-router",
        f"container mp-{OURS}-west2-control-plane",
        "volume abc",
        f"network mp-{OURS}-east",
        "lease of 172.30.0.0/24",
        f"folder {claim.folder}",
    ]
    assert remove.remains(fake, OURS) == expected
    assert fake.names() == before
    assert not fake.removed()
    gone = remove.remove_lab(fake, claim)
    assert gone == expected
    assert fake.removed() == gone
    assert [event.data["lab"] for event in fake.events if event.kind == "removed"] == [OURS]
    assert fake.names() == ["theirs"]
    assert remove.remains(fake, OURS) == []


def test_what_went_is_recorded_also_when_not_all_goes(
    fake: FakeEngine, claim: Claim, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.there = [Container(f"mp-{OURS}-router", True, {RUN_LABEL: OURS})]

    def refuse(*_: object) -> bool:
        raise LabError("the rules stay")

    monkeypatch.setattr(remove, "unseal", refuse)
    with pytest.raises(LabError, match="the rules stay"):
        remove.remove_lab(fake, claim)
    assert fake.removed() == [f"container mp-{OURS}-router"]
    assert claim.has_folder


def test_nothing_goes_when_the_leases_cannot_be_read(fake: FakeEngine, claim: Claim) -> None:
    fake.there = [Container(f"mp-{OURS}-router", True, {RUN_LABEL: OURS})]
    before = fake.names()
    (claim.folder.parents[1] / "subnets.json").write_text(f'{{"0.0.0.0/0": "{OURS}"}}')
    with pytest.raises(LabError, match=r"subnets\.json"):
        remove.remove_lab(fake, claim)
    assert fake.names() == before
    assert claim.has_folder
    assert not fake.fake.ran


@pytest.mark.parametrize(
    "value", ["", ".", "..", "../../x", "/", "0A1B2C3D", "0a1b2c3d\n", "0a1b2c3", "x" * 300]
)
def test_what_is_no_id_is_not_taken_for_one_wherever_it_comes_from(
    fake: FakeEngine, tmp_path: Path, value: str
) -> None:
    fake.nets = [network("a", value, tmp_path), network("b", OURS, tmp_path)]
    fake.there = [Container("c", True, {RUN_LABEL: value})]
    Leases().take(value, 1, [])
    assert remove.lab_ids_in(fake) == {OURS}


def test_a_container_alone_does_not_make_a_lab_ours(fake: FakeEngine, tmp_path: Path) -> None:
    fake.there = [Container(f"mp-{FOREIGN}-router", True, {RUN_LABEL: FOREIGN})]
    assert remove.lab_ids_in(fake) == set()
    Leases().take(FOREIGN, 1, [])
    assert remove.lab_ids_in(fake) == {FOREIGN}
    fake.nets = [network("x", FOREIGN, "/another/state")]
    assert remove.lab_ids_in(fake) == set()


# --- programs


@contextmanager
def program(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """A program that has the lab's id in its environment, and says a line when it is ready."""
    running = subprocess.Popen(
        argv, env={**os.environ, RUN_VARIABLE: OURS}, stdout=subprocess.PIPE, text=True
    )
    try:
        yield running
    finally:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(running.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        running.kill()
        running.communicate()


_ASKS = """
from meshproof.lab.remove import _programs
print([process.name() for process in _programs("0a1b2c3d")])
"""


def test_a_program_of_the_lab_is_found_and_ended(fake: FakeEngine, claim: Claim) -> None:
    with program("sleep", "60") as running:
        found = [one.pid for one in remove._programs(OURS)]
        assert found == [running.pid]
        assert list(remove._programs(FOREIGN)) == []
        assert f"program {running.pid} (sleep)" in remove.remove_lab(fake, claim)
        running.wait(10)


def test_neither_the_asking_program_nor_one_above_it_is_ended() -> None:
    with program("sh", "-c", '"$0" -c "$1"; true', sys.executable, _ASKS) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "[]\n"


def test_programs_in_containers_are_left_to_the_engine() -> None:
    alone = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("namespaces cannot be made here")
    with program(*alone, "sh", "-c", "echo ready; sleep 60; true") as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        inside = psutil.Process(running.pid).children(recursive=True)
        assert inside
        assert [one.pid for one in remove._programs(OURS)] == [running.pid]
