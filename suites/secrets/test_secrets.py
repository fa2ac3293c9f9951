"""Secrets: what was given wrongly at first, or is given anew, counts without a restart."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from meshproof.expect import Verdict
from meshproof.faults.discovery import mistaken, overwritten, unread
from meshproof.kube import RunningCluster
from meshproof.model import Capability
from meshproof.runner.applies import requires
from meshproof.runner.behaviours import behaviour
from meshproof.workloads.sample import Sample
from suites.secrets.claims import heal_by_restart, is_read_once_it_is_right

Judge = Callable[[Verdict], None]


# The way of https://github.com/istio/istio/issues/58047 and 60612.
@behaviour("secrets/put-right-counts", feature="change", level="extended")
def test_a_remote_secret_that_is_put_right_counts(sample: Sample, judge: Judge) -> None:
    """A remote secret with a wrong token, written over with the right one, is read at once."""
    judge(_verdict(sample, mistaken))


@behaviour("secrets/given-again-counts", feature="change", level="extended")
def test_a_remote_secret_that_is_given_again_counts(sample: Sample, judge: Judge) -> None:
    """A remote secret that was taken away and is given again is read at once."""
    judge(_verdict(sample, unread))


# The way of https://github.com/istio/istio/issues/60612.
@behaviour("secrets/mistake-is-forgiven", feature="change", level="extended")
@requires(Capability.NODES)
def test_a_mistake_in_a_remote_secret_is_forgiven(sample: Sample, judge: Judge) -> None:
    """After a remote secret was written over wrongly, and then with its own again, istiod still
    heeds it: taken away the cluster is forgotten, and given again it is read."""
    caller, home = sample.read_from_elsewhere
    reader = sample.mesh.cluster(sample.topology[caller].primary)
    with overwritten(reader, sample.mesh.cluster(home)):
        pass
    judge(_verdict(sample, unread))


def _verdict(
    sample: Sample, fault: Callable[[RunningCluster, str], AbstractContextManager[None]]
) -> Verdict:
    """The claim of the secret by which a caller's istiod reads another cluster; afterwards the
    mesh is at rest again."""
    caller, home = sample.read_from_elsewhere
    reader = sample.mesh.cluster(sample.topology[caller].primary)
    verdict = is_read_once_it_is_right(sample, partial(fault, reader, home))
    heal_by_restart(sample, verdict)
    return verdict
