"""What is claimed of an istiod whose remote secret was wrong, so that sabotage can claim the
same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from meshproof.errors import MeshproofError
from meshproof.expect import Outcome, Verdict
from meshproof.faults.istiod import restart_istiod
from meshproof.mesh.mesh import Settling
from meshproof.traffic.calls import Plan, call
from meshproof.traffic.settle import converge, healed, reachable, settle
from meshproof.workloads.sample import Sample

_CALLS = 24
_PATIENCE = 60.0
Broken = Callable[[], AbstractContextManager[None]]


def is_read_once_it_is_right(
    sample: Sample, broken: Broken, within: float = _PATIENCE, *, after: str = ""
) -> Verdict:
    """An istiod forgets a cluster whose remote secret is taken away, or cannot be used, and reads
    it again within a minute of its being put right; nobody has to restart it.

    ``broken``: breaks the secret, and puts it right at its end. ``within``: seconds in which it
    is to be read again. ``after``: what was done to the secret before, in words.
    """
    caller, home = sample.read_from_elsewhere
    reader = sample.topology[caller].primary
    lost = set(sample.versions_in(home))
    kept = set(reachable(sample, caller)) - lost

    def answering() -> set[str | None]:
        responses = call(sample, sample.caller(caller), Plan(times=_CALLS, fresh=True))
        return {one.version for one in responses}

    if silent := lost - answering():
        expected = f"{', '.join(sorted(lost))} in {home} to answer {caller} before"
        observed = f"{', '.join(sorted(silent))} did not, so nothing can be forgotten"
        return Verdict(Outcome.INCONCLUSIVE, expected, observed)
    with broken():
        what = f"calls from {caller} that {home} does not answer"
        if not converge(answering, until=lambda seen: not seen & lost, what=what, within=_PATIENCE):
            return not_forgotten(reader, home, _PATIENCE, after)
        if gone := kept - answering():
            return forgotten_too(reader, home, gone)
    return came_back(settle(sample, within), reader, home)


def not_forgotten(reader: str, home: str, seconds: float, after: str = "") -> Verdict:
    """FAIL: a cluster still answers, although the secret by which it is read is gone or wrong."""
    expected = f"{reader}'s istiod to forget {home} without a secret that serves"
    observed = f"{seconds:.0f} s later instances in {home} are still called from {reader}"
    return Verdict(Outcome.FAIL, expected, f"{observed}, {after}" if after else observed)


def forgotten_too(reader: str, home: str, gone: Iterable[str]) -> Verdict:
    """FAIL: without the secret of one cluster, versions in others do not answer either."""
    expected = f"{reader}'s istiod to forget {home} alone without its secret"
    return Verdict(Outcome.FAIL, expected, f"{', '.join(sorted(gone))} did not answer either")


@contextmanager
def restarted_at_the_end(sample: Sample) -> Iterator[None]:
    """Around such claims: afterwards the istiod that reads by the secret is restarted. One that
    serves all it knows may all the same heed no secret any more. A mesh that does not heal by that
    is marked."""
    caller, _ = sample.read_from_elsewhere
    cluster = sample.mesh.cluster(sample.topology[caller].primary)
    try:
        yield
    finally:
        try:
            restart_istiod(cluster, sample.mesh.shell)
        except MeshproofError as error:
            sample.mesh.mark_dirty(f"istiod in {cluster.name} was not restarted: {error.cause}")
            raise
        healed(sample)


def came_back(settling: Settling, reader: str, home: str) -> Verdict:
    """PASS when every version answered again; FAIL says after how long, and what is missing."""
    expected = f"{reader}'s istiod to read {home} again once its secret is right"
    if settling.came_about:
        return Verdict(Outcome.PASS, expected, f"it did, within {settling.seconds:.1f} s")
    after = f"{settling.seconds:.0f} s after that it does not"
    return Verdict(Outcome.FAIL, expected, f"{after}: {settling.missing}")
