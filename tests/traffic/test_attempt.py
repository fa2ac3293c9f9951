"""An attempt begins when its control has been answered, and is counted from then on."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import cast

import pytest

from meshproof.kube.spot import Spot
from meshproof.lab.lab import Lab
from meshproof.lab.network.counters import Counters
from meshproof.traffic import Answer, Attempt, Refusal, Target, attempt

MODULE = importlib.import_module("meshproof.traffic.attempt")  # the function hides it
TARGET = Target("the Service", IPv4Address("10.120.0.9"), 80)
REFUSED, REPLY = Answer(refusal=Refusal.RESET), Answer("west hears 10.20.0.1")


@dataclass
class _Place:
    """The little of a spot, and of its cluster, that an attempt asks for."""

    name: str

    @property
    def cluster(self) -> _Place:
        return self


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who asked, one after the other; inside the cluster the third question is answered."""
    noted: list[str] = []

    def probe(spot: _Place, target: Target, patience: float) -> Answer:
        noted.append(spot.name)
        if spot.name != "west":
            return Answer(refusal=Refusal.SILENCE)
        return REPLY if noted.count("west") > 2 else REFUSED

    monkeypatch.setattr(MODULE, "probe", probe)
    return noted


def _attempt() -> Attempt:
    lab = cast(Lab, SimpleNamespace(counters=Counters))
    caller, control = (cast(Spot, _Place(name)) for name in ("east", "west"))
    return attempt(lab, caller, TARGET, control)


def test_the_control_is_asked_until_it_answers_and_then_the_caller(asked: list[str]) -> None:
    made = _attempt()
    assert asked == ["west", "west", "west", "east"]
    assert (made.control, made.answer.refusal) == (REPLY, Refusal.SILENCE)


def test_a_control_that_never_answers_is_told(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "_CONTROL_WITHIN", 0.0)
    made = _attempt()
    assert asked == ["west", "east"]
    assert made.control == REFUSED
