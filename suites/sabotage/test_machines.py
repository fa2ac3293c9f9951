"""An instance that is announced elsewhere is noticed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.runner.behaviours import proves
from meshproof.workloads.sample import Sample
from suites.entries.machines import announced, announcing
from suites.entries.machines_claims import announced_where_they_are

Judge = Callable[[Verdict], None]


@proves("entries/announced-on-their-network")
@pytest.mark.several_versions
@pytest.mark.topology(
    "primary-remote-split-horizon",
    "multi-primary-split-horizon",
    "hybrid",
    reason="one topology across networks, with remotes and without, stands for the others",
)
def test_another_instance_is_noticed(sample: Sample, judge: Judge) -> None:
    """With another pod announced in its place, the claim of an instance's way fails in its own
    cluster and names the other's address."""
    pods = announced(sample)
    name = next(iter(pods))
    other = sample.caller(name)
    with announcing(sample, {name: other}):
        verdict = announced_where_they_are(sample, name, {name: pods[name]})
    judge(noticed([verdict], str(other.address)))
