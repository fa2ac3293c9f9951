"""Subnets and labs: leased once, held while the owner lives, free when it is dead."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from meshproof.errors import LabError, MeshproofError, UsageError
from meshproof.lab.network.subnets import Leases, check_state_dir
from meshproof.lab.ownership import Claim, Description, LabInUseError, claims
from meshproof.lab.sweep import find
from meshproof.owned import LAB, STATE, NotOursError, make_owned

DESCRIPTION = Description(
    "0123abcd", "podman", 1.0, 1, "1.36.3", {"east": "f"}, {"east": "n"}, "image"
)
NO_IDS = [
    *("", ".", "..", "/", "~", "/any/folder", "../../v", "0123abcd/..", "./0123abcd"),
    *("0123abcd/", "0123abcd\n", "\n0123abcd", " 0123abcd", "0123abcd\0", "0123ABCD"),
    *("0123abc", "0123abcde", "0123abcg", "\u0660123abcd", "0123abcd.lock", "-rf", "*", "a" * 5000),
]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path))
    return tmp_path


def test_two_labs_never_share_a_subnet() -> None:
    first = Leases().take("one", 2, [])
    second = Leases().take("two", 2, [])
    assert not {s.network for s in first} & {s.network for s in second}
    Leases().give_back("one")
    assert Leases().owners() == {"two"}


def test_subnets_that_the_machine_uses_are_avoided() -> None:
    taken = [IPv4Network("172.30.0.0/24"), IPv4Network("172.30.1.128/25")]
    assert Leases().take("one", 1, taken)[0].network == IPv4Network("172.30.2.0/24")


def test_parts_of_a_subnet_do_not_overlap() -> None:
    subnet = Leases().take("one", 1, [])[0]
    assert subnet.router not in subnet.containers
    assert not any(address in subnet.containers for address in subnet.load_balancers)
    assert subnet.router not in subnet.load_balancers
    assert subnet.host in subnet.containers


def test_a_claim_is_free_again_when_its_owner_is_killed() -> None:
    code = (
        "from meshproof.lab.ownership import Claim; import sys, time\n"
        "claim = Claim('0123abcd'); claim.take(); print('held', flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"held\n"
    assert not Claim("0123abcd").is_free
    with pytest.raises(LabError, match="in use by another process"):
        Claim("0123abcd").take()
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    assert Claim("0123abcd").is_free
    assert [claim.id for claim in claims()] == ["0123abcd"]


def test_a_forgotten_claim_leaves_nothing(state: Path) -> None:
    claim = Claim("0123abcd")
    claim.take()
    claim.forget()
    assert list((state / "labs").iterdir()) == []


def test_a_description_survives_and_a_torn_one_is_none() -> None:
    claim = Claim("0123abcd")
    claim.take()
    description = Description(
        "0123abcd", "podman", 1.0, 1, "1.36.3", {"east": "f"}, {"east": "n"}, "image"
    )
    claim.write(description)
    assert claim.read() == description
    (claim.folder / "lab.json").write_text("{")
    assert claim.read() is None


@pytest.mark.parametrize("name", NO_IDS)
def test_what_is_no_id_is_refused_wherever_a_lab_is_named(state: Path, name: str) -> None:
    (state / "labs").mkdir()
    for say in (Claim, find):
        with pytest.raises(UsageError, match="is no lab's id") as refused:
            say(name)
        assert refused.value.exit_code == 64
        assert "eight hexadecimal digits" in str(refused.value)
        assert len(str(refused.value)) < 300
        assert "\n" not in str(refused.value)
    assert list((state / "labs").iterdir()) == []


def test_an_empty_id_is_told_in_these_words() -> None:
    with pytest.raises(UsageError) as refused:
        find("")
    assert str(refused.value) == (
        "'' is no lab's id: give eight hexadecimal digits, as 'meshproof status' shows them."
    )


def test_what_is_no_lab_in_the_labs_folder_is_passed_over_and_stays(
    state: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Claim("0123abcd").take()
    labs, away = state / "labs", tmp_path_factory.mktemp("away")
    make_owned(away / "one", LAB)
    for name in ("notes", "0123ABCD", "0123abcd.old", "11111111"):
        (labs / name).mkdir()
        (labs / name / "file").touch()
    (labs / "22222222").symlink_to(away / "one")
    (labs / "33333333.lock").symlink_to(away / "nothing")
    (labs / "44444444.lock").mkdir()
    (labs / "55555555").touch()
    make_owned(labs / "66666666", LAB)
    (labs / "77777777").mkdir()
    assert [claim.id for claim in claims()] == ["0123abcd", "66666666", "77777777"]
    for lab_id in ("11111111", "22222222", "55555555"):
        with pytest.raises(NotOursError):
            Claim(lab_id).forget()
    for lab_id in ("11111111", "22222222"):
        with pytest.raises(NotOursError):
            find(lab_id)
        with pytest.raises(NotOursError):
            Claim(lab_id).take()
        assert not (labs / f"{lab_id}.lock").exists()
    assert (labs / "11111111" / "file").exists()
    assert (away / "one").exists()


def test_a_labs_folder_that_is_a_link_is_not_ours(
    state: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    make_owned(state, STATE)
    away = tmp_path_factory.mktemp("away")
    make_owned(away / "0123abcd", LAB)
    (state / "labs").symlink_to(away)
    assert list(claims()) == []
    claim = Claim("0123abcd")
    for act in (claim.take, claim.forget):
        with pytest.raises(NotOursError):
            act()
    assert [path.name for path in away.iterdir()] == ["0123abcd"]


def test_a_state_folder_that_holds_other_things_is_refused_and_left_as_it_is(state: Path) -> None:
    (state / "letter").touch()
    (state / "labs" / "0123abcd").mkdir(parents=True)
    claim = Claim("0123abcd")
    assert list(claims()) == []
    assert not claim.has_folder
    assert claim.is_free
    leases = Leases()
    for act in (claim.take, claim.forget, lambda: leases.take("0123abcd", 1, [])):
        with pytest.raises(NotOursError, match="is not marked as a state folder"):
            act()
    with pytest.raises(NotOursError, match="is not marked as a state folder"):
        check_state_dir()
    leases.give_back("0123abcd")
    found = {str(path.relative_to(state)) for path in state.rglob("*")}
    assert found == {"letter", "labs", "labs/0123abcd"}


def test_a_state_folder_may_be_reached_by_a_link(
    state: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path_factory.mktemp("home") / "state"
    link.symlink_to(state)
    monkeypatch.setenv("MESHPROOF_STATE", str(link))
    claim = Claim("0123abcd")
    claim.take()
    assert [one.id for one in claims()] == ["0123abcd"]
    claim.forget()
    assert list((state / "labs").iterdir()) == []


def test_a_folder_that_cannot_be_deleted_is_said_and_stays_a_labs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = Claim("0123abcd")
    claim.take()
    (claim.folder / "deep").mkdir()

    def refuse(_: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", refuse)
        with pytest.raises(MeshproofError, match=r"cannot delete the folder .*0123abcd"):
            claim.forget()
    assert Claim("0123abcd").is_free
    assert find("0123abcd").id == "0123abcd"
    claim.forget()
    assert list(claims()) == []


def test_a_lab_that_another_holds_is_neither_taken_nor_forgotten(state: Path) -> None:
    owner = Claim("0123abcd")
    owner.take()
    for act in (Claim("0123abcd").take, Claim("0123abcd").forget):
        with pytest.raises(LabInUseError):
            act()
    assert owner.folder.is_dir()
    owner.release()
    Claim("0123abcd").forget()
    assert list((state / "labs").iterdir()) == []
    Claim("0123abcd").forget()


def test_asking_makes_nothing(state: Path) -> None:
    claim = Claim("0123abcd")
    assert claim.is_free
    assert claim.read() is None
    assert list(claims()) == []
    assert Leases().owners() == set()
    Leases().give_back("0123abcd")
    check_state_dir()
    claim.forget()
    assert list(state.iterdir()) == []


def test_a_lock_that_is_something_else_is_said_and_stays(state: Path) -> None:
    make_owned(state, STATE)
    lock = state / "labs" / "0123abcd.lock"
    lock.mkdir(parents=True)
    for act in (Claim("0123abcd").take, Claim("0123abcd").forget):
        with pytest.raises(NotOursError, match="is no lock of meshproof's"):
            act()
    assert lock.is_dir()


def _described(**changes: Any) -> str:
    return json.dumps({**asdict(DESCRIPTION), **changes})


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "1", '"text"', "{}", "[" * 5000, '{"id": "\\ud800"}'),
        *(_described(footprint=["east"]), _described(footprint={"east": 1})),
        *(_described(created="now"), _described(kept="yes"), _described(owner=None)),
        *(_described(id="fedcba98"), _described(networks=None), _described(engine=["podman"])),
    ],
)
def test_a_description_of_another_shape_is_none(text: str) -> None:
    claim = Claim("0123abcd")
    claim.take()
    claim.write(DESCRIPTION)
    assert claim.read() == DESCRIPTION
    (claim.folder / "lab.json").write_text(text)
    assert claim.read() is None


def test_a_description_that_is_no_text_or_no_file_is_none() -> None:
    claim = Claim("0123abcd")
    claim.take()
    path = claim.folder / "lab.json"
    path.write_bytes(_described().encode("utf-16"))
    assert claim.read() is None
    path.unlink()
    path.mkdir()
    assert claim.read() is None
    with pytest.raises(MeshproofError, match="cannot write the lab's description"):
        claim.write(DESCRIPTION)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000),
        *(b'{"0.0.0.0/0": "0123abcd"}', b'{"10.0.0.0/8": "0123abcd"}'),
        *(b'{"172.30.0.0/16": "0123abcd"}', b'{"172.30.0.0/25": "0123abcd"}'),
        *(b'{"8.8.8.0/24": "0123abcd"}', b'{"172.30.0.1/24": "0123abcd"}'),
        *(b'{"172.30.0.0/255.255.255.0": "0123abcd"}', b'{"x": "0123abcd"}'),
        *(b'{"172.30.0.0/24": 7}', b'{"172.30.0.0/24": ["0123abcd"]}'),
    ],
)
def test_leases_that_are_none_are_told_with_their_file_and_left_as_they_are(
    state: Path, content: bytes
) -> None:
    make_owned(state, STATE)
    path = state / "subnets.json"
    path.write_bytes(content)
    leases = Leases()
    for act in (
        leases.owners,
        lambda: leases.of("0123abcd"),
        lambda: leases.take("0123abcd", 1, []),
        lambda: leases.give_back("0123abcd"),
        check_state_dir,
    ):
        with pytest.raises(LabError, match=r"subnets\.json") as told:
            act()
        assert told.value.exit_code == 2
        assert told.value.remedy
    assert path.read_bytes() == content


def test_a_state_that_is_a_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MESHPROOF_STATE", str(tmp_path / "file"))
    for act in (Leases().owners, lambda: list(claims()), Claim("0123abcd").take, check_state_dir):
        with pytest.raises(MeshproofError, match=r"cannot (read|make) .*file"):
            act()


def test_a_state_that_cannot_be_written_to_is_said_before(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHPROOF_STATE", str(state / "new"))
    monkeypatch.setattr(os, "access", lambda path, _: path != state)
    with pytest.raises(LabError, match="cannot be written to"):
        check_state_dir()
    assert list(state.iterdir()) == []
