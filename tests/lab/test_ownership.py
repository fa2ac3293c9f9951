"""Subnets and labs: leased once, held while the owner lives, free when it is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from meshproof.errors import LabError
from meshproof.lab.ownership import Claim, Description, claims
from meshproof.lab.subnets import Leases


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


def test_a_used_up_pool_is_said() -> None:
    leases = Leases(IPv4Network("172.30.0.0/23"))
    leases.take("one", 2, [])
    with pytest.raises(LabError, match="no 1 subnets left"):
        leases.take("two", 1, [])


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
