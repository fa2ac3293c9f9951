"""Newcomers: what is made after installation is served as what was there before."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest

from meshproof.expect import Outcome, Verdict, all_of
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.newcomers.claims import done_and_ended, plan, root_is_told, served_as_any_other
from suites.newcomers.setting import errand, latecomer

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.each_shape


@behaviour("newcomers/new-namespace-is-served", feature="injection")
def test_a_new_namespace_is_served(
    extended: Sample, rooted: Collection[str], caller: str, judge: Judge
) -> None:
    """A namespace made after installation gets sidecars, and calls every version."""
    root = root_is_told(caller, rooted)
    if root.outcome is Outcome.PASS:
        root = all_of([root, served_as_any_other(extended, latecomer(extended, caller))])
    judge(root)


@behaviour("newcomers/jobs-call-and-end", feature="injection", level="extended")
def test_jobs_call_and_end(extended: Sample, caller: str, judge: Judge) -> None:
    """A Job's calls are answered as any others, and its sidecar ends with it."""
    judge(done_and_ended(extended, errand(extended, caller, plan(extended))))
