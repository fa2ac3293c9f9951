"""Tables of claims: what is done to a mesh that is as it should be, and what the claim says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

import pytest

from meshproof.expect import Outcome, Verdict
from meshproof.expect.reach import names
from meshproof.model import Mtls
from tests.claims.substitutes import world
from tests.claims.tls import Tls
from tests.claims.world import World

SPLIT = "multi-primary-split-horizon"
FLAT = "multi-primary-flat"
REMOTE = "primary-remote-split-horizon"
MIXED = "mixed-networks"
OVERLAPPING = "overlapping-cidrs"
NO_LINE = "have no line in the caller's access log"
"""What a claim says of calls that the caller's proxy has not logged."""

Claim = Callable[..., Verdict]


@dataclass(frozen=True)
class Stage:
    """A world as a claim meets it, and what can be changed of it."""

    world: World
    tls: Tls
    monkeypatch: pytest.MonkeyPatch = field(repr=False)


Doing = Callable[[Stage], object]


@dataclass(frozen=True)
class Setting:
    """Which mesh a claim is made of. ``of``: what the claim is given."""

    of: Callable[[Stage], tuple[object, ...]]
    topology: str = SPLIT
    mtls: Mtls = Mtls.STRICT
    variants: Collection[str] = ()
    before: Doing = lambda _: None


@dataclass(frozen=True)
class Told:
    """What a claim says after something was done: the outcome, and words in what it observed."""

    outcome: Outcome
    observed: str
    doing: Doing = lambda _: None


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    claim: Claim
    setting: Setting
    told: Told

    def __str__(self) -> str:
        words = self.told.observed or "as it should be"
        return f"{self.claim.__name__}-{self.told.outcome.value}-{words}"


def passes(observed: str = "", doing: Doing = lambda _: None) -> Told:
    """The claim holds, of a mesh that is as it should be unless something is done."""
    return Told(Outcome.PASS, observed, doing)


fails = partial(Told, Outcome.FAIL)
"""The claim does not hold, and the words name what is wrong."""
unclear = partial(Told, Outcome.INCONCLUSIVE)
"""Nothing can be told, and the words say why."""


def cases(claim: Claim, setting: Setting, *told: Told) -> list[Case]:
    """The lines of one claim."""
    return [Case(claim, setting, one) for one in told]


def on(
    *arguments: object,
    topology: str = SPLIT,
    mtls: Mtls = Mtls.STRICT,
    variants: Collection[str] = (),
    before: Doing = lambda _: None,
) -> Setting:
    """A sample on a topology, and what else the claim is given."""
    return Setting(lambda one: (one.world.sample, *arguments), topology, mtls, variants, before)


def judge(case: Case, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """Make a case's claim of its mesh, and see that it says what it should."""
    setting = case.setting
    made, tls = world(monkeypatch, setting.topology, setting.mtls, setting.variants)
    stage = Stage(made, tls, monkeypatch)
    setting.before(stage)
    case.told.doing(stage)
    verdict = case.claim(*setting.of(stage))
    assert verdict.outcome is case.told.outcome, str(verdict)
    told = case.told.observed
    assert names(verdict.observed, told), f"'{told}' is not in: {verdict.observed}"
    assert made.mesh.dirty is None
    return verdict
