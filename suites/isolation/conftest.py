"""What the isolation suites share."""

from __future__ import annotations

import pytest

from meshproof.lab import Lab
from meshproof.run.labs import Labs
from suites.isolation.twins import Twin, find_twins


@pytest.fixture
def twins(labs: Labs, lab: Lab) -> dict[str, Twin]:
    """A twin for each cluster; all targets have one address."""
    return find_twins(labs, lab)
