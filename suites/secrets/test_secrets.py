"""Secrets: what was given wrongly at first, or is given anew, counts without a restart."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from meshproof.expect import Verdict, all_of
from meshproof.faults.discovery import mistaken, overwritten, unread
from meshproof.kube import RunningCluster
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.secrets.claims import is_read_once_it_is_right, restarted_at_the_end

Judge = Callable[[Verdict], None]
pytestmark = pytest.mark.remote_secrets
Fault = Callable[[RunningCluster, RunningCluster], AbstractContextManager[None]]
_MISTAKE = "after a mistake in the secret was put right"


@behaviour("secrets/given-again-counts", feature="change", level="extended")
def test_a_remote_secret_that_is_given_again_counts(sample: Sample, judge: Judge) -> None:
    """A cluster whose remote secret is taken away is forgotten, and read again once it is given
    again."""
    with restarted_at_the_end(sample):
        verdict = _claimed(sample, unread)
    judge(verdict)


# The way of https://github.com/istio/istio/issues/58047.
@behaviour("secrets/put-right-counts", feature="change", level="extended")
@requires(Capability.NODES)
def test_a_remote_secret_that_is_put_right_counts(sample: Sample, judge: Judge) -> None:
    """A remote secret that was given with a wrong token and is written over with the right one is
    read, and heeded from then on."""
    with restarted_at_the_end(sample):
        verdicts = [_claimed(sample, mistaken), _claimed(sample, unread, after=_MISTAKE)]
    judge(all_of(verdicts))


# The way of https://github.com/istio/istio/issues/60612.
@behaviour("secrets/mistake-is-forgiven", feature="change", level="extended")
@requires(Capability.NODES)
def test_a_mistake_in_a_remote_secret_is_forgiven(sample: Sample, judge: Judge) -> None:
    """A remote secret that was written over wrongly, and then with its own again, is heeded from
    then on."""
    caller, home = sample.read_from_elsewhere
    reader = sample.mesh.cluster(sample.topology[caller].primary)
    with restarted_at_the_end(sample):
        with overwritten(reader, sample.mesh.cluster(home)):
            pass
        verdict = _claimed(sample, unread, after=_MISTAKE)
    judge(verdict)


def _claimed(sample: Sample, fault: Fault, after: str = "") -> Verdict:
    """The claim of the secret by which a caller's istiod reads another cluster."""
    caller, home = sample.read_from_elsewhere
    reader, cluster = sample.topology[caller].primary, sample.mesh.cluster(home)
    broken = partial(fault, sample.mesh.cluster(reader), cluster)
    return is_read_once_it_is_right(sample, broken, after=after)
