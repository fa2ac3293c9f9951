"""A remote secret that is never put right is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from meshproof.expect import Verdict, noticed
from meshproof.faults.discovery import unread
from meshproof.runner.behaviours import proves
from meshproof.traffic.settle import healed
from meshproof.workloads.sample import Sample
from suites.secrets.claims import is_read_once_it_is_right

_SOON = 5.0

pytestmark = pytest.mark.remote_secrets


@proves("secrets/put-right-counts", "secrets/given-again-counts", "secrets/mistake-is-forgiven")
def test_a_secret_that_stays_away_is_noticed(
    sample: Sample, judge: Callable[[Verdict], None]
) -> None:
    """With a remote secret that is not given again, the claim that it counts fails and names the
    cluster."""
    caller, home = sample.read_from_elsewhere
    reader = sample.topology[caller].primary
    with ExitStack() as stack:

        @contextmanager
        def stays_away() -> Iterator[None]:
            stack.enter_context(unread(sample.mesh.cluster(reader), sample.mesh.cluster(home)))
            yield

        try:
            verdict = is_read_once_it_is_right(sample, stays_away, within=_SOON)
        finally:
            stack.close()
            healed(sample)
    lost = ", ".join(sorted(sample.versions_in(home)))
    judge(noticed([verdict], f"{caller} does not reach {lost}"))
