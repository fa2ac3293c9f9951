"""An attempt begins when its control has been answered, and is counted from then on."""

from __future__ import annotations

import importlib
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import cast

import pytest

from meshproof.events import Recorder
from meshproof.kube.workload import PodWorkload
from meshproof.lab.base import Lab
from meshproof.lab.network.counters import Counters
from meshproof.traffic import Answer, Attempt, Refusal, Target, attempt
from tests.stand_ins import workload

MODULE = importlib.import_module("meshproof.traffic.attempt")  # the function hides it
TARGET = Target("the Service", IPv4Address("10.120.0.9"), 80)
REFUSED, REPLY = Answer(refusal=Refusal.RESET), Answer("west hears 10.20.0.1")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who asked, one after the other; inside the cluster the third question is answered."""
    noted: list[str] = []

    def probe(client: PodWorkload, target: Target, patience: float) -> Answer:
        noted.append(client.name)
        if client.name != "west":
            return Answer(refusal=Refusal.SILENCE)
        return REPLY if noted.count("west") > 2 else REFUSED

    monkeypatch.setattr(MODULE, "probe", probe)
    return noted


def _attempt() -> Attempt:
    lab = cast(Lab, SimpleNamespace(counters=Counters, recorder=Recorder()))
    caller, control = (workload(name, name) for name in ("east", "west"))
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
