"""What a fault leaves when nobody heals it is known to whoever comes next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meshproof.errors import LabError
from meshproof.faults.catalogue import FAULTS
from meshproof.faults.unhealed import InForce, Stays, forget, noted, unhealed
from meshproof.lab.ownership import Claim

PARTITION = InForce("0a1b2c3d", "partition", ["east", "west"], Stays.IN_LAB)
SLOW = InForce("0a1b2c3d", "slow-istiod", ["east"], Stays.IN_MESH)


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    return cast(Claim, SimpleNamespace(id="0a1b2c3d", folder=tmp_path))


@contextmanager
def fault(*, begins: bool = True, heals: bool = True) -> Iterator[None]:
    if not begins:
        raise LabError("it cannot begin")
    try:
        yield
    finally:
        if not heals:
            raise LabError("it cannot be healed")


def test_it_is_written_down_while_it_is_in_force_and_no_longer(claim: Claim) -> None:
    with noted(claim, PARTITION, fault()):
        assert unhealed(claim) == [PARTITION]
        with noted(claim, SLOW, fault()):
            assert unhealed(claim) == [PARTITION, SLOW]
        assert unhealed(claim) == [PARTITION]
    assert unhealed(claim) == []
    assert list(claim.folder.iterdir()) == []


def test_whatever_ends_it_heals_it(claim: Claim) -> None:
    with pytest.raises(KeyboardInterrupt), noted(claim, SLOW, fault()):
        raise KeyboardInterrupt
    assert unhealed(claim) == []


def test_what_could_not_begin_is_not_there_and_what_could_not_be_healed_is(claim: Claim) -> None:
    with pytest.raises(LabError, match="begin"), noted(claim, SLOW, fault(begins=False)):
        pass
    assert unhealed(claim) == []
    with pytest.raises(LabError, match="healed"), noted(claim, SLOW, fault(heals=False)):
        pass
    assert unhealed(claim) == [SLOW]


def test_what_is_gone_is_forgotten_alone(claim: Claim) -> None:
    forget(claim, Stays.IN_MESH)
    for one in (PARTITION, SLOW):
        with pytest.raises(LabError), noted(claim, one, fault(heals=False)):
            pass
    forget(claim, Stays.UNTIL_USED)
    assert unhealed(claim) == [PARTITION, SLOW]
    forget(claim, Stays.IN_MESH)
    assert unhealed(claim) == [PARTITION]
    forget(claim, Stays.IN_LAB)
    assert list(claim.folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "{}", "[{}]", '[{"stays": "for ever"}]'])
def test_a_note_that_says_something_else_is_told(claim: Claim, text: str) -> None:
    (claim.folder / "faults.json").write_text(text)
    with pytest.raises(LabError, match=r"faults\.json") as told:
        unhealed(claim)
    assert "meshproof down 0a1b2c3d" in told.value.remedy


def test_each_says_what_mends_it() -> None:
    assert str(PARTITION) == (
        "the fault partition east west was in force on lab 0a1b2c3d when its process ended, and "
        "was not healed: nothing mends it but 'meshproof down 0a1b2c3d', which removes the lab"
    )
    assert "--reuse 0a1b2c3d --repair" in str(SLOW)
    assert {one.stays for one in FAULTS.values()} == set(Stays)


def test_what_is_broken_outside_the_mesh_is_not_said_to_be_mended_with_it() -> None:
    """Every fault whose code is in a module for what no installation of a mesh makes."""
    outside: Any = ("partition", "one-way-partition", "loss", "thin-path", "delay")
    outside += ("no-api-server", "no-dns", "no-load-balancer-names", "pods-unready")
    assert {name for name, one in FAULTS.items() if one.stays is Stays.IN_LAB} == set(outside)
