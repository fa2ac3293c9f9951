"""The upgrade that the tests of this suite judge: made once for each deployment."""

from __future__ import annotations

import pytest

from meshproof.transitions.upgrade import Transition
from meshproof.workloads.sample import Sample
from suites.upgrade.looking import Transitions


@pytest.fixture(scope="session")
def transitions() -> Transitions:
    """The upgrades of this run."""
    return Transitions()


@pytest.fixture
def transition(sample: Sample, transitions: Transitions) -> Transition:
    """The way of a deployment to another Istio, with what was found at each stage."""
    return transitions.of(sample)
